"""Errors as lines for people and as an object for programs. Pure; main.py decides when and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.style import PLAIN, Style

if TYPE_CHECKING:
    from pypackpack.model.errors import PyPackPackError


def error_lines(error: PyPackPackError, style: Style = PLAIN) -> list[str]:
    """Return an error as ``error[code]: message``, its details indented, and what to do about it."""
    first, *more = error.message.splitlines() or [""]
    lines = [f"{style.bad(f'error[{error.code}]:')} {first}"]
    lines += [f"  {line}".rstrip() for line in (*more, *error.details.splitlines())]
    if error.hint:
        lines.append(f"{style.word('hint:')} {error.hint}")
    return lines


def error_object(error: PyPackPackError) -> dict[str, dict[str, str]]:
    """Return an error as the object that ``--json`` writes."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint, "details": error.details}}


def note_lines(error: BaseException) -> list[str]:
    """Return the notes that were attached to an error (PEP 678), for details."""
    return [line for note in getattr(error, "__notes__", ()) for line in str(note).splitlines()]
