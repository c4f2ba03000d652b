"""The system's gcc and clang, for Linux: the machine's own target, or another one by a cross compiler that the settings name.

They link against the C library of the machine, so a module may need a newer one than its target promises. What it needs is
read from the finished file, and refused when it is too new.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.host import find_program
from pypackpack.backend.tools import elf
from pypackpack.backend.tools.driver import (
    COMMON,
    DEBUG,
    RELEASE,
    STATIC_CPLUSPLUS,
    Driver,
    names,
    numbers,
    says,
    setting_hint,
    version_in,
)
from pypackpack.backend.tools.toolchain import written
from pypackpack.model.errors import ToolError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.backend.tools.toolchain import ModuleJob, Toolchain
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

_OLDEST: Final = {"gcc": (8,), "clang": (10,)}
"""The first ones with -ffile-prefix-map, without which paths of this machine get into debug information."""

_PROCESSORS: Final = {
    **dict.fromkeys(("i386", "i486", "i586", "i686"), "x86"),
    **dict.fromkeys(("armv7", "armv7l"), "arm"),
    "ppc64le": "powerpc64le",
}
"""First word of a GNU triple → the target's."""

_CPLUSPLUS: Final = {"gcc": "g++", "clang": "clang++", "cc": "c++"}
_GLIBC: Final = re.compile(r"GLIBC_\d")
_MACROS: Final = ("-E", "-dM", "-x", "c", "-include", "stdio.h")


@dataclass(frozen=True)
class SystemCompiler:
    """The adapter of gcc or clang (`toolchain.Adapter`)."""

    name: str
    title: str
    flags_version: str = "1"

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        return target.family == "linux"

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Look for the compiler: the one that the settings name, that of ``PYPACKPACK_GCC``, or ``gcc`` on PATH."""
        variable = f"PYPACKPACK_{self.name.upper()}"
        wanted = program or around.variables.get(variable, "") or self.name
        place = find_program([wanted])
        if place is None:
            hint = f"Install it (Debian: apt-get install {self.name}), or name one: {variable}=/path/to/{self.name}."
            if program:
                hint = setting_hint(program, self.name)
            return FoundToolchain(self.name, missing=f"there is no program {wanted}", hint=hint)
        try:
            return self._found(place, target)
        except ToolError as error:
            hint = "Install it again, with its C library's headers (Debian: libc6-dev, libc6-dev-arm64-cross …), or name another."
            return FoundToolchain(self.name, place=place, missing=error.message, hint=hint)

    def _found(self, place: Path, target: Target) -> FoundToolchain:
        said = says(place, "--version")
        version, line = version_in(said), said.splitlines()[0]
        if numbers(version) < _OLDEST[self.name]:
            oldest = ".".join(map(str, _OLDEST[self.name]))
            msg = f"{place} is {line}, and {self.title} {oldest} is the oldest that works"
            return FoundToolchain(self.name, version, place, missing=msg, hint="Install a newer one, or name another one.")
        machine = says(place, "-dumpmachine")
        if not is_for(machine, target):
            msg = f"{place} compiles for {machine}, not for {target.name}"
            hint = f'Name a cross compiler, such as toolchain-program = "aarch64-linux-gnu-{self.name}", or use zig.'
            return FoundToolchain(self.name, version, place, missing=msg, hint=hint)
        real = place.resolve()
        identity = [
            (self.name, line),
            (f"{self.name} for", machine),
            (f"{self.name} itself", filesystem.sha256_bytes(filesystem.read_bytes(real))),
            # Of the C library's headers, and of what the compiler is set up to do, these say whatever a module can see.
            (f"macros of {self.name}", filesystem.sha256_bytes(says(place, *_MACROS, os.devnull))),
            ("linker", says(place, "-Wl,--version").splitlines()[0]),
        ]
        programs = {"cc": place}
        name = cplusplus(place.name)
        plus = find_program([str(place.with_name(name))]) if name else None
        if plus is not None:
            programs["c++"] = plus
            identity.append(("C++ library of", says(plus, "--version").splitlines()[0]))  # it goes into the module
        return FoundToolchain(self.name, version, place, tuple(identity), programs=programs)

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        del target  # one compiler makes code for one platform
        words = [*COMMON, *(RELEASE if release else DEBUG), "-fPIC", "-fno-ident"]
        if self.name == "gcc":
            words.append("-gno-record-gcc-switches")  # they name the folders that are to be mapped away
        return tuple(words)

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with the compiler."""
        del cache  # it keeps nothing
        label = f"{self.name} {found.version}"
        return SystemToolchain(self, Driver(label, found.programs["cc"], found.programs.get("c++"), {}))


@dataclass(frozen=True)
class SystemToolchain:
    """gcc or clang at work (`toolchain.Toolchain`)."""

    adapter: SystemCompiler
    driver: Driver

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`).

        Raises:
            ToolError: Also when it needs a newer C library than the target promises.
        """
        scratch = scratch.resolve()
        objects = [*self._compile(job, scratch), *written(job.objects, scratch)]
        out = f"module{job.suffix}"
        words: list[str | Path] = [self.driver.linker(job), "-shared", "-Wl,--gc-sections", "-Wl,--build-id=none"]
        words += ["-Wl,--as-needed", "-static-libgcc", *(["-s"] if job.release else [])]
        if self.driver.cxx is not None and words[0] == self.driver.cxx:
            words += STATIC_CPLUSPLUS
        after = ["-lm"]
        if "-musl" in job.target.triple:
            # As with zig: the module names no C library, which is in the process before any extension module is.
            words, after = [*words, "-nostdlib"], ["-lgcc"]
        what = f"linking {job.path} for {job.target.name}"
        self.driver.run([*words, *names(objects), "-o", out, *after, *job.link_options], scratch, what)
        data = filesystem.read_bytes(self.driver.made(scratch / out, what))
        check_floor(data, job, self.driver.label)
        return data

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.ObjectToolchain`)."""
        (made,) = self._compile(job, scratch.resolve())
        return filesystem.read_bytes(made)

    def _compile(self, job: ModuleJob, scratch: Path) -> list[Path]:
        return self.driver.compile(job, scratch, self.adapter.flags(job.target, release=job.release), ())


def check_floor(data: bytes, job: ModuleJob, label: str) -> None:
    """Look whether a module runs on the oldest glibc that its target promises (PEP 600).

    Args:
        data: The module.
        job: What it was made by.
        label: What made it.

    Raises:
        ToolError: It needs a newer one.
    """
    if job.target.object_format != "elf" or "-musl" in job.target.triple:
        return
    promised = numbers(job.target.version)
    wanted = [(name, version.removeprefix("GLIBC_")) for name, version in elf.versioned_symbols(data) if _GLIBC.match(version)]
    needed = [(numbers(version), name) for name, version in wanted]
    newer = sorted(each for each in needed if each[0] > promised)
    if newer:
        version = ".".join(map(str, newer[-1][0]))
        symbols = ", ".join(name for number, name in newer if number == newer[-1][0])
        promise = f"{job.target.name} promises {job.target.version}"
        msg = f"{job.path} linked by {label} needs glibc {version} ({symbols}), and {promise}"
        later = f"linux_{version.replace('.', '_')}_{job.target.arch}"
        raise ToolError(msg, hint=f"Build for {later} instead, or take zig, which links against the glibc that is promised.")


def is_for(machine: str, target: Target) -> bool:
    """Tell whether a compiler whose ``-dumpmachine`` says that makes code for a target."""
    processor, _, rest = machine.partition("-")
    wanted, _, kind = target.triple.partition("-")
    same = _PROCESSORS.get(processor, processor) == wanted and ("hf" in rest or wanted != "arm")
    return same and "linux" in rest and "android" not in rest and ("musl" in rest) is ("musl" in kind)


def cplusplus(name: str) -> str:
    """Return what the C++ compiler beside a C compiler is called: ``aarch64-linux-gnu-gcc-12`` → ``aarch64-linux-gnu-g++-12``.

    Empty where the name does not tell.
    """
    found = re.sub(r"(gcc|clang|cc)(?=[^a-z]*$)", lambda each: _CPLUSPLUS[each[1]], name)
    return "" if found == name else found


GCC: Final = SystemCompiler("gcc", "gcc")
CLANG: Final = SystemCompiler("clang", "clang")
