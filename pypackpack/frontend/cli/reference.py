"""The reference page of the command line, ``docs/reference/cli.md``, from the declarations that help is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.command import load, parameters, usage_line
from pypackpack.frontend.cli.overview import general_options
from pypackpack.frontend.cli.table import BUILT_IN, ROWS

if TYPE_CHECKING:
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
`--target windows --target linux` say the same.
"""

EXIT_CODES = """## Exit codes

| code | meaning |
| --- | --- |
| 0 | Done. |
| 1 | The work was understood and failed, or pypackpack has a defect. |
| 2 | The words of the call, or the settings of the project, are wrong. |
| 3 | A tool or something of the platform is missing, or that part of pypackpack is not there yet. |
| 130 | Interrupted, by Ctrl-C or by the system; the project is as it was. |

An error is written to stderr as `error[code]: message`, with details below and a hint at the end. The codes in the
brackets are stable. With `--json` it is one object on stdout instead:
`{"error": {"code": "...", "message": "...", "hint": "...", "details": "..."}}`.

## Colour and progress

Both are for terminals only. `NO_COLOR`, set to anything, switches colour off; `TERM=dumb` switches off both.
Progress, notes and questions go to stderr, results to stdout.
"""


def cli_page() -> str:
    """Return the page as Markdown."""
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
    lines.append(_options([(each.shown.strip("[]"), each.help) for each in known]))
    return "\n".join([*lines, f"Example:\n\n    {row.example}\n"])


def _options(pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    lines = ["| word | meaning |", "| --- | --- |"]
    lines += [f"| `{name.replace('|', chr(92) + '|')}` | {text.replace('|', chr(92) + '|')} |" for name, text in pairs]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys
    from pathlib import Path

    from pypackpack.backend.filesystem import write_atomic

    write_atomic(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference/cli.md"), cli_page())
