"""For which Pythons an extension module is made: for one X.Y, or with the limited API for that one and all after it (PEP 384)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.middleware.compile.choice import is_among, wants_native

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import BuildSettings
    from pypackpack.model.target import Target

LIMITED_COMPILERS = frozenset({"cython"})
"""Compilers whose C keeps to the limited API when it is told to."""


@dataclass(frozen=True)
class Stable:
    """How the stable ABI is used for one Python on one target.

    Attributes:
        oldest: The Python whose limited API the modules use; they serve this one and every later one.
        whole: Whether no extension module of the wheel is bound to a version, so that one wheel serves all these Pythons.
    """

    oldest: Interpreter
    whole: bool


def wants_limited(place: str, settings: BuildSettings) -> bool:
    """Tell whether the module at a place, if it is native, is to use the limited API only."""
    return settings.abi == "abi3" and is_among(place, settings.abi3)


def stable(
    settings: BuildSettings,
    target: Target,
    pythons: Sequence[Interpreter],
    modules: Sequence[str],
    *,
    own: Sequence[str] = (),
    bound: bool,
) -> Mapping[Interpreter, Stable | None]:
    """Return for which Pythons a target is built, and how each uses the stable ABI; None where it does not.

    Pythons share modules where the platform is the same for them: Emscripten's ABI changes with each Python, and its tags say so.

    Args:
        settings: The package's, for the target.
        target: For what.
        pythons: Those that are asked for.
        modules: Places of the package's Python modules, as far as modules are compiled.
        own: Places of extension modules of its own sources.
        bound: Whether what is made of them is bound to a Python anyway, as a folder is.
    """
    native = [*(place for place in modules if wants_native(place, settings.native)), *own]
    limited = [place for place in native if wants_limited(place, settings)]
    if not limited:
        return dict.fromkeys(pythons)
    whole = limited == native and not bound
    groups: dict[tuple[str, ...], list[Interpreter]] = {}
    for python in pythons:
        groups.setdefault(target.tags.for_python(python.series), []).append(python)
    found: dict[Interpreter, Stable | None] = {}
    for group in groups.values():
        oldest = min(group, key=lambda python: python.version)
        found |= {oldest: Stable(oldest, True)} if whole else {python: Stable(oldest, False) for python in group}
    return {python: found[python] for python in pythons if python in found}


def spared(plans: Mapping[Target, Sequence[Interpreter]], pythons: Sequence[Interpreter]) -> tuple[str, ...]:
    """Say which Pythons are served without being compiled for, and by what.

    Args:
        plans: By target the Pythons that it is built for.
        pythons: Those that were asked for.
    """
    lines: dict[str, list[str]] = {}
    for target, built in plans.items():
        left = [python for python in pythons if python not in built]
        if left:
            words = f"{_listed(left)}: not compiled for, the abi3 wheel of {_listed(built)} serves every later Python"
            lines.setdefault(words, []).append(target.name)
    return tuple(f"Python {words} ({', '.join(names)})" for words, names in lines.items())


def _listed(pythons: Sequence[Interpreter]) -> str:
    return ", ".join(".".join(map(str, series)) for series in sorted(python.series for python in pythons))
