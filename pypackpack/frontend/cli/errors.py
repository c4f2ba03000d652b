"""Errors as lines for people and as an object for programs. Pure; main.py decides when and where."""

from __future__ import annotations

from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.model.errors import EXIT_INTERRUPTED, PyPackPackError


class DefectError(PyPackPackError):
    """Something that pypackpack did not foresee: its own fault."""

    code = "defect"


class StoppedError(PyPackPackError):
    """Ctrl-C, or the system's request to end."""

    code = "interrupted"
    exit_code = EXIT_INTERRUPTED


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
