"""The audit of a wheel that was just made: would it run wherever its tags say that it does?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pypackpack.middleware.verify.modules import Tags, library_problems, tag_problems
from pypackpack.middleware.verify.platform_tags import platform_tag
from pypackpack.middleware.verify.reading import few, native_files
from pypackpack.model.errors import AuditError
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pypackpack.middleware.verify.modules import NativeFile

_SHOWN: Final = 20


def audit(path: Path, *, theirs: Collection[str] = ()) -> tuple[str, ...]:
    """Look at the machine code of a wheel.

    Args:
        path: The wheel.
        theirs: Files that others compiled, by their paths in it: an index gives them to everybody as they are.

    Returns:
        What those load that is not everywhere.

    Raises:
        AuditError: It needs what a machine with the wheel's tags need not have; all of it is named.
        DamagedArtifactError: It is damaged.
    """
    tags = tags_of(path.name)
    with path.open("rb") as stream:
        native, members = native_files(stream, path)
    lies = tuple(problem for file in native for problem in tag_problems(file, tags))
    own = [file for file in native if file.path not in theirs]
    problems = (*lies, *audited(own, tags, members).problems)
    if problems:
        first, *others = problems
        msg = f"{path.name} would not run wherever its tags say: {first}"
        hint = "Mend it, or build with --no-audit if you know where it goes."
        more = [f"and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
        raise AuditError(msg, hint=hint, details="\n".join([*others[:_SHOWN], *more]))
    return audited([file for file in native if file.path in theirs], tags, members).problems


def tags_of(name: str) -> Tags:
    """Return the tags in the file name of a wheel."""
    *_, python, abi, platform = name[: -len(".whl")].split("-")
    return Tags(tuple(python.split(".")), tuple(abi.split(".")), tuple(map(platform_tag, platform.split("."))))


def audited(native: Sequence[NativeFile], tags: Tags, members: Sequence[str]) -> Check:
    """Return what the machine code of a wheel loads that is not everywhere."""
    inside = [member.rpartition("/")[2] for member in members]
    problems = [problem for file in native for problem in library_problems(file, tags, inside)]
    rules = "the stable ABI and the libraries of its platforms" if tags.stable else "the libraries of its platforms"
    return Check("libraries", f"looked at {rules}", few(problems))
