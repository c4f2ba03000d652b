"""Reasons as they stand in artifacts: the same on every machine, and short."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pypackpack.model.inspection import ModuleForm

NEEDS_SOURCE = "[own-source]"
"""What stands behind the reason of a module that asks for its own source (`guard`): that is what it becomes."""

MOST_LINES = 5
LONGEST_LINE = 300

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{5,}")
_C_ERROR = re.compile(r"^(?![/\\]|[A-Za-z]:[/\\]).*?:\d+:\d+: (?:fatal )?error: .*$", re.MULTILINE)


def told(forms: Iterable[ModuleForm], refused: Mapping[str, str], *, shared: bool) -> tuple[ModuleForm, ...]:
    """Return what modules became, each reason as it may stand in an artifact.

    Args:
        forms: What they became, with reasons as the build says them.
        refused: Module → the reason of a refusal before there was any C; empty where the C compiler refused.
        shared: The artifact is for several platforms, whose C compilers have different words.
    """
    return tuple(
        replace(form, reason=_short(refused[form.module]) or _of_c(form.reason, shared=shared))
        if form.module in refused
        else form
        for form in forms
    )


def _short(text: str) -> str:
    """Return a compiler's words without what differs from run to run, a few lines of them."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in _ADDRESS.sub("0x…", text).splitlines() if line.strip()]
    rest = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"and {rest} more"] if rest > 0 else [])])


def _of_c(text: str, *, shared: bool) -> str:
    """Return the first error of a C compiler; the lines around it may have this machine's paths."""
    found = None if shared else _C_ERROR.search(text)
    return "the C compiler refused what was made of it" + (f": {_short(found[0])}" if found else "")
