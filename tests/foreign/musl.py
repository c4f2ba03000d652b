"""A Python for musl, built here: no package index carries one, and Debian has the musl and the source.

Some minutes of work for a compiler, so this one is made only when it is asked for. It has the interpreter and what
the standard library holds of C without other libraries: no ctypes, zlib, ssl, sqlite3.
"""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING, Any

from fetching import PrivateApt, ProvideError, Tool, call, unpack_deb

if TYPE_CHECKING:
    from pathlib import Path

    from catalogue import Entry
    from recipes import Workshop

_GCC = Tool(("gcc",), "gcc")
_MAKE = Tool(("make",), "make")
_TAR = Tool(("tar",), "tar")
_XZ = Tool(("xz",), "xz-utils")

# What configure and, up to 3.11, setup.py would take from the machine's own folders, which are glibc's. binascii would
# ask for zlib there; in this list it does without.
_SETUP_LOCAL = """\
binascii binascii.c
*disabled*
_bz2 _crypt _ctypes _curses _curses_panel _dbm _gdbm _hashlib _lzma _sqlite3 _ssl _tkinter _uuid
nis ossaudiodev readline zlib
"""
_COMPILER = """\
#!/bin/sh
case "$1" in
  --print-multiarch | -print-multiarch) echo {machine}-linux-musl ;;
  *) exec {gcc} -specs={specs} "$@" ;;
esac
"""
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "idlelib", "test", "tests", "turtledemo")


def musl(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    """Build Debian's Python with Debian's musl into ``folder``. Raises ProvideError."""
    gcc, make = shop.tools.need(_GCC), shop.tools.need(_MAKE)
    shop.tools.need(_TAR)
    shop.tools.need(_XZ)
    machine = platform.machine()
    if machine != "x86_64":
        raise ProvideError(f"{entry.name} is built for the machine it is built on, and this one is {machine}")
    apt = PrivateApt(shop.tools, entry.architecture, shop.scratch / "apt", sources=True)
    root = shop.scratch / "musl"
    root.mkdir()
    for package in apt.only("musl", "musl-dev"):
        unpack_deb(shop.tools, package, root)
    major, minor = apt.version("python3").split(".")[:2]
    source = _unpack_source(apt.source(f"python{major}.{minor}"), shop.scratch / "source")
    loader = folder / "lib" / f"ld-musl-{machine}.so.1"
    compiler = _compiler(gcc, root, loader, machine)
    _build(make, compiler, source)
    return _install(shop.root / entry.name, folder, source, f"python{major}.{minor}", loader)


def _unpack_source(archive: Path, into: Path) -> Path:
    into.mkdir()
    call(["tar", "--extract", "--no-same-owner", "--file", str(archive), "--directory", str(into)])
    (source,) = into.iterdir()
    return source


def _compiler(gcc: str, root: Path, loader: Path, machine: str) -> Path:
    """Make gcc, seen from configure, a compiler for musl in the folder ``root``; it is a script beside that folder."""
    library = root / "usr/lib" / f"{machine}-linux-musl"
    # The library is the dynamic loader as well. Debian 12 has it in /lib, 13 in /usr/lib.
    found = [path for path in root.glob(f"**/{machine}-linux-musl/libc.so") if path.is_file() and not path.is_symlink()]
    loader.parent.mkdir()
    shutil.copy2(found[0], loader)
    (library / "libc.so").unlink(missing_ok=True)
    shutil.copy2(loader, library / "libc.so")
    text = (library / "musl-gcc.specs").read_text(encoding="utf-8")
    text = text.replace(f"/lib/ld-musl-{machine}.so.1", str(loader)).replace("/usr/", f"{root}/usr/")
    specs = root.with_name("musl.specs")
    specs.write_text(text, encoding="utf-8")
    script = root.with_name("musl-cc")
    script.write_text(_COMPILER.format(machine=machine, gcc=gcc, specs=specs), encoding="utf-8")
    script.chmod(0o755)
    return script


def _build(make: str, compiler: Path, source: Path) -> None:
    environment = {"CC": str(compiler), "CFLAGS": "-O1 -g0", "PKG_CONFIG": "/bin/false"}
    configure = ["./configure", "--prefix=/usr", "--without-ensurepip", "--disable-test-modules"]
    call(configure, cwd=source, env=environment)
    (source / "Modules/Setup.local").write_text(_SETUP_LOCAL, encoding="utf-8")
    call([make, f"-j{os.cpu_count() or 1}"], cwd=source)


def _install(final: Path, folder: Path, source: Path, python: str, loader: Path) -> dict[str, Any]:
    """Copy the parts of a finished build; ``make install`` would first compile the whole library three times."""
    program = folder / "bin" / python
    program.parent.mkdir()
    data = (source / "python").read_bytes()
    # The program names its loader by an absolute path, which is another one, and shorter, once the folder is in place.
    here, there = os.fsencode(loader), os.fsencode(final / loader.relative_to(folder))
    program.write_bytes(data.replace(here + b"\0", there.ljust(len(here) + 1, b"\0")))
    program.chmod(0o755)
    library = folder / "lib" / python
    shutil.copytree(source / "Lib", library, ignore=_LEFT_OUT)
    (built,) = (path for path in source.glob("build/lib.*") if path.is_dir())
    (library / "lib-dynload").mkdir()
    for module in built.glob("*.so"):
        shutil.copy2(module, library / "lib-dynload")
    for settings in built.glob("_sysconfigdata_*.py"):
        shutil.copy2(settings, library)
    include = folder / "include" / python
    shutil.copytree(source / "Include", include)
    shutil.copy2(source / "pyconfig.h", include)
    return {
        "kind": "native",
        "loader": str(loader.relative_to(folder)),
        "python": f"bin/{python}",
        "include": [f"include/{python}"],
        "pyconfig": f"include/{python}/pyconfig.h",
        "library": None,
    }
