"""Reasons as they stand in artifacts, the same on every machine and short, and as an error says them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.build import Fallback
    from pypackpack.model.inspection import ModuleForm
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

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


def check_strict(package: Package, target: Target, fallbacks: Sequence[Fallback]) -> None:
    """Refuse modules that no compiler could make extension modules of, where the settings say ``strict``.

    Raises:
        SourceError: There are some; each one's reason is in it, all lines of it below the module.
    """
    if fallbacks and package.settings(target).strict:
        listed = (f"{each.module}: {each.reason}".replace("\n", "\n    ") for each in fallbacks)
        msg = f"{package.name} has modules that cannot be compiled for {target.name}, and strict is set"
        hint = "Change the module, exclude it (build.native.exclude), or set strict = false."
        raise SourceError(msg, hint=hint, details="\n".join(listed))


def _short(text: str) -> str:
    """Return a compiler's words without what differs from run to run, a few lines of them."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in _ADDRESS.sub("0x…", text).splitlines() if line.strip()]
    rest = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"and {rest} more"] if rest > 0 else [])])


def _of_c(text: str, *, shared: bool) -> str:
    """Return the first error of a C compiler; the lines around it may have this machine's paths."""
    found = None if shared else _C_ERROR.search(text)
    return "the C compiler refused what was made of it" + (f": {_short(found[0])}" if found else "")
