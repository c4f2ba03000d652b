"""The reference pages of the command line and of its errors, from the declarations themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend.filesystem import write_atomic
from pypackpack.frontend.cli import errors as cli_errors
from pypackpack.frontend.cli import inspect_reference
from pypackpack.frontend.cli.command import load, parameters, usage_line
from pypackpack.frontend.cli.event_reference import events_page, schema_text
from pypackpack.frontend.cli.overview import general_options
from pypackpack.frontend.cli.table import BUILT_IN, ROWS
from pypackpack.model import errors as model_errors
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypackpack.frontend.cli.table import Row

INTRODUCTION = """# The command line

<!-- Made by `python -m pypackpack.frontend.cli.reference`; a test compares them. -->

`pypackpack`, or `ppp` for short, is used as

    pypackpack <command> [options]

A package's name before `add`, `remove` and `sync` says whose dependencies are meant: `pypackpack billing add numpy`
is `pypackpack add --package billing numpy`. Where a word is both a command and a package of the project, it is the
package, so that a command which comes with a new version never takes a package's name away. Only `package` and
`target`, which have `add` and `remove` of their own, always mean the command; `--package` always says which is meant.

`--target` and `--python` take the words after them while these are names of targets or versions; the next option, or
`--`, ends them. `--target windows linux`, `--target windows,linux`, `--target=windows,linux` and
`--target windows --target linux` say the same. `build --rerun` takes the words after it while they are steps or tasks, and
`--profile` one that ends in `.html`; both work without any.
"""

EXIT_CODES = """## Exit codes

| code | meaning |
| --- | --- |
| 0 | Done. |
| 1 | The work was understood and failed, or pypackpack has a defect. |
| 2 | The words of the call, or the settings of the project, are wrong. |
| 3 | A tool or something of the platform is missing, or that part of pypackpack is not there yet. |
| 130 | Interrupted, by Ctrl-C or by the system; nothing is left half done, or the error says what completes it. |

An error is written to stderr as `error[code]: message`, with details below and a hint at the end. The codes in the
brackets are stable. With `--json` it is one object on stdout instead:
`{"error": {"code": "...", "message": "...", "hint": "...", "details": "..."}}`.

`build --json` writes more than one value: [a stream of events](build-events.md), whose last line is the result or the error.

## Colour and progress

Both are for terminals only. `NO_COLOR`, set to anything, switches colour off; `TERM=dumb` switches off both.
Progress, notes and questions go to stderr, results to stdout.
"""

ERRORS_INTRODUCTION = """# Errors

<!-- Made by `python -m pypackpack.frontend.cli.reference`; a test compares them. -->

What is written in the brackets of `error[code]: message`, and as `code` with `--json`. A code keeps its meaning from
version to version; the messages may be worded anew.
"""


def cli_page() -> str:
    """Return ``docs/reference/cli.md`` as Markdown."""
    parts = [INTRODUCTION, "## Options of every command\n", _options(general_options())]
    section = ""
    for row in ROWS:
        if row.section != section:
            section = row.section
            parts.append(f"## {section}\n")
        parts.append(_command(row))
    parts += [f"### `pypackpack {shown}`\n\n{summary}\n" for shown, _, summary in BUILT_IN]
    return "\n".join([*parts, EXIT_CODES])


def _command(row: Row) -> str:
    command = load(row)
    known = parameters(command)
    lines = [f"### `pypackpack {row.shown}`\n", f"{row.summary}\n", f"    {usage_line(row, command)}\n"]
    lines.append(_options([(each.shown if each.names else each.shown.strip("[]"), each.help) for each in known]))
    if row.uv:
        lines.append(f"The options of `uv {row.uv}` work too: see [options of uv](uv-options.md).\n")
    return "\n".join([*lines, f"Example:\n\n    {row.example}\n"])


def _options(pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    lines = ["| word | meaning |", "| --- | --- |"]
    lines += [f"| `{name.replace('|', chr(92) + '|')}` | {text.replace('|', chr(92) + '|')} |" for name, text in pairs]
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """Return ``docs/reference/errors.md`` as Markdown: every code with its exit code and what it means."""
    lines = [ERRORS_INTRODUCTION, "| code | exit code | meaning |", "| --- | --- | --- |"]
    for kind in sorted(_kinds(PyPackPackError), key=lambda kind: (kind.exit_code, kind.code)):
        meaning = (kind.__doc__ or "").split("\n\n")[0].replace("``", "`")
        lines.append(f"| `{kind.code}` | {kind.exit_code} | {' '.join(meaning.split())} |")
    return "\n".join(lines) + "\n"


def _kinds(base: type[PyPackPackError]) -> Iterator[type[PyPackPackError]]:
    """Yield every kind of error that has a code of its own and is known to all floors."""
    for kind in base.__subclasses__():
        if "code" in vars(kind) and kind.__module__ in (model_errors.__name__, cli_errors.__name__):
            yield kind
        yield from _kinds(kind)


def write_pages(folder: Path) -> None:
    """Write all pages, and the schemas."""
    write_atomic(folder / "cli.md", cli_page())
    write_atomic(folder / "errors.md", errors_page())
    write_atomic(folder / "build-events.md", events_page())
    write_atomic(folder / "build-events.schema.json", schema_text())
    write_atomic(folder / "inspection.md", inspect_reference.page())
    write_atomic(folder / inspect_reference.SCHEMA_FILE, inspect_reference.schema_text())


if __name__ == "__main__":
    write_pages(Path("docs") / "reference")
