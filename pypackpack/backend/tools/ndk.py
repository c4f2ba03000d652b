"""Android's NDK: clang, lld and the headers of bionic, for the Android targets.

What its own documentation says of its place and of its command line: "Use the NDK with other build systems". What modules need
besides is PEP 738's: they name ``libpython3.Y.so``, since Android looks symbols up only in libraries that a library names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.tools import elf
from pypackpack.backend.tools.android import LINK, STUB, python_library, stub_source
from pypackpack.backend.tools.driver import COMMON, DEBUG, RELEASE, STATIC_CPLUSPLUS, Driver, names, numbers
from pypackpack.backend.tools.toolchain import written
from pypackpack.model.errors import FilesystemError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypackpack.backend.tools.toolchain import ModuleJob, Toolchain
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

OLDEST: Final = 25
"""r25 is the first with clang 14 and without the GNU linker; older ones were never looked at."""

VARIABLES: Final = ("PYPACKPACK_NDK", "ANDROID_NDK_HOME", "ANDROID_NDK_ROOT")
"""What names the NDK's folder, the first one first: ours, and those that Android's tools and their users know."""

SDK_VARIABLES: Final = ("ANDROID_HOME", "ANDROID_SDK_ROOT")
SDK_PLACES: Final = {
    "linux": ("Android/Sdk",),
    "darwin": ("Library/Android/sdk",),
    "win32": ("AppData/Local/Android/Sdk",),
}
"""Where Android Studio puts the SDK, below the person's folder."""

_HINT: Final = (
    'Get it with Android Studio (SDK Manager, SDK Tools, NDK), by `sdkmanager --install "ndk;27.1.12297006"`, or from '
    "https://developer.android.com/ndk/downloads, and name its folder by ANDROID_NDK_HOME. Without C of your own, "
    'toolchain = "zig" builds it too.'
)
_HOSTS: Final = {"linux": "linux-x86_64", "darwin": "darwin-x86_64", "win32": "windows-x86_64"}
"""The folder of an NDK's programs, by `sys.platform`; that of macOS has both processors in it."""

_PROCESSORS: Final = {"linux": ("x86_64", "amd64"), "darwin": ("x86_64", "arm64"), "win32": ("amd64", "x86_64", "arm64")}


@dataclass(frozen=True)
class NdkAdapter:
    """How the NDK is found and called (`toolchain.Adapter`)."""

    name: str = "ndk"
    title: str = "the Android NDK"
    flags_version: str = "1"

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        return target.family == "android"

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Look for the NDK: what a variable names, which has to be one; else the newest in the SDK's folders."""
        del program  # its clang is no other than its own
        for variable in VARIABLES:
            if named := around.variables.get(variable):
                folder = Path(named)
                if not _revision(folder):
                    msg = f"{variable} names {named}, which is no NDK (it has no source.properties that says a Pkg.Revision)"
                    return FoundToolchain("ndk", place=folder, missing=msg, hint=_HINT)
                return _found(folder, target, around)
        installed = [folder for folder in _in_sdks(around) if _revision(folder)]
        if not installed:
            return FoundToolchain("ndk", missing="no Android NDK found", hint=_HINT)
        return _found(max(installed, key=lambda folder: numbers(_revision(folder))), target, around)

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        words = [f"--target={target.triple}", *COMMON, *(RELEASE if release else DEBUG), "-fPIC", "-fno-ident"]
        # As CPython does: a page has 4 or 16 KB, so no constant is right.
        return (*words, "-D__BIONIC_NO_PAGE_SIZE_MACRO")

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with the NDK."""
        del cache  # it keeps nothing
        driver = Driver(f"NDK {found.version}", found.programs["cc"], found.programs["c++"], {})
        return Ndk(self, driver, found.folders["sysroot"])


@dataclass(frozen=True)
class Ndk:
    """The NDK at work (`toolchain.Toolchain`)."""

    adapter: NdkAdapter
    driver: Driver
    sysroot: Path

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        driver, sysroot = self.driver, f"--sysroot={self.sysroot}"
        objects = [*self._compile(job, scratch), *written(job.objects, scratch)]
        what = f"linking {job.path} for {job.target.name}"
        missing = elf.undefined_symbols(*map(filesystem.read_bytes, objects))
        library = python_library(job)
        filesystem.write_scratch(scratch / STUB, stub_source(missing).encode())
        triple = f"--target={job.target.triple}"
        words: list[str | Path] = [driver.cc, triple, sysroot, "-shared", "-nostdlib", "-fPIC", STUB, f"-Wl,-soname,{library}"]
        driver.run([*words, "-o", library], scratch, what)
        linker = driver.linker(job)
        words = [linker, triple, sysroot, "-shared", *(f"-Wl,{word}" for word in LINK), "-Wl,--no-undefined"]
        words += [*(["-Wl,-s"] if job.release else []), *(STATIC_CPLUSPLUS if linker == driver.cxx else ())]
        out = f"module{job.suffix}"
        driver.run([*words, *names(objects), library, "-lm", "-o", out, *job.link_options], scratch, what)
        return filesystem.read_bytes(driver.made(scratch / out, what))

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.ObjectToolchain`)."""
        (made,) = self._compile(job, scratch.resolve())
        return filesystem.read_bytes(made)

    def _compile(self, job: ModuleJob, scratch: Path) -> list[Path]:
        hidden = [f"--sysroot={self.sysroot}", f"-ffile-prefix-map={self.sysroot.parent}=ndk"]
        return self.driver.compile(job, scratch, self.adapter.flags(job.target, release=job.release), hidden)


def _in_sdks(around: Surroundings) -> Iterator[Path]:
    """Yield the folders that may be NDKs, in every SDK that may be there."""
    homes = [Path(named) for named in map(around.variables.get, SDK_VARIABLES) if named]
    homes += [around.home / place for place in SDK_PLACES.get(around.system, ())]
    for home in homes:
        yield home / "ndk-bundle"
        try:
            yield from sorted((home / "ndk").iterdir())
        except OSError:
            continue


def _revision(folder: Path) -> str:
    """Return the exact version of an NDK (``27.1.12297006``) as its ``source.properties`` says it; empty when it is none."""
    try:
        text = filesystem.read_bytes(folder / "source.properties").decode(errors="replace")
    except FilesystemError:
        return ""
    said = dict(line.partition("=")[::2] for line in text.splitlines())
    return {key.strip(): value.strip() for key, value in said.items()}.get("Pkg.Revision", "")


def _found(folder: Path, target: Target, around: Surroundings) -> FoundToolchain:
    version = _revision(folder)
    problem = _problem(folder, version, target, around)
    if problem:
        return FoundToolchain("ndk", version, folder, missing=problem, hint=_HINT)
    host = folder / "toolchains" / "llvm" / "prebuilt" / _HOSTS[around.system]
    end = ".exe" if around.system == "win32" else ""
    programs = {"cc": host / "bin" / f"clang{end}", "c++": host / "bin" / f"clang++{end}"}
    if not all(program.is_file() for program in programs.values()) or not (host / "sysroot").is_dir():
        msg = f"the NDK {version} in {folder} has no clang or no sysroot in {host}"
        return FoundToolchain("ndk", version, folder, missing=msg, hint=f"It is not whole. {_HINT}")
    return FoundToolchain("ndk", version, folder, (("NDK", version),), programs=programs, folders={"sysroot": host / "sysroot"})


def _problem(folder: Path, version: str, target: Target, around: Surroundings) -> str:
    """Return why an NDK does not do for a target on a machine; empty when it does."""
    if around.machine not in _PROCESSORS.get(around.system, ()):
        return f"there is no NDK for {around.system} on {around.machine}"
    if not numbers(version) or numbers(version)[0] < OLDEST:
        return f"the NDK in {folder} is {version}, and {OLDEST} is the oldest that works"
    level = int(target.version)
    try:
        known = json.loads(filesystem.read_bytes(folder / "meta" / "platforms.json"))
        low, high = int(known["min"]), int(known["max"])
    except (FilesystemError, ValueError, KeyError, TypeError, RecursionError):
        return f"the NDK {version} in {folder} has no meta/platforms.json that says which API levels it has"
    if not low <= level <= high:
        return f"the NDK {version} in {folder} has the API levels {low} to {high}, and {target.name} is of {level}"
    return ""


ADAPTER: Final = NdkAdapter()
