"""Errors as lines for people and as an object for programs. Pure; main.py decides when and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.overview import wrapped
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.model.errors import EXIT_INTERRUPTED, PyPackPackError, TasksFailedError
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_SHOWN = 10
DETAILS_SHOWN, DETAILS_LAST = 12, 4
"""So many lines of what the tools of a failed task said are shown where several failed, and so many of these from the end."""

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
    """Return an error as ``error[code]: message``, its details and notes indented, and what to do about it.

    With a width, message and hint are broken at blanks; details stay as the outside tool wrote them.
    """
    first, *more = _shown(error.message).splitlines() or [""]
    lines = _labelled(f"error[{error.code}]:", style.bad, first, width)
    if isinstance(error, TasksFailedError) and error.failures:
        return lines + _failures(error, style, width)
    lines += [f"  {line}".rstrip() for line in (*more, *_shown(_details(error)).splitlines())]
    if error.hint:
        lines += _labelled("hint:", style.word, _shown(error.hint), width)
    return lines


def _failures(error: TasksFailedError, style: Style, width: int | None) -> list[str]:
    """Return what failed, task by task: of each the beginning and the end of what its tools said, and not of all too many."""
    lines: list[str] = []
    for name, each in error.failures[:FAILURES_SHOWN]:
        lines += ["", f"  {style.bold(_shown(name))}"]
        lines += [f"    {line}" for line in _labelled(f"{each.code}:", style.bad, _shown(each.message), _less(width, 4))]
        lines += [f"    {line}".rstrip() for line in _shortened(_shown(_details(each)).splitlines())]
        if each.hint:
            lines += [f"    {line}" for line in _labelled("hint:", style.word, _shown(each.hint), _less(width, 4))]
    hidden = len(error.failures) - FAILURES_SHOWN
    if hidden > 0:
        lines += ["", f"  and {hidden} more {'failure' if hidden == 1 else 'failures'}"]
    for line in note_lines(error):
        lines += ["", *_labelled("note:", style.word, _shown(line), width)]
    return lines


def is_shortened(error: TasksFailedError) -> bool:
    """Tell whether a terminal does not see all of what failed."""
    return len(error.failures) > FAILURES_SHOWN or any(
        len(_details(each).splitlines()) > DETAILS_SHOWN for _, each in error.failures
    )


def _shortened(lines: list[str]) -> list[str]:
    """Return the first and the last lines: what a compiler says first is what counts, and what a crash says last."""
    if len(lines) <= DETAILS_SHOWN:
        return lines
    first, last = DETAILS_SHOWN - DETAILS_LAST, DETAILS_LAST
    return [*lines[:first], f"… {len(lines) - first - last} more lines …", *lines[-last:]]


def _less(width: int | None, by: int) -> int | None:
    return None if width is None else width - by


def _labelled(label: str, mark: Callable[[str], str], text: str, width: int | None) -> list[str]:
    whole = f"{label} {text}"
    if width is None or len(whole) <= width:
        return [f"{mark(label)} {text}"]
    first, *rest = wrapped(whole, max(width - 2, 20))
    return [first.replace(label, mark(label), 1), *(f"  {line}" for line in rest)]


def _shown(text: str) -> str:
    """Return text for a terminal: what others wrote, such as a line of a file, may hold credentials, and codes that steer it."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), masked(text.replace("\r\n", "\n")))


def error_object(error: PyPackPackError) -> dict[str, dict[str, object]]:
    """Return an error as the object that ``--json`` writes."""
    facts: dict[str, object] = dict(_facts(error))
    if isinstance(error, TasksFailedError):
        facts["failures"] = [{"task": name, **_facts(each)} for name, each in error.failures]
    return {"error": facts}


def _facts(error: PyPackPackError) -> dict[str, str]:
    words = {"message": error.message, "hint": error.hint, "details": _details(error)}
    return {"code": error.code, **{name: masked(text) for name, text in words.items()}}


def _details(error: PyPackPackError) -> str:
    return "\n".join([*([error.details] if error.details else []), *note_lines(error)])


def note_lines(error: BaseException) -> list[str]:
    """Return the notes that were attached to an error (PEP 678), for details."""
    return [line for note in getattr(error, "__notes__", ()) for line in str(note).splitlines()]
