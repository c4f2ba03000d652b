"""How each kind of foreign Python is made from its downloads.

A recipe fills an empty folder and returns the part of the manifest that it knows; :func:`make` then starts what can
run, to prove that it does and to learn its version, and returns the whole manifest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fetching import Downloads, PrivateApt, ProvideError, Tools, tail, unpack, unpack_deb
from musl import musl
from pythons import NODE, SYSROOT, WINE, open_folder, qemu, wine_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalogue import Entry

# Parts of the standard library that only test or show Python itself; half of all its files.
_LEFT_OUT = frozenset({"idlelib", "test", "tests", "turtledemo"})
_WINE_TIMEOUT = 300.0
_PROBE_TIMEOUT = 600.0

# Run once on every Python that runs. Importing much leaves the .pyc files behind that later runs, which write none,
# start faster with.
_PROBE = """\
import argparse, asyncio, collections.abc, concurrent.futures, contextlib, csv, dataclasses, datetime, decimal, enum
import functools, hashlib, importlib.metadata, importlib.resources, inspect, json, logging, pathlib, pickle, platform
import random, re, shutil, statistics, string, struct, sys, sysconfig, tempfile, textwrap, threading, traceback
import typing, unittest.mock, uuid, warnings, zipfile
facts = {
    "version": sys.version_info[:3],
    "platform": sysconfig.get_platform(),
    "sys_platform": sys.platform,
    "machine": platform.machine(),
    "extension_suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "pointer": struct.calcsize("P"),
    "long": struct.calcsize("l"),
    "vars": {key: value for key, value in sysconfig.get_config_vars().items() if isinstance(value, (str, int))},
}
print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Workshop:
    """What recipes work with: outside tools, pinned downloads, the folder of all Pythons, and an empty one for scraps."""

    tools: Tools
    downloads: Downloads
    root: Path
    scratch: Path

    def fetch(self, entry: Entry) -> list[Path]:
        """The entry's pinned files, checked."""
        return [self.downloads.get(one) for one in entry.downloads]


def make(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    """Fill the empty ``folder`` with what ``entry`` names and return its manifest. Raises ProvideError."""
    recipe = _RECIPES[entry.recipe]
    manifest = {"name": entry.name, "target": entry.target, "stamp": entry.stamp, **recipe(shop, entry, folder)}
    if "python" in manifest:
        manifest |= _prove(folder, manifest, shop.root)
    return manifest


def _prove(folder: Path, manifest: dict[str, Any], root: Path) -> dict[str, Any]:
    unproved = {**manifest, "version": (0, 0, 0), "platform": "", "config_vars": ""}
    python = open_folder(folder, unproved, root)
    if python is None:
        message = f"the program that runs {manifest['kind']} Pythons is missing"
        raise ProvideError(message)
    try:
        done = python.run(_PROBE, timeout=_PROBE_TIMEOUT, env={"PYTHONDONTWRITEBYTECODE": ""})
    except subprocess.TimeoutExpired as error:
        message = f"{manifest['name']} did not end within {_PROBE_TIMEOUT:.0f} s"
        raise ProvideError(message) from error
    if done.returncode:
        message = f"{manifest['name']} does not run: exit code {done.returncode}\n{tail(done.stdout)}\n{tail(done.stderr)}"
        raise ProvideError(message)
    facts = json.loads(done.stdout.splitlines()[-1])
    variables = "config_vars.json"
    text = json.dumps(facts.pop("vars"), indent=1, sort_keys=True)
    (folder / variables).write_text(text + "\n", encoding="utf-8")
    return {**facts, "config_vars": variables}


# --- Debian's Pythons of other architectures ---------------------------------------------------------------------


def _debian(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    shop.tools.need(qemu(entry.emulator))
    apt = PrivateApt(shop.tools, entry.architecture, shop.scratch / "apt")
    packages = apt.download("python3", "libpython3-dev")
    root = folder / SYSROOT
    root.mkdir()
    for package in packages:
        unpack_deb(shop.tools, package, root)
    _merge_usr(root)
    _relative_links(root)
    # QEMU looks every absolute path up here first: what the Python has no use for would only hide the machine's own.
    for name in ("var", "usr/share", "usr/local"):
        shutil.rmtree(root / name, ignore_errors=True)
    python = _python_of(root / "usr/bin")
    pyconfig = _one(root, f"usr/include/*-linux-*/{python.name}/pyconfig.h")
    return {
        "kind": "qemu",
        "emulator": entry.emulator,
        "python": f"{SYSROOT}/usr/bin/{python.name}",
        "include": [f"{SYSROOT}/usr/include/{python.name}", f"{pyconfig.parent.parent.relative_to(folder)}"],
        "pyconfig": f"{pyconfig.relative_to(folder)}",
        "library": _relative_or_none(folder, f"{SYSROOT}/usr/lib/*/lib{python.name}.so.1.0"),
        "packages": [package.stem for package in packages],
    }


def _merge_usr(root: Path) -> None:
    """Make /lib and its like lead where they lead on a running system.

    Packages of Debian 12 name some files as /lib/…, those of 13 all as /usr/lib/…, and it is base-files that links
    the two; the path of the dynamic loader inside every program is /lib/….
    """
    for name in ("bin", "lib", "lib64", "sbin"):
        old, new = root / name, root / "usr" / name
        if old.is_dir():
            shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(old)
        if new.is_dir():
            old.symlink_to(f"usr/{name}")


def _relative_links(root: Path) -> None:
    """Let absolute links lead to files in ``root``: the loader of ppc64el is one, and QEMU follows it out of there."""
    for path in list(root.rglob("*")):
        if (
            path.is_symlink()
            and (target := path.readlink()).is_absolute()
            and (inside := root / target.relative_to("/")).exists()
        ):
            path.unlink()
            path.symlink_to(os.path.relpath(inside.resolve(), path.parent.resolve()))


def _python_of(folder: Path) -> Path:
    # python3 is a link to the release's one Python, as python3.11.
    return folder / (folder / "python3").readlink().name


# --- Whole Pythons and headers in archives -----------------------------------------------------------------------


def _below(prefix: str, left_out: frozenset[str] = _LEFT_OUT) -> Callable[[str], str | None]:
    """A rename for :func:`fetching.unpack`: what lies below ``prefix``, which it takes away."""

    def rename(name: str) -> str | None:
        if not name.startswith(prefix):
            return None
        path = PurePosixPath(name.removeprefix(prefix))
        return None if left_out.intersection(path.parts[:-1]) or path.stem.endswith("jnipython") else str(path)

    return rename


def _bytedeco(entry: Entry) -> str:
    # The jars of org.bytedeco:cpython keep all below one folder, named as the classifier.
    return f"org/bytedeco/cpython/{entry.downloads[0].spec.rsplit(':', 1)[1]}/"


def _windows(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    shop.tools.need(WINE)
    jar, *wheels = shop.fetch(entry)
    unpack(jar, folder, _below(_bytedeco(entry)))
    dll = _one(folder, "python31*.dll")
    version = dll.stem.removeprefix("python3")
    for wheel in wheels:
        _overlay(wheel, folder)
    # platform asks Windows through it since 3.12, and goes another way without it; wine 8 ends the process instead
    # (propsys.dll.VariantToString is not implemented).
    (folder / "lib/_wmi.pyd").unlink(missing_ok=True)
    # Since 3.11 Python asks for Lib. The file system here tells the two apart; wine then has to read the whole
    # folder for each file that is looked up.
    library = "lib" if version == "10" else "Lib"
    if library == "Lib":
        (folder / "lib").rename(folder / library)
    return {
        "kind": "wine",
        "python": "python.exe",
        "include": ["include"],
        "pyconfig": "include/pyconfig.h",
        "library": dll.name,
    }


def _overlay(wheel: Path, folder: Path) -> None:
    """Put the binaries of python.org, which the wheel of panda3d carries for deploying, over those of the jar."""

    def rename(name: str) -> str | None:
        path = PurePosixPath(name)
        # wine has its own Universal C Runtime, and these would lead to it by a longer way.
        if path.parent.name != "deploy_libs" or path.name.startswith("api-ms-"):
            return None
        return path.name if path.name.startswith("python3") else f"lib/{path.name}"

    if not unpack(wheel, folder, rename):
        message = f"{wheel.name} holds no deploy_libs"
        raise ProvideError(message)


def _linux(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    if entry.emulator:
        shop.tools.need(qemu(entry.emulator))
    (jar,) = shop.fetch(entry)
    unpack(jar, folder, _below(_bytedeco(entry)))
    library = _one(folder, "libpython3.*.so.1.0")
    python = library.name.removeprefix("lib").removesuffix(".so.1.0")
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)
    # The extension modules look for libffi beside themselves, and the jar has it at the top.
    for ffi in folder.glob("libffi.so*"):
        shutil.copy2(ffi, folder / "lib" / python / "lib-dynload")
    manifest: dict[str, Any] = {
        "kind": "native",
        "python": f"bin/{python}",
        "include": [f"include/{python}"],
        "pyconfig": f"include/{python}/pyconfig.h",
        "library": library.name,
    }
    if entry.emulator:
        # The C library comes from Debian's folder, which is of the same architecture.
        manifest |= {"kind": "qemu", "emulator": entry.emulator, "sysroot_of": entry.requires[0]}
    return manifest


def _header_files(name: str) -> bool:
    # Headers, the library that a module is loaded beside, and the build's settings.
    file = PurePosixPath(name).name
    return ("include/python3." in name or file.startswith(("libpython3.", "_sysconfigdata_"))) and "ossl" not in name


def _headers(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    (archive,) = shop.fetch(entry)
    below = _below(_bytedeco(entry) if archive.suffix == ".jar" else "")
    unpack(archive, folder, lambda name: below(name) if _header_files(name) else None)
    pyconfig = _one(folder, "include/python3.*/pyconfig.h")
    include = pyconfig.parent.relative_to(folder)
    return {
        "kind": "headers",
        "version": _version_of(pyconfig.with_name("patchlevel.h")),
        "include": [str(include)],
        "pyconfig": str(include / "pyconfig.h"),
        "library": _relative_or_none(folder, "**/libpython3.[0-9]*.[ds]*"),
    }


def _version_of(patchlevel: Path) -> list[int]:
    words = [line.split() for line in patchlevel.read_text(encoding="utf-8").splitlines()]
    values = {line[1]: line[2] for line in words if line[:1] == ["#define"] and len(line) > 2}
    return [int(values[f"PY_{part}_VERSION"]) for part in ("MAJOR", "MINOR", "MICRO")]


# --- Pyodide and wine --------------------------------------------------------------------------------------------


def _pyodide(shop: Workshop, entry: Entry, folder: Path) -> dict[str, Any]:
    shop.tools.need(NODE)
    (archive,) = shop.fetch(entry)
    unpack(archive, folder, lambda name: None if name.endswith((".map", ".html")) else name)
    return {"kind": "pyodide", "python": "package"}


def _wine(shop: Workshop, _entry: Entry, folder: Path) -> dict[str, Any]:
    """Make a wine prefix that says it is Windows 10: CPython 3.12 refuses to run on what wine says by itself."""
    wine = shop.tools.need(WINE)
    prefix = folder / "prefix"
    environment = wine_environment(prefix)
    _wait(wine, environment, "wineboot", "--init")
    _wait(wine, environment, "reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f")
    # The registry is written when the server ends; the folder is renamed only after that.
    for server in (Path(wine).with_name("wineserver"), Path("/usr/lib/wine/wineserver64")):
        if server.exists():
            subprocess.run([str(server), "-w"], env=environment, check=False, timeout=_WINE_TIMEOUT)
            break
    return {"kind": "wine-prefix", "wine": wine_version(wine)}


def _wait(wine: str, environment: dict[str, str], *args: str) -> None:
    # Output goes to a file: wine's services keep what they were started with, and a pipe would stay open with them.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [wine, *args],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=_WINE_TIMEOUT,
            check=False,
        )
        if done.returncode:
            output.seek(0)
            message = f"wine {' '.join(args)}: exit code {done.returncode}\n{output.read().decode(errors='replace')}"
            raise ProvideError(message)


def wine_version(wine: str) -> str:
    """What this wine calls itself; a prefix is made anew for another one."""
    done = subprocess.run([wine, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip()


# --- Finding files -----------------------------------------------------------------------------------------------


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        message = f"expected one {pattern}, found {[str(path.relative_to(folder)) for path in found]}"
        raise ProvideError(message)
    return found[0]


def _relative_or_none(folder: Path, pattern: str) -> str | None:
    found = sorted(folder.glob(pattern))
    return str(found[0].relative_to(folder)) if found else None


_RECIPES: dict[str, Callable[[Workshop, Entry, Path], dict[str, Any]]] = {
    "debian": _debian,
    "headers": _headers,
    "linux": _linux,
    "musl": musl,
    "pyodide": _pyodide,
    "windows": _windows,
    "wine": _wine,
}
