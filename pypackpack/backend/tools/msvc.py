"""Microsoft's compiler and Windows SDK, for Windows targets, on Windows.

The folders are those of Visual Studio 2017 and later, as ``vswhere`` and ``vcvarsall.bat`` know them. What the latter would put
into the environment (INCLUDE, LIB) is given in words, so that nothing of the person's own environment gets in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools import coff
from pypackpack.backend.tools.driver import names, numbers, says
from pypackpack.backend.tools.toolchain import (
    DETAILS_SHOWN,
    RefusedError,
    UnknownOptionError,
    init_symbol,
    is_cplusplus,
    unknown_option,
    written,
)
from pypackpack.model.errors import FilesystemError, ToolError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.backend.tools.toolchain import ModuleJob, Toolchain
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

OLDEST: Final = (14, 29)
"""Visual Studio 2019 16.11 (its toolset is 14.29): the first with C11 and the Windows SDK for it."""

_HINT: Final = (
    "Install the Build Tools for Visual Studio (https://visualstudio.microsoft.com/downloads/) with the workload "
    '"Desktop development with C++", or set PYPACKPACK_MSVC to the folder of a Visual Studio.'
)
_MACHINES: Final = {"amd64": "x64", "arm64": "arm64", "x86": "x86"}
"""What Microsoft calls processors, by the target's name for them."""

_HOSTS: Final = {"amd64": "x64", "x86_64": "x64", "arm64": "arm64", "x86": "x86"}
_TOOLS: Final = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
_DEFAULT: Final = ("VC", "Auxiliary", "Build", "Microsoft.VCToolsVersion.default.txt")
_COMMON: Final = ("/nologo", "/std:c11", "/DNDEBUG", "/w", "/Gy", "/MD", "/fp:precise", "/Brepro", "/utf-8")
_ERROR: Final = re.compile(r"^(.*?)\(\d+(?:,\d+)?\)\s?: (?:fatal )?error C\d+:", re.MULTILINE)


@dataclass(frozen=True)
class MsvcAdapter:
    """How Microsoft's compiler is found and called (`toolchain.Adapter`)."""

    name: str = "msvc"
    title: str = "Microsoft's compiler"
    flags_version: str = "1"

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        return target.family == "windows"

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Look for Visual Studio: what a variable names, else what vswhere says; and the newest Windows SDK."""
        del program
        if around.system != "win32":
            hint = "Leave toolchain out: zig builds for Windows on every system."
            return FoundToolchain("msvc", missing="Microsoft's compiler runs on Windows only", hint=hint)
        named = around.variables.get("PYPACKPACK_MSVC") or around.variables.get("VSINSTALLDIR", "")
        try:
            studio = Path(named) if named else _from_vswhere(around)
            tools = filesystem.read_bytes(studio.joinpath(*_DEFAULT)).decode(errors="replace").strip()
        except ToolError as error:
            return FoundToolchain("msvc", missing=error.message, hint=_HINT)
        except FilesystemError:
            msg = f"{studio} is no Visual Studio with its C++ tools (it has no {'/'.join(_DEFAULT)})"
            return FoundToolchain("msvc", place=studio, missing=msg, hint=_HINT)
        if numbers(tools)[:2] < OLDEST:
            msg = f"the C++ tools in {studio} are {tools}, and {'.'.join(map(str, OLDEST))} are the oldest that work"
            return FoundToolchain("msvc", tools, studio, missing=msg, hint=_HINT)
        return _found(studio, tools, target, around)

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        del target  # each has a program of its own
        return (*_COMMON, *(("/O2",) if release else ("/Od", "/Z7")))

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with Microsoft's compiler."""
        del cache  # it keeps nothing
        return Msvc(self, found)


@dataclass(frozen=True)
class Msvc:
    """Microsoft's compiler at work (`toolchain.Toolchain`)."""

    adapter: MsvcAdapter
    found: FoundToolchain

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        objects = [*self._objects(job, scratch), *written(job.objects, scratch)]
        what = f"linking {job.path} for {job.target.name}"
        library = self._python_library(job, objects, scratch, what)
        out, words = f"module{job.suffix}", ["/nologo", "/DLL", "/Brepro", "/INCREMENTAL:NO", "/OPT:REF", "/OPT:ICF"]
        words += [f"/EXPORT:{init_symbol(job.name)}", f"/OUT:{out}", "/IMPLIB:module-own.lib", *names(objects), library]
        words += [f"/LIBPATH:{folder}" for role, folder in self.found.folders.items() if role.startswith("lib ")]
        if not job.release:
            words.append("/DEBUG:NONE")  # the name of a .pdb would be this machine's; what /Z7 wrote stays in the objects
        self._run("link", [*words, *(f"{name}.lib" for name in job.libraries)], scratch, what)
        return coff.without_identity(filesystem.read_bytes(self._made(scratch / out, what)))

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.ObjectToolchain`)."""
        (made,) = self._objects(job, scratch.resolve())
        return filesystem.read_bytes(made)

    def _objects(self, job: ModuleJob, scratch: Path) -> list[Path]:
        for name, data in job.files.items():
            filesystem.write_scratch(scratch / name, data)
        return [self._compile(job, source, number, scratch) for number, source in enumerate(job.sources)]

    def _compile(self, job: ModuleJob, source: str, number: int, scratch: Path) -> Path:
        made = scratch / ("module.obj" if number == 0 else f"module-{number}.obj")
        words = list(self.adapter.flags(job.target, release=job.release))
        if is_cplusplus(source):
            words = [word.replace("/std:c11", "/std:c++17") for word in words] + ["/EHsc"]
        words += [f"/D{name}={value}" if value else f"/D{name}" for name, value in job.macros]
        words += [f"/I{folder}" for folder in job.folders]
        words += [f"/I{folder.resolve()}" for folder in job.headers]
        words += [f"/I{folder}" for role, folder in self.found.folders.items() if role.startswith("include ")]
        words += [f"/d1trimfile:{scratch}\\", *job.options]
        what = f"compiling {source}"
        said = self._run("cl", [*words, "/c", source, f"/Fo{made.name}"], scratch, what, job)
        if job.own and (word := unknown_option(said, job.options)):
            raise UnknownOptionError(word, said[-DETAILS_SHOWN:])  # it would go on without
        return self._made(made, what)

    def _python_library(self, job: ModuleJob, objects: Sequence[Path], scratch: Path, what: str) -> str:
        """Write the import library of what the objects miss of Python; no Python of Windows is needed."""
        missing = tuple(sorted({name for each in objects for name in coff.undefined_symbols(filesystem.read_bytes(each))}))
        imports = coff.python_imports(missing, underscore=job.target.arch == "x86")
        dll = "python3" if job.limited else f"python{job.python[0]}{job.python[1]}"
        text = "\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *(f"    {name}" for name in imports)])
        filesystem.write_scratch(scratch / f"{dll}.def", f"{text}\n".encode())
        machine = _MACHINES[job.target.arch].upper()
        self._run("lib", ["/nologo", f"/DEF:{dll}.def", f"/MACHINE:{machine}", f"/OUT:{dll}.lib"], scratch, what)
        return f"{dll}.lib"

    def _run(self, role: str, words: Sequence[str], cwd: Path, what: str, job: ModuleJob | None = None) -> str:
        program = self.found.programs[role]
        # VSLANG 1033: errors in English, whose form is known.
        done = process.run([program, *words], cwd=cwd, env=process.compiler_environment({"VSLANG": "1033"}))
        text = (done.stdout + done.stderr).strip()
        if done.code != 0:
            first = _ERROR.search(text)
            if job is not None and job.own and first is None and (word := unknown_option(text, job.options)):
                raise UnknownOptionError(word, text[-DETAILS_SHOWN:])
            kind = RefusedError if first is not None and job is not None and first[1] in job.authored else ToolError
            msg = f"{what} failed (MSVC {self.found.version}, {done.how})"
            raise kind(msg, details=text[-DETAILS_SHOWN:])
        return text

    def _made(self, place: Path, what: str) -> Path:
        if place.is_symlink() or not place.is_file():
            msg = f"{what}: MSVC {self.found.version} ended well and left no file {place.name}"
            raise ToolError(msg, hint="It is damaged, or something removed the file; run the same command again.")
        return place


def _from_vswhere(around: Surroundings) -> Path:
    """Ask Microsoft's own finder for the newest Visual Studio that has C++ tools.

    Raises:
        ToolError: It is not there, or knows of none.
    """
    place = _programs(around) / "Microsoft Visual Studio" / "Installer" / "vswhere.exe"
    if not place.is_file():
        msg = "no Visual Studio found"
        raise ToolError(msg)
    words = ("-latest", "-products", "*", "-requires", _TOOLS, "-property", "installationPath", "-utf8", "-nologo")
    try:
        return Path(says(place, *words))
    except ToolError as error:
        msg = "no Visual Studio with C++ tools found"
        raise ToolError(msg) from error


def _found(studio: Path, tools: str, target: Target, around: Surroundings) -> FoundToolchain:
    machine = _MACHINES[target.arch]
    base = studio / "VC" / "Tools" / "MSVC" / tools
    programs_folder = base / "bin" / f"Host{_HOSTS.get(around.machine, 'x64')}" / machine
    programs = {name: programs_folder / f"{name}.exe" for name in ("cl", "link", "lib")}
    lost = [str(program) for program in programs.values() if not program.is_file()]
    if lost:
        msg = f"the C++ tools {tools} in {studio} cannot build for {target.name}: there is no {lost[0]}"
        return FoundToolchain("msvc", tools, studio, missing=msg, hint=_HINT)
    named = around.variables.get("WINDOWSSDKDIR")
    kit = Path(named) if named else _programs(around) / "Windows Kits" / "10"
    both = {each.name for each in _folders(kit / "Lib") if (each / "ucrt").is_dir()}
    versions = [each.name for each in _folders(kit / "Include") if each.name in both and (each / "ucrt").is_dir()]
    if not versions:
        msg = f"there is no Windows SDK in {kit}"
        return FoundToolchain("msvc", tools, studio, missing=msg, hint=_HINT)
    sdk = max(versions, key=numbers)
    folders = {
        "include VC": base / "include",
        **{f"include {part}": kit / "Include" / sdk / part for part in ("ucrt", "shared", "um")},
        "lib VC": base / "lib" / machine,
        **{f"lib {part}": kit / "Lib" / sdk / part / machine for part in ("ucrt", "um")},
    }
    identity = (("MSVC", tools), ("MSVC for", machine), ("Windows SDK", sdk))
    return FoundToolchain("msvc", tools, studio, identity, programs=programs, folders=folders)


def _programs(around: Surroundings) -> Path:
    """Return where 32-bit programs lie, among them Microsoft's own; Python has names of variables in upper case there."""
    return Path(around.variables.get("PROGRAMFILES(X86)") or r"C:\Program Files (x86)")


def _folders(place: Path) -> list[Path]:
    try:
        return [each for each in place.iterdir() if each.is_dir()]
    except OSError:
        return []


ADAPTER: Final = MsvcAdapter()
