"""Top-level help, made from the table of commands without loading one of them."""

import sys

from pypackpack import __version__
from pypackpack.frontend.cli.style import PLAIN, Style, emit, wants_colour
from pypackpack.frontend.cli.table import BUILT_IN, GENERAL, ROWS, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = "pypackpack build billing source --level native --target linux windows"


def wrapped(text: str, width: int) -> list[str]:
    """Break text at blanks into lines of at most ``width`` characters (a longer word stays whole)."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines or [""]


def two_columns(pairs: "Sequence[tuple[str, str]]", width: int, style: Style, at_least: int = 0) -> list[str]:
    """Lay out names and their explanations side by side; below each other where the width does not allow it."""
    left = max([at_least, *(len(name) for name, _ in pairs)])
    beside = width - left - 4
    lines: list[str] = []
    for name, text in pairs:
        if beside < 24:
            lines.append("  " + style.word(name))
            lines.extend("      " + part for part in wrapped(text, width - 6))
            continue
        first, *rest = wrapped(text, beside)
        lines.append("  " + style.word(name) + " " * (left - len(name) + 2) + first)
        lines.extend(" " * (left + 4) + part for part in rest)
    return lines


def general_options() -> list[tuple[str, str]]:
    """Return the options that every command has, as names and explanations."""
    return [(f"{name} {value}".strip(), text) for name, value, text in GENERAL]


def overview(width: int, style: Style = PLAIN) -> list[str]:
    """Return the lines of top-level help."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for row in ROWS:
        sections.setdefault(row.section, []).append((row.shown, row.summary))
    for shown, section, summary in BUILT_IN:
        sections.setdefault(section, []).append((shown, summary))
    left = max(len(shown) for pairs in sections.values() for shown, _ in pairs)
    title = wrapped(f"pypackpack {__version__}: one source tree, wheels and binaries for every platform.", width)
    title[0] = title[0].replace("pypackpack", style.bold("pypackpack"), 1)
    lines = [*title, "", f"{style.bold('Usage:')} pypackpack {style.word('<command>')} [options]"]
    for section, pairs in sections.items():
        lines += ["", style.bold(section), *two_columns(pairs, width, style, left)]
    lines += ["", style.bold("Options of every command"), *two_columns(general_options(), width, style, left)]
    lines += ["", style.bold("Example"), *("  " + part for part in wrapped(EXAMPLE, width - 2))]
    return lines


def group_help(rows: "Sequence[Row]", width: int, style: Style = PLAIN) -> list[str]:
    """Return the lines of help for a first word that needs a second one, such as ``package``."""
    first = rows[0].words.split(" ", 1)[0]
    pairs = [(row.shown, row.summary) for row in rows]
    return [
        f"{style.bold('Usage:')} pypackpack {first} {style.word('<command>')}",
        "",
        style.bold(rows[0].section),
        *two_columns(pairs, width, style),
        "",
        style.bold("Example"),
        f"  {rows[0].example}",
    ]


def terminal_width() -> int:
    """Return the columns of the terminal for text that is read, between 40 and 110."""
    import os  # noqa: PLC0415 - Python has loaded it already; shutil would cost ten times the rest

    named = os.environ.get("COLUMNS", "")
    columns = int(named) if named.isdigit() else 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = 80
    return min(max(columns or 80, 40), 110)


def show_overview() -> int:
    """Print top-level help and return the exit code."""
    lines = overview(terminal_width(), Style(on=wants_colour(sys.stdout)))
    return emit("\n".join(lines) + "\n")
