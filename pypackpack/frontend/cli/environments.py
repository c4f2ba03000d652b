"""Environments of targets as lines; light, because a `sync` with nothing to do shows them before anything else is imported."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def environment_rows(environments: "Sequence[tuple[str, str, str, object, bool]]") -> "list[str]":
    """Return a line for each environment.

    Args:
        environments: (package, target, Python, number of distributions, whether it was as it should be).
    """
    rows = [
        (package, target, python, f"{count} installed" + (", as it was" if same else ""))
        for package, target, python, count, same in environments
    ]
    widths = [max(len(row[number]) for row in rows) for number in range(3)] if rows else []
    return ["  ".join([*(word.ljust(width) for word, width in zip(row, widths)), row[3]]) for row in rows]  # noqa: B905 - one more
