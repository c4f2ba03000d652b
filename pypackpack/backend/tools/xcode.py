"""Xcode, or its command line tools: Apple's clang and SDKs, for macOS and iOS, on a Mac.

Apple's licence binds its SDKs to Apple's machines, so there is no other host. Everything is asked from ``xcrun`` (see xcrun(1)).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.host import find_program
from pypackpack.backend.tools.driver import COMMON, DEBUG, RELEASE, Driver, names, numbers, says, version_in
from pypackpack.backend.tools.toolchain import written
from pypackpack.model.errors import ToolError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from pypackpack.backend.tools.toolchain import ModuleJob, Toolchain
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

OLDEST: Final = 12
"""Apple's clang 12 (Xcode 12) is the first that makes code for Apple silicon."""

_HINT: Final = "Install Xcode from the App Store, or for macOS alone its tools: xcode-select --install."


@dataclass(frozen=True)
class XcodeAdapter:
    """How Xcode is found and called (`toolchain.Adapter`)."""

    name: str = "xcode"
    title: str = "Xcode"
    flags_version: str = "1"

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        return target.family in {"macos", "ios"} and bool(target.triple)

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Ask xcrun for clang and the target's SDK; ``PYPACKPACK_XCODE`` or ``DEVELOPER_DIR`` names the Xcode."""
        del program  # its clang is no other than its own
        if around.system != "darwin":
            msg = "Apple allows its SDK on a Mac only"
            return FoundToolchain("xcode", missing=msg, hint="Build it on a Mac; all other targets can be built here.")
        folder = around.variables.get("PYPACKPACK_XCODE") or around.variables.get("DEVELOPER_DIR", "")
        if folder and not Path(folder).is_dir():
            msg = f"PYPACKPACK_XCODE or DEVELOPER_DIR names {folder}, which is no folder"
            return FoundToolchain("xcode", missing=msg, hint=_HINT)
        xcrun = find_program(["xcrun"])
        if xcrun is None:
            return FoundToolchain("xcode", missing="there is no xcrun", hint=_HINT)
        env = {"DEVELOPER_DIR": folder} if folder else {}
        try:
            return _asked(xcrun, _sdk(target), env)
        except ToolError as error:
            return FoundToolchain("xcode", missing=error.message, hint=_HINT)

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        words = [*_platform(target), *COMMON, *(RELEASE if release else DEBUG)]
        if not release:
            words.append("-g0")  # it would stay in the objects; the module would only name them, with this machine's paths
        return tuple(words)

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with Xcode."""
        del cache  # it keeps nothing
        driver = Driver(f"Apple clang {found.version}", found.programs["cc"], found.programs["c++"], {})
        return Xcode(self, driver, found.folders["sysroot"])


@dataclass(frozen=True)
class Xcode:
    """Xcode at work (`toolchain.Toolchain`)."""

    adapter: XcodeAdapter
    driver: Driver
    sysroot: Path

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        root = ["-isysroot", str(self.sysroot)]
        objects = [*self._compile(job, scratch), *written(job.objects, scratch)]
        out, what = f"module{job.suffix}", f"linking {job.path} for {job.target.name}"
        words: list[str | Path] = [self.driver.linker(job), *_platform(job.target), *root]
        if job.target.family == "ios":
            # As CPython's own for iOS: what an app carries has to be a dynamic library in a framework (PEP 730).
            name = f"@rpath/{job.path.rpartition('/')[2]}{job.suffix}"
            words += ["-dynamiclib", f"-Wl,-install_name,{name}"]
        else:
            words.append("-bundle")
        words += ["-Wl,-undefined,dynamic_lookup", "-Wl,-dead_strip", *(["-Wl,-S", "-Wl,-x"] if job.release else [])]
        self.driver.run([*words, *names(objects), "-o", out, *job.link_options], scratch, what)
        return filesystem.read_bytes(self.driver.made(scratch / out, what))

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.ObjectToolchain`)."""
        (made,) = self._compile(job, scratch.resolve())
        return filesystem.read_bytes(made)

    def _compile(self, job: ModuleJob, scratch: Path) -> list[Path]:
        flags = self.adapter.flags(job.target, release=job.release)
        return self.driver.compile(job, scratch, flags, ["-isysroot", str(self.sysroot)])


def _sdk(target: Target) -> str:
    """Return what xcrun calls the SDK of a target."""
    if target.family == "macos":
        return "macosx"
    return "iphonesimulator" if target.triple.endswith("-simulator") else "iphoneos"


def _platform(target: Target) -> list[str]:
    """Return the words that say which platform, processor and oldest system are meant."""
    if target.family == "macos":
        return ["-arch", target.arch, f"-mmacosx-version-min={target.version}"]
    return ["-target", target.triple]


def _asked(xcrun: Path, sdk: str, env: dict[str, str]) -> FoundToolchain:
    clang = Path(says(xcrun, "--sdk", sdk, "--find", "clang", env=env))
    root = Path(says(xcrun, "--sdk", sdk, "--show-sdk-path", env=env))
    line = says(clang, "--version", env=env).splitlines()[0]
    version = version_in(line)
    if numbers(version) < (OLDEST,):
        msg = f"{clang} is {line}, and Apple's clang {OLDEST} is the oldest that works"
        return FoundToolchain("xcode", version, clang, missing=msg, hint=_HINT)
    identity = (
        ("Apple's clang", line),
        ("SDK", f"{sdk} {says(xcrun, '--sdk', sdk, '--show-sdk-version', env=env)}"),
        ("build of the SDK", says(xcrun, "--sdk", sdk, "--show-sdk-build-version", env=env)),
    )
    programs = {"cc": clang, "c++": clang.with_name("clang++")}
    return FoundToolchain("xcode", version, clang, identity, programs=programs, folders={"sysroot": root})


ADAPTER: Final = XcodeAdapter()
