"""Linked files: extension modules and shared libraries, as their headers describe them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Image:
    """What a linked file says of itself; of a universal one, what one of its parts says.

    Attributes:
        format: ``elf``, ``coff``, ``macho`` or ``wasm``, as `pypackpack.model.target.Target.object_format`.
        machine: The processor, as wheels' platform tags name it on Linux: ``x86_64``, ``aarch64``, ``i686``, ``armv7l``,
            ``ppc64le``, ``s390x``, ``riscv64``, ``wasm32``; a number in words where it is another one.
        needs: Names of the libraries that it loads, in its order.
        versions: Of an ELF file, the pairs of a library and a version of its symbols that it needs: ``GLIBC_2.17``.
        exports: Symbols that others can see.
        imports: Symbols that it takes from others.
        paths: Folders that it makes the loader look in (``RPATH``, ``RUNPATH``).
        platform: Of a Mach-O file, what it is for: ``macos``, ``ios``, ``ios-simulator`` …; empty where it does not say.
        oldest: Of a Mach-O file, the first version of that platform it runs on.
        name: What it calls itself, where it does (``SONAME``, ``ID_DYLIB``).
        signed: Of a Mach-O file, whether it has a signature.
    """

    format: str
    machine: str
    needs: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    exports: frozenset[str] = field(default_factory=frozenset)
    imports: frozenset[str] = field(default_factory=frozenset)
    paths: tuple[str, ...] = ()
    platform: str = ""
    oldest: tuple[int, int] | None = None
    name: str = ""
    signed: bool = False
