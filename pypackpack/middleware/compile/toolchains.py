"""Which toolchain builds for a target, whether it is on this machine, and what of it goes into keys.

The table of targets names one for each target; the setting ``toolchain`` names another. The choice depends on nothing else, so
that a project is built by the same kind of compiler on every machine: one that happens to be installed is not taken for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend.tools import emscripten, gcc, msvc, ndk, xcode, zig
from pypackpack.model.errors import MissingToolError
from pypackpack.model.inspection import Tool
from pypackpack.model.toolchain import FoundToolchain, Surroundings

if TYPE_CHECKING:
    from pypackpack.backend.tools.toolchain import Adapter
    from pypackpack.model.project import BuildSettings
    from pypackpack.model.target import Target

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (zig.ADAPTER, gcc.GCC, gcc.CLANG, ndk.ADAPTER, xcode.ADAPTER, msvc.ADAPTER, emscripten.ADAPTER)
}
"""Every toolchain by the word of the setting."""

WITH_PROGRAM = frozenset({"gcc", "clang", "emcc"})
"""Those whose compiler may have another name than theirs."""

HOSTS = {"xcode": "darwin", "msvc": "win32"}
"""Those that only machines of one system can have: name → `sys.platform`."""


@dataclass(frozen=True)
class Choice:
    """A toolchain that was chosen for a target, and how it was found.

    Attributes:
        target: For what.
        found: What was found.
        named: Whether the settings name it, instead of the table of targets.
    """

    target: Target
    found: FoundToolchain
    named: bool

    @property
    def adapter(self) -> Adapter:
        """The kind of toolchain."""
        return ADAPTERS[self.found.name]

    def flags(self, *, release: bool) -> tuple[str, ...]:
        """Return the words of a compile that go into the key of a task, as the toolchain's identity does."""
        return self.adapter.flags(self.target, release=release)

    @property
    def kind(self) -> str:
        """The kind of the task that compiles with it."""
        return f"compile-{self.found.name}-{self.adapter.flags_version}"

    def need(self) -> FoundToolchain:
        """Return the toolchain.

        Raises:
            MissingToolError: It is not there, or cannot be used for the target.
        """
        if self.found.missing:
            msg = f"{self.target.name} cannot be built by {self.adapter.title}: {self.found.missing}"
            raise MissingToolError(msg, hint=self.found.hint)
        return self.found


def choose(target: Target, settings: BuildSettings) -> Choice:
    """Return the toolchain for a target that is made of no others.

    Args:
        target: For what.
        settings: The package's, finished for that target (or for the one that it is a part of).
    """
    name = settings.toolchain or target.toolchain
    named = settings.toolchain is not None or settings.toolchain_program is not None
    return Choice(target, look(name, target, settings.toolchain_program or ""), named=named)


def look(name: str, target: Target, program: str = "") -> FoundToolchain:
    """Look for a toolchain for a target on this machine; what is wrong stands in the answer."""
    adapter = ADAPTERS[name]
    if not adapter.serves(target):
        others = ", ".join(serving(target))
        msg = f"{adapter.title} does not build for {target.name}"
        return FoundToolchain(name, missing=msg, hint=f"Set toolchain for this target to one of these: {others}.")
    if program and name not in WITH_PROGRAM:
        msg = f"the settings name {program} (toolchain-program), and {adapter.title} has programs of its own"
        return FoundToolchain(name, missing=msg, hint="Name gcc, clang or emcc as the toolchain too, or take the program out.")
    return _looked(name, target, program)


@cache
def _looked(name: str, target: Target, program: str) -> FoundToolchain:
    """Look once in each build: a toolchain that changes meanwhile would make two kinds of modules."""
    return ADAPTERS[name].find(target, program, here())


def look_again() -> None:
    """Forget what was found; a process that builds again and again calls it before each build."""
    _looked.cache_clear()


def serving(target: Target) -> tuple[str, ...]:
    """Return the names of the toolchains that can build for a target, on some machine."""
    return tuple(name for name, adapter in ADAPTERS.items() if adapter.serves(target))


def here() -> Surroundings:
    """Return what of this machine decides which toolchains are found."""
    from pypackpack.backend.host import this_host  # noqa: PLC0415 - import cost

    host = this_host()
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.expanduser fails for a user without a home
    return Surroundings(host.system, host.machine, dict(os.environ), home)


def choices(target: Target, settings: BuildSettings) -> tuple[Choice, ...]:
    """Return the toolchains for a target: one, or one for each part that it is put together from."""
    from pypackpack.middleware.target.table import parts_of  # noqa: PLC0415 - import cost

    return tuple(choose(each, settings) for each in parts_of(target))


def tool_of(target: Target, settings: BuildSettings) -> Tool:
    """Return what compiles the C of a target, for those who ask a wheel; parts of one target are compiled by one toolchain."""
    found = choices(target, settings)[0].found
    return Tool(found.name, found.version)
