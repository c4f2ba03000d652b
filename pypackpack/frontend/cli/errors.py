"""Errors as lines for people and as an object for programs. Pure; main.py decides when and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.overview import wrapped
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.model.errors import EXIT_INTERRUPTED, PyPackPackError
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable

# Control characters but for tab and new line, and what turns the direction of writing.
_STEERING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


class DefectError(PyPackPackError):
    """Something that pypackpack did not foresee: its own fault."""

    code = "defect"


class StoppedError(PyPackPackError):
    """Ctrl-C, or the system's request to end."""

    code = "interrupted"
    exit_code = EXIT_INTERRUPTED


def error_lines(error: PyPackPackError, style: Style = PLAIN, width: int | None = None) -> list[str]:
    """Return an error as ``error[code]: message``, its details indented, and what to do about it.

    With a width, message and hint are broken at blanks; details stay as the outside tool wrote them.
    """
    first, *more = _shown(error.message).splitlines() or [""]
    lines = _labelled(f"error[{error.code}]:", style.bad, first, width)
    lines += [f"  {line}".rstrip() for line in (*more, *_shown(error.details).splitlines())]
    if error.hint:
        lines += _labelled("hint:", style.word, _shown(error.hint), width)
    return lines


def _labelled(label: str, mark: Callable[[str], str], text: str, width: int | None) -> list[str]:
    whole = f"{label} {text}"
    if width is None or len(whole) <= width:
        return [f"{mark(label)} {text}"]
    first, *rest = wrapped(whole, max(width - 2, 20))
    return [first.replace(label, mark(label), 1), *(f"  {line}" for line in rest)]


def _shown(text: str) -> str:
    """Return text for a terminal: what others wrote, such as a line of a file, may hold credentials, and codes that steer it."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), masked(text.replace("\r\n", "\n")))


def error_object(error: PyPackPackError) -> dict[str, dict[str, str]]:
    """Return an error as the object that ``--json`` writes."""
    words = {"message": error.message, "hint": error.hint, "details": error.details}
    return {"error": {"code": error.code, **{name: masked(text) for name, text in words.items()}}}


def note_lines(error: BaseException) -> list[str]:
    """Return the notes that were attached to an error (PEP 678), for details."""
    return [line for note in getattr(error, "__notes__", ()) for line in str(note).splitlines()]
