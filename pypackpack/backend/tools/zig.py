"""zig as the C compiler and linker of every desktop and wasm target.

zig is one program that holds clang, lld and the C libraries' headers and sources of all its targets. It comes as a
wheel from the package index when first needed, pinned by hash, into the user's cache.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools import coff, elf, headers, pinned, windows_runtime, zig_android, zig_wasm
from pypackpack.backend.tools.android import LINK
from pypackpack.backend.tools.toolchain import (
    DETAILS_SHOWN,
    RefusedError,
    UnknownOptionError,
    dialect,
    init_symbol,
    is_cplusplus,
    prerequisites,
    unknown_option,
    written,
)
from pypackpack.model.compiler_options import for_language
from pypackpack.model.errors import ToolError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

    from pypackpack.backend.tools.toolchain import ModuleJob
    from pypackpack.model.build import Watcher
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

AFTERWARDS = "4"
"""Part of every key: raised when what is done to a linked file changes (`elf.without_needed`, `coff.without_identity`).

The words of its calls are in the key themselves (`key_flags`).
"""

_COMMON = (
    "-std=c11",
    # zig switches the undefined behaviour sanitizer on in unoptimised code: four times the compile time.
    "-fno-sanitize=undefined",
    # As CPython itself is built: signed overflow wraps.
    "-fwrapv",
    # a*b+c must give on arm64 what it gives on x86-64, and in the interpreter.
    "-ffp-contract=off",
    # Asserts of Python's headers would put the headers' path into the binary.
    "-DNDEBUG",
    # zig protects the stack in unoptimised code, with helpers of a runtime that a module does not bring.
    "-fno-stack-protector",
    # Warnings about generated C are nobody's business.
    "-w",
    # Functions that nobody calls are dropped by the linker.
    "-ffunction-sections",
    "-fdata-sections",
)
_RELEASE = ("-O2", "-g0")
_DEBUG = ("-O0", "-g")

_HELPER = re.compile(
    r"__(aarch64_|atomic_|sync_|_?chkstk|(u?(div|mod|divmod)|mul|mulo|addv|subv|mulv|negv|ash[lr]|lshr|u?cmp|neg|fix(uns)?|float(un)?|"
    r"extend|trunc|add|sub|div|powi|clz|ctz|ffs|parity|popcount|bswap|eq|ne|lt|le|gt|ge|unord)[sdtxh][ifc])"
)
"""Names of functions of compiler-rt and libgcc (GCC Internals, "The GCC low-level runtime library")."""

_ERROR_AT = re.compile(r"^(.*?):\d+:\d+: (?:fatal )?error: ", re.MULTILINE)
_ENTRY_HEADER = "pypackpack_entry.h"
_READ = "read.d"
"""Where the compiler writes which files it read."""

_DLLTOOL_MACHINES = {"amd64": "i386:x86-64", "arm64": "arm64", "x86": "i386"}


@cache
def pinned_version() -> str:
    """Return the version of zig that every build uses."""
    return pinned.pin("ziglang").version


def ensure(cache: Path, *, offline: bool, watcher: Watcher, vendor: Path | None = None) -> Zig:
    """Return zig, from ``vendor`` if its wheel lies there, else from the package index, if it is not in the cache yet.

    Raises:
        MissingToolError: It is not there and we are offline, or this host has no wheel of it.
    """
    folder = pinned.ensure_tool("ziglang", offline=offline, watcher=watcher, vendor=vendor)
    return Zig(folder, cache / "zig-v1" / pinned_version(), version=pinned_version())


@dataclass(frozen=True)
class CompileFlags:
    """What decides the object besides the source: part of its key."""

    words: tuple[str, ...]


_LINK = (
    # zig builds the C runtime that it links with by the options of the link: optimised and without the sanitizer's own
    # runtime takes half the time (Windows: 60 s instead of 128 s of one core, once per target).
    "-O2",
    "-fno-sanitize=undefined",
)


def compile_flags(target: Target, *, release: bool) -> CompileFlags:
    """Return the words that a compile for a target has, without paths."""
    words = ["-target", target.triple, *_COMMON, *(_RELEASE if release else _DEBUG)]
    if target.object_format != "coff":
        words.append("-fPIC")
    if target.object_format == "wasm":
        words[1:2] = [zig_wasm.TRIPLE, f"-mcpu={zig_wasm.CPU}"]
    if target.family == "android":
        # Atomic operations in the code, not by functions of a runtime that a module does not bring.
        words[1:2] = [zig_android.triple(target), *(["-mno-outline-atomics"] if target.arch == "arm64" else [])]
    if target.object_format == "macho" and not release:
        # Debug information would stay in the objects; the module would only name them, with this machine's paths.
        words.append("-g0")
    if target.object_format == "coff" and not release:
        # zig asks clang for CodeView, which names the command line and the object with this machine's paths.
        words += ["-gdwarf", "-gno-codeview-command-line", "-Xclang", "-object-file-name=module.o"]
    return CompileFlags(tuple(words))


def link_flags(target: Target, *, release: bool, own: bool, cplusplus: bool, crt: bool = True, name: str = "module") -> list[str]:
    """Return the words of a link, without those that the objects decide, and without names of files.

    Args:
        target: For what.
        release: Stripped.
        own: Whether a person wrote the sources.
        cplusplus: Whether some of them are C++.
        crt: On Windows: whether the functions of the C runtime come from the system's, and not from MinGW's own.
        name: The module's name, its last part.
    """
    strip = "-fstrip" if release else "-fno-strip"
    library = ["build-lib", "-dynamic", "-target", target.triple]
    symbol = init_symbol(name)
    if target.object_format == "macho":
        # "-bundle" crashes this zig. A dylib names itself in ID_DYLIB, by default with the path that it is written to.
        words = [*library, "-lc", "-fno-compiler-rt", "-fallow-shlib-undefined", "-dead_strip", "-OReleaseFast", strip]
        return [*words, *(["-lc++"] if cplusplus else [])]
    if target.object_format == "wasm":
        words = ["wasm-ld", "-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic", "--gc-sections"]
        # What a person's C does not define, the module has not, on all platforms alike; that is found when it is done.
        return [*words, f"--export{'-if-defined' * own}={symbol}", *(["--strip-all"] if release else [])]
    if target.object_format == "coff" and crt:
        return [*library, "-fno-entry", strip, "-OReleaseFast"]
    if target.object_format == "coff":
        words = ["c++" if cplusplus else "cc", "-target", target.triple, *_LINK, "-shared", "-Wl,--gc-sections"]
        return [*words, *(["-s"] if release else [])]
    words = [*library, "-fallow-shlib-undefined", "--gc-sections", "-fno-soname", "-OReleaseFast", strip]
    if own:
        words += ["--version-script", _SCRIPT, "--undefined-version"]
    if cplusplus:
        words.append("-lc++")
    if "-musl" not in target.triple:
        # Against the C library's stubs, so that each function is bound to the version of the target's floor.
        words.append("-lc")
    return words


@cache
def key_flags(target: Target, *, release: bool) -> tuple[str, ...]:
    """Return all words that decide a module besides its sources: those of a compile, and the digest of those of every link.

    What goes with a file as its text (a version script, what hides a C++ source) counts as a word.
    """
    both = (False, True)
    links: list[list[str]] = [
        link_flags(target, release=release, own=own, cplusplus=cplusplus, crt=crt)
        for own in both
        for cplusplus in both
        for crt in both
    ]
    compiled = compile_flags(target, release=release).words
    dialects = [dialect(compiled, f"x{end}", own=own) for end in (".c", ".cpp") for own in both]
    if target.object_format == "wasm":
        dialects.append(zig_wasm.cplusplus(compiled))
    if target.family == "android":
        dialects.append([*LINK, *zig_android.headers(target)])
    texts = [_entry_line("x"), version_script("x"), *_HIDING, _HELPER.pattern]
    whole = filesystem.sha256_bytes(json.dumps([links, dialects, texts]))
    return (*compiled, f"and {whole[:16]}")


_HIDING = ("-fvisibility=hidden", "-fvisibility-inlines-hidden", "-include")
_SCRIPT = "module.map"


def _entry_line(symbol: str) -> str:
    """Return the declaration of a module's function, as the only one that is seen outside."""
    return f'struct _object; extern "C" __attribute__((visibility("default"))) struct _object *{symbol}(void);\n'


def version_script(symbol: str) -> str:
    """Return the version script (GNU ld, "VERSION") by which a module shows nothing but its function."""
    return f"{{ global: {symbol}; local: *; }};\n"


class Zig:
    """The installed zig."""

    def __init__(self, folder: Path, cache: Path, *, version: str) -> None:
        """Take a folder into which the wheel ``ziglang`` was installed.

        Args:
            folder: Where the wheel's content lies.
            cache: zig's own global cache: the C runtimes that it builds once per target.
            version: The pinned version, for messages.
        """
        self.version = version
        folder = folder.resolve()  # zig names its own files so, and these names are to be taken out of what it writes
        self.program = folder / "ziglang" / ("zig.exe" if sys.platform == "win32" else "zig")
        self.library = folder / "ziglang" / "lib"
        self.cache = cache

    def _run(self, words: Sequence[str | Path], cwd: Path, what: str, authored: Container[str] = ()) -> None:
        """Run zig in a scratch folder; ``authored`` are the files whose errors are their author's and not zig's."""
        env = process.compiler_environment(
            {
                "ZIG_GLOBAL_CACHE_DIR": str(self.cache),
                # zig keeps what it compiled in the local cache; our store keeps it already, so it goes with the scratch.
                "ZIG_LOCAL_CACHE_DIR": str(cwd / ".zig"),
                "SOURCE_DATE_EPOCH": "0",
            }
        )
        done = process.run([self.program, *words], cwd=cwd, env=env)
        if done.code != 0:
            text = done.stderr.strip() or done.stdout.strip()
            msg = f"{what} failed (zig {self.version}, {done.how})"
            # clang's errors stand behind a file's name and place. If the first is in a source, the source is refused; in a
            # header, or without a place, it is trouble of the tools.
            first = _ERROR_AT.search(text)
            kind = RefusedError if first is not None and first[1] in authored else ToolError
            raise kind(msg, details=text[-DETAILS_SHOWN:])

    def _run_own(self, words: Sequence[str | Path], scratch: Path, what: str, options: Sequence[str] = ()) -> None:
        """Run zig on what a person wrote: whatever it has against a source, or misses in it, is the source's.

        Raises:
            RefusedError: There is an error in a source or in a header, or a symbol that is nowhere defined.
            UnknownOptionError: It does not know one of the options.
            ToolError: It failed otherwise.
        """
        try:
            self._run(words, scratch, what)
        except ToolError as error:
            if _ERROR_AT.search(error.details) or "undefined symbol" in error.details or "duplicate symbol" in error.details:
                raise RefusedError(error.message, details=error.details) from error
            # Of -msse4.2 zig says that there is no feature "sse4.2".
            features = (each for each in options if f'"{each.removeprefix("-m").removeprefix("no-")}"' in error.details)
            if word := unknown_option(error.details, options) or next(features, ""):
                raise UnknownOptionError(word, error.details) from error
            raise

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        made = [*self._compile(job, scratch), *written(job.objects, scratch)]
        out = f"module{job.suffix}"
        link = {"elf": self._link_elf, "macho": self._link_macho, "coff": self._link_coff, "wasm": self._link_wasm}
        link[job.target.object_format](job, made, out, scratch)
        self._check_made(scratch / out, f"linking {job.path} for {job.target.name}")
        data = filesystem.read_bytes(scratch / out)
        return coff.without_identity(data) if job.target.object_format == "coff" else data

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        (made,) = self._compile(job, scratch)
        return filesystem.read_bytes(made)

    def _compile(self, job: ModuleJob, scratch: Path) -> list[Path]:
        """Write the files of a module, compile its sources, and return the objects."""
        for name, data in job.files.items():
            filesystem.write_scratch(scratch / name, data)
        flags = compile_flags(job.target, release=job.release).words
        hidden = [f"-ffile-prefix-map={scratch}=.", f"-ffile-prefix-map={self.library}=zig"]
        given = [folder.resolve() for folder in job.headers]
        hidden += [f"-ffile-prefix-map={folder}=include" for folder in given]
        own, further = [f"-I{folder}" for folder in job.folders], [f"-I{folder}" for folder in given]
        is_wasm = job.target.object_format == "wasm"
        if is_wasm:
            hidden.append("-nostdlibinc")
            further += zig_wasm.c_headers(self.library)
        if job.target.family == "android":
            hidden.append("-nostdlibinc")
            further += [f"-isystem{self.library / 'libc' / 'include' / name}" for name in zig_android.headers(job.target)]
        macros = [f"-D{name}={value}" if value else f"-D{name}" for name, value in job.macros]
        objects = []
        for number, source in enumerate(job.sources):
            made = scratch / ("module.o" if number == 0 else f"module-{number}.o")
            words = ["c++" if is_cplusplus(source) else "cc", *dialect(flags, source, own=job.own)]
            between = zig_wasm.headers(self.library) if is_wasm and is_cplusplus(source) else []
            if between:
                words = zig_wasm.cplusplus(words)
            words += [*hidden, *macros, *own, *between, *further]
            words += [*self._entry(job, source, scratch), "-c", source, "-o", made.name]
            if job.own:
                options = for_language(job.options, cplusplus=is_cplusplus(source))
                self._run_own([*words, *options, "-MD", "-MF", _READ], scratch, f"compiling {source}", options)
                self._check_read(source, scratch, given)
            else:
                self._run([*words, *job.options], scratch, f"compiling {source}", job.authored)
            self._check_made(made, f"compiling {source}")
            objects.append(made)
        for name, data in job.files.items():  # no other tool of the build may have written here meanwhile
            if filesystem.read_bytes(scratch / name) != data:
                msg = f"{name} was changed by something else while it was compiled for {job.target.name}"
                raise ToolError(
                    msg, hint="Run the same command again; a tool that writes outside of its folder is not to be used."
                )
        return objects

    def _check_read(self, source: str, scratch: Path, headers: Sequence[Path]) -> None:
        """Look whether the compiler read nothing but what is in the key: a macro may name any file of this machine.

        Raises:
            RefusedError: It did.
        """
        known = [os.path.join(os.path.normcase(folder), "") for folder in (scratch, self.library, *headers)]  # noqa: PTH118 - with its slash
        for name in prerequisites(filesystem.read_bytes(scratch / _READ).decode(errors="replace")):
            path = os.path.normcase(os.path.normpath(scratch / name))
            if not path.startswith(tuple(known)):
                msg = f"{source} includes {name}, which lies out of the package"
                raise RefusedError(msg, hint="Put the file into the package, and include it by a relative path.")

    def _entry(self, job: ModuleJob, source: str, scratch: Path) -> list[str]:
        """Return the words by which a C++ source hides all but the module's entry point.

        A module has its C++ library in itself. On macOS weak symbols that two libraries show become one, and another module's
        library, or the system's, may be of another version.
        """
        if not job.own or not is_cplusplus(source) or job.target.object_format == "coff":
            return []
        filesystem.write_scratch(scratch / _ENTRY_HEADER, _entry_line(init_symbol(job.name)).encode())
        return [*_HIDING, _ENTRY_HEADER]

    def _check_made(self, place: Path, what: str) -> None:
        """Look whether zig made a file; a link is none, for it may lead anywhere.

        Raises:
            ToolError: It did not.
        """
        if place.is_symlink() or not place.is_file():
            msg = f"{what}: zig {self.version} ended well and left no file {place.name}"
            raise ToolError(msg, hint="It is damaged, or something removed the file; run the same command again.")

    def _link_elf(self, job: ModuleJob, made: Sequence[Path], out: str, scratch: Path) -> None:
        missing = elf.undefined_symbols(*map(filesystem.read_bytes, made))
        if job.target.family == "android":
            what = f"linking {job.path} for {job.target.name}"
            zig_android.link(job, _names(made), missing, out, scratch, lambda words: self._run(words, scratch, what))
            return
        words = [*_link(job), *_helpers(missing)]
        if job.own:
            filesystem.write_scratch(scratch / _SCRIPT, version_script(init_symbol(job.name)).encode())
        # On musl the module names no C library: zig would write NEEDED libc.so, which auditwheel takes for glibc's, and the C
        # library is in the process before any extension module is. Its C++ library brings the C library's name back.
        self._run([*words, *_names(made), f"-femit-bin={out}"], scratch, f"linking {job.path} for {job.target.name}")
        if job.is_cplusplus and "-musl" in job.target.triple:
            data = elf.without_needed(filesystem.read_bytes(scratch / out), "libc.so")
            filesystem.write_scratch(scratch / out, data)

    def _link_macho(self, job: ModuleJob, made: Sequence[Path], out: str, scratch: Path) -> None:
        words = [*_link(job), "-install_name", f"@rpath/{job.path.rpartition('/')[2]}{job.suffix}"]
        self._run([*words, *_names(made), f"-femit-bin={out}"], scratch, f"linking {job.path} for {job.target.name}")

    def _link_coff(self, job: ModuleJob, made: Sequence[Path], out: str, scratch: Path) -> None:
        # What the object misses of Python is all that the import library has to know; no Python of Windows is needed.
        what = f"linking {job.path} for {job.target.name}"
        objects = [filesystem.read_bytes(each) for each in made]
        defined = {name for each in objects for name in coff.defined_symbols(each)} if len(objects) > 1 else set()
        missing = tuple(sorted({name for each in objects for name in coff.undefined_symbols(each)} - defined))
        underscore = job.target.arch == "x86"
        names = coff.python_imports(missing, underscore=underscore)
        dll = "python3" if job.limited else f"python{job.python[0]}{job.python[1]}"
        python = self._import_library(dll, names, job.target, scratch, what)
        rest = tuple(name for name in missing if not coff.python_imports((name,), underscore=underscore))
        whole = underscore or job.is_cplusplus or bool(job.libraries) or any(map(coff.wants_startup, objects))
        crt = None if whole else windows_runtime.imports(rest)
        if crt is not None:
            library = [self._import_library("ucrtbase", crt, job.target, scratch, what)] if crt else []
            own = []
            if windows_runtime.OWN.intersection(rest):
                filesystem.write_scratch(scratch / "windows_runtime.c", filesystem.read_bytes(windows_runtime.SOURCE))
                own = ["windows_runtime.c"]
            words = [*_link(job), *_helpers(rest), *_names(made), *own, python, *library, f"-femit-bin={out}"]
            self._run(words, scratch, what)
            return
        words = [*_link(job, crt=False), *_names(made), python, *job.link_options, "-o", out]
        (self._run_own if job.own else self._run)(words, scratch, what)

    def _import_library(self, dll: str, names: tuple[str, ...], target: Target, scratch: Path, what: str) -> str:
        """Write the import library of some functions of a DLL and return its name."""
        definition = "\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *(f"    {name}" for name in names)])
        filesystem.write_scratch(scratch / f"{dll}.def", f"{definition}\n".encode())
        machine = _DLLTOOL_MACHINES[target.arch]
        self._run(["dlltool", "-m", machine, "-d", f"{dll}.def", "-l", f"{dll}.lib"], scratch, what)
        return f"{dll}.lib"

    def _link_wasm(self, job: ModuleJob, made: Sequence[Path], out: str, scratch: Path) -> None:
        words = [*_link(job), *_names(made)]
        if job.is_cplusplus:
            what = f"making the C++ library of {job.target.name}"
            overlay = headers.emscripten_overlay()
            words.append(str(zig_wasm.archive(self.library, self.cache, overlay, lambda given, cwd: self._run(given, cwd, what))))
        words += ["-o", out]
        self._run(words, scratch, f"linking {job.path} for {job.target.name}")


def _link(job: ModuleJob, *, crt: bool = True) -> list[str]:
    """Return the words of the link of a module, as `link_flags` has them."""
    return link_flags(job.target, release=job.release, own=job.own, cplusplus=job.is_cplusplus, crt=crt, name=job.name)


def _helpers(missing: Iterable[str]) -> list[str]:
    """Return the option that links the compiler's helper functions, if one of the symbols is such a function.

    Without need they cost seconds at the first link for a target, and bring debug information with this machine's paths.
    """
    return ["-fcompiler-rt" if any(_HELPER.match(name) for name in missing) else "-fno-compiler-rt"]


def _names(objects: Iterable[Path]) -> list[str]:
    """Return objects as zig is to call them: by relative names, so that no path of this machine gets into what it writes."""
    return [path.name for path in objects]


@dataclass(frozen=True)
class ZigAdapter:
    """How zig is chosen (`toolchain.Adapter`): it comes by itself, at the pinned version, so it is always there."""

    name: str = "zig"
    title: str = "zig"
    flags_version: str = AFTERWARDS

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        if target.family == "android":
            return int(target.version) >= zig_android.OLDEST
        return target.toolchain == "zig" and bool(target.triple)

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Say which version it is; nothing is fetched for that."""
        del program, around
        identity = [("zig", pinned_version())]
        if target.object_format == "coff":  # a part of our own goes into modules
            identity.append((windows_runtime.SOURCE.name, filesystem.sha256_file(windows_runtime.SOURCE)))
            identity.append(("facts", "1"))  # results of links say whether start-up code is in them
        if target.object_format == "wasm":
            identity.append(("C++ library", zig_wasm.VERSION))
        return FoundToolchain("zig", pinned_version(), identity=tuple(identity))

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        return key_flags(target, release=release)

    def open(self, found: FoundToolchain, cache: Path) -> Zig:
        """Return the zig that was fetched before.

        Raises:
            MissingToolError: It was not, and cannot be had.
        """
        return Zig(pinned.ensure_tool("ziglang"), cache / "zig-v1" / found.version, version=found.version)


ADAPTER = ZigAdapter()
