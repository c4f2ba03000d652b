"""The machine we run on: its platform, and the programs on its PATH.

Everything is read without starting a process: what Linux's Python is built for stands in its own ELF header, and which
C library it uses in the name of the loader that the header asks for (PT_INTERP).
"""

from __future__ import annotations

import functools
import os
import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import handover
from pypackpack.model.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterable

_PT_INTERP = 3
_PROGRAM_HEADERS = {1: ("IIIIIIII", 1, 4), 2: ("IIQQQQQQ", 2, 5)}
"""By ELF class: the layout of a program header, and where the offset and the size in the file stand in it."""

# e_machine of the System V ABI's registry → platform.machine(); (number, class, data) where the number is not enough.
_ELF_MACHINES = {
    (3, 1, 1): "i686",
    (40, 1, 1): "armv7l",
    (62, 2, 1): "x86_64",
    (183, 2, 1): "aarch64",
    (21, 2, 1): "ppc64le",
    (22, 2, 2): "s390x",
    (243, 2, 1): "riscv64",
    (258, 2, 1): "loongarch64",
}


@dataclass(frozen=True)
class ElfHead:
    """What an ELF file's header says: the processor as ``platform.machine()`` names it, and the loader's path."""

    machine: str
    interpreter: str


def read_elf_head(path: str | Path) -> ElfHead | None:
    """Return what the header of a program says, or None when it is no ELF file that can be read.

    The format is the one of elf(5).
    """
    try:
        with Path(path).open("rb") as file:
            ident = file.read(16)
            if len(ident) < 16 or ident[:4] != b"\x7fELF" or ident[4] not in _PROGRAM_HEADERS or ident[5] not in (1, 2):
                return None
            order = "<" if ident[5] == 1 else ">"
            rest = struct.Struct(order + ("HHIIIIIHHHHHH" if ident[4] == 1 else "HHIQQQIHHHHHH"))
            fields = rest.unpack(file.read(rest.size))
            machine = _ELF_MACHINES.get((fields[1], ident[4], ident[5]), "")
            layout, offset_at, size_at = _PROGRAM_HEADERS[ident[4]]
            header = struct.Struct(order + layout)
            for number in range(fields[9]):
                file.seek(fields[4] + number * fields[8])
                entry = header.unpack(file.read(header.size))
                if entry[0] == _PT_INTERP:
                    file.seek(entry[offset_at])
                    return ElfHead(machine, file.read(min(entry[size_at], 4096)).rstrip(b"\0").decode(errors="replace"))
            return ElfHead(machine, "")
    except (OSError, struct.error):
        return None


def _linux() -> Host:
    head = read_elf_head("/proc/self/exe") or (read_elf_head(sys.executable) if sys.executable else None)
    machine = (head.machine if head else "") or platform.machine().lower()
    loader = head.interpreter if head else ""
    if "ld-musl" in loader:
        return Host("linux", machine, "musl")
    named = ""
    try:
        named = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        library, version = platform.libc_ver()
        named = f"{library} {version}"
    found = re.fullmatch(r"glibc (\d+\.\d+).*", named)
    if found:
        return Host("linux", machine, "glibc", found[1])
    # Neither a loader of musl's name nor a C library that says it is glibc: a static build, which are musl's as a rule.
    return Host("linux", machine, "glibc" if loader else "musl")


@functools.cache
def this_host() -> Host:
    """Return the platform of the machine that we run on."""
    if sys.platform == "linux":
        return _linux()
    return Host(sys.platform, platform.machine().lower())


def find_program(names: Iterable[str]) -> Path | None:
    """Return the first of some programs that is there: a name is looked for on PATH, a path is taken as it is.

    Never where we happen to stand, which may be somebody's clone: Windows looks there first (`shutil.which` too), and PATH itself
    may have folders without a root.
    """
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    found = (handover.find_program(name, os.pathsep.join(folders)) for name in names)
    return next((Path(each) for each in found if each), None)


def cores() -> int:
    """Return how many processors this process may use, at least one."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
