"""The programs ``cc``, ``c++``, ``ar`` and ``ranlib`` of a cross environment: zig, called as build tools call a compiler.

Started by pypackpack's own Python as ``cross_compiler.py <compiler.json> <program> <arguments>``. Other than zig's own ``cc`` it
knows the target, takes away what Python's ``sysconfig`` and build tools say to the linkers of other people, gives an extension
module what it needs to be loaded on the target, and says no on code that no such compiler can make.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))  # started with -I -S: pypackpack itself is all that it needs

from pypackpack.backend import process
from pypackpack.backend.tools import coff, elf, windows_runtime
from pypackpack.model.errors import MissingToolError, PyPackPackError

_UNKNOWN_TO_ZIG = re.compile(
    r"-Wl,(-Bsymbolic-functions|--exclude-libs[,=].*|-O\d|--dependency-file=.*|-z,(relro|now|text|nognustack)|-rpath-link[,=].*|"
    r"--enable-auto-image-base|--enable-auto-import|--no-undefined-version|--fatal-warnings|--compress-debug-sections=.*)"
    r"|-ffat-lto-objects|-flto(=.*)?|-fno-semantic-interposition|-specs=.*|-fcf-protection.*|-fstack-clash-protection"
    r"|-mno-omit-leaf-frame-pointer|-fstack-protector.*|-static-libgcc|-fuse-linker-plugin|-fno-reorder-blocks-and-partition"
)
"""What distributions build their Pythons with, and what it says to linkers that zig's is not."""

_CMAKE_QUESTION = re.compile(r"CMakeC(XX)?CompilerId\.\w+")

_WITH_VALUE = frozenset(
    ["-arch", "-isysroot", "-target", "--target", "-bundle_loader", "-current_version", "-compatibility_version"]
)
"""Options, with their value in the next word, that name another target than ours, or what zig has no use for."""

_COMPILE_ONLY = frozenset(["-c", "-E", "-S", "-M", "-MM", "--version", "-v", "-###", "-dumpversion", "-dumpmachine", "--help"])
_REFUSED = re.compile(r"(?:unsupported|unrecognized|unknown) (?:linker arg|linker argument|option|argument)[:s]* '?([^\s']+)'?")
_TRIES = 8

_WINDOWS_DEFAULT = frozenset(
    ["kernel32", "user32", "gdi32", "winspool", "shell32", "ole32", "oleaut32", "uuid", "comdlg32", "advapi32", "m"]
)
"""Libraries that CMake and Meson name for every link for Windows, whether or not anything of them is called."""

_PYTHON_NAME = re.compile(rb"(?:__imp_)?(_{0,2}Py[A-Z_]\w*)")
_DLLTOOL_MACHINES = {"amd64": "i386:x86-64", "arm64": "arm64", "x86": "i386"}


class Compiler:
    """What ``compiler.json`` says."""

    def __init__(self, place: str) -> None:
        facts = json.loads(Path(place).read_text(encoding="utf-8"))
        self.zig: str = facts["zig"]
        self.library: str = facts["library"]
        self.triple: str = facts["triple"]
        self.format: str = facts["format"]
        self.arch: str = facts["arch"]
        self.include: list[str] = facts["include"]
        self.libs: str = facts["libs"]
        self.python: str = facts["python"]
        self.refusal: str = facts["refusal"]
        self.variables: dict[str, str | None] = facts["variables"]

    def environment(self) -> dict[str, str]:
        """Return the variables that zig runs with."""
        return process.compiler_environment(self.variables)

    def become(self, words: list[str]) -> int:
        """Run zig in this process's place, with its streams."""
        if sys.platform != "win32":
            os.execve(self.zig, [self.zig, *words], self.environment())  # noqa: S606 - a list of words, never a shell
        return process.run_attached([self.zig, *words], env=self.environment())

    # ------------------------------------------------------------------------------------------------------------- words

    def cleaned(self, words: list[str]) -> list[str]:
        """Return a compiler's arguments without what zig does not know or what names another target."""
        kept: list[str] = []
        skip = False
        for word in words:
            if skip:
                skip = False
            elif word in _WITH_VALUE:
                skip = True
            elif self.is_unwanted(word):
                continue
            elif word in ("-bundle", "-dynamiclib"):
                kept.append("-shared")  # "-bundle" crashes this zig; Python loads either form
            else:
                kept.append(word)
        return kept

    def is_unwanted(self, word: str) -> bool:
        """Tell whether an argument is one that zig does not know or that names another target."""
        foreign = word.startswith(("-mmacosx-version-min=", "--target=", "--sysroot="))
        return foreign or bool(_UNKNOWN_TO_ZIG.fullmatch(word)) or (word == "-fPIC" and self.format == "coff")

    def compiling(self) -> list[str]:
        """Return what every compile has."""
        words = [
            "-target",
            self.triple,
            "-g0",
            "-fno-sanitize=undefined",
            "-fno-stack-protector",
            "-Wno-unused-command-line-argument",
        ]
        words += [f"-ffile-prefix-map={os.getcwd()}=.", f"-ffile-prefix-map={self.library}=zig"]  # noqa: PTH109 - as the compiler sees it
        words += [f"-ffile-prefix-map={folder}=include" for folder in self.include]
        if self.format != "coff":
            words.append("-fPIC")
        if self.format == "wasm":
            words += ["-mcpu=generic-extended_const", "-nostdlibinc"]
        return words

    def including(self) -> list[str]:
        """Return the header folders, after those that the caller names."""
        # Not -isystem: a folder that the caller names with -I as well would lose its place there.
        words = [f"-I{folder}" for folder in self.include]
        if self.format == "wasm":
            base = Path(self.library) / "libc" / "include"
            words += [f"-isystem{base / name}" for name in ("riscv32-linux-musl", "generic-musl")]
        return words

    # -------------------------------------------------------------------------------------------------------------- link

    def linking(self, program: str, words: list[str]) -> list[str]:
        """Return what a link by ``cc`` or ``c++`` has besides the caller's words."""
        shared = "-shared" in words
        extra: list[str] = []
        if self.format == "macho":
            if "dynamic_lookup" not in words:
                extra += ["-undefined", "dynamic_lookup"]
            if shared and not any("install_name" in word for word in words):
                extra.append(f"-Wl,-install_name,@rpath/{Path(_output(words)).name}")
        if self.format == "coff":
            extra += [f"-L{self.libs}", f"-l{self.python}"]
            if "-g" not in words:
                extra.append("-s")  # the reference to a PDB would differ by folder
        if self.format == "elf" and "-g" not in words:
            extra.append("-s")
        if self.format == "elf" and shared and "-musl" in self.triple and program == "cc" and not _is_cxx(words):
            # zig would write NEEDED libc.so, which no musl has by that name; the C library is in the process already.
            extra.append("-nostdlib")  # with C++ it would leave out libc++ too: see `link_by_zig`
        return extra

    def link(self, program: str, words: list[str]) -> int:
        """Link, for each object format in its own way."""
        sources = any(word.endswith((".c", ".cc", ".cpp", ".cxx", ".C", ".s", ".S")) for word in words)
        if self.format == "wasm":
            return self.link_wasm(program, words, sources=sources)
        if self.format == "coff":
            with tempfile.TemporaryDirectory(prefix="link-") as scratch:
                libs = self.import_libraries(words, Path(scratch))
                if program == "cc" and not sources and self.link_without_runtime(words, libs, Path(scratch)):
                    return 0
                libs["ucrtbase"] = ""
                return self.link_by_zig(program, [*words, *filter(None, libs.values())], sources=sources)
        return self.link_by_zig(program, words, sources=sources)

    def link_by_zig(self, program: str, words: list[str], *, sources: bool) -> int:
        """Link as zig does, and again without the words that it says it does not know."""
        dropped: list[str] = []
        for _ in range(_TRIES):
            kept = [word for word in words if not any(word == each or word.removeprefix("-Wl,") == each for each in dropped)]
            own = self.compiling() if sources else ["-target", self.triple, "-fno-sanitize=undefined", "-O2"]
            command = [self.zig, program, *own, *kept, *(self.including() if sources else []), *self.linking(program, kept)]
            done = process.run(command, env=self.environment())
            said = _REFUSED.search(done.stderr)
            if done.code == 0 or said is None or said[1] in dropped:
                break
            dropped.append(said[1])
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        made = Path(_output(words))
        if done.code == 0 and "-shared" in words and self.format == "elf" and "musl" in self.triple and made.is_file():
            made.write_bytes(elf.without_needed(made.read_bytes(), "libc.so"))
        return done.code

    # ----------------------------------------------------------------------------------------------------------- Windows

    def import_libraries(self, words: list[str], scratch: Path) -> dict[str, str]:
        """Write import libraries of what the inputs call of Python and of the C runtime: DLL → path of its library.

        Names are read off the bytes of objects and archives: one too many does no harm in an import library.
        """
        names: set[str] = set()
        runtime: set[str] = set()
        for place in _inputs(words):
            data = place.read_bytes()
            if place.suffix not in (".lib", ".a") or place.parent != Path(self.libs):
                found = {each.decode() for each in _PYTHON_NAME.findall(data)}
                names |= found | {each[1:] for each in found if each.startswith("_")}  # on 32-bit x86 C puts one before each name
            if place.suffix in (".o", ".obj"):
                undefined = {name.removeprefix("__imp_") for name in coff.undefined_symbols(data)}
                runtime |= undefined & windows_runtime.UCRT
        stable = any(Path(word).name in ("python3.lib", "libpython3.a") or word == "-lpython3" for word in words)
        libs = {}
        for dll, wanted in (("python3" if stable else self.python, names), ("ucrtbase", runtime)):
            if wanted:
                text = "\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *(f"    {name}" for name in sorted(wanted)), ""])
                (scratch / f"{dll}.def").write_text(text, encoding="ascii")
                made = str(scratch / f"{dll}.lib")
                command = [self.zig, "dlltool", "-m", _DLLTOOL_MACHINES[self.arch], "-d", str(scratch / f"{dll}.def"), "-l", made]
                process.checked(command, f"making the import library of {dll}.dll", env=self.environment())
                libs[dll] = made
        return libs

    def link_without_runtime(self, words: list[str], libs: dict[str, str], scratch: Path) -> bool:
        """Link an extension module without MinGW's static runtime, which zig would have to build first; tell whether it could be.

        `pypackpack.backend.tools.windows_runtime` says when a module needs none of it. What it does need ends as an undefined
        symbol here, and the usual way is gone then.
        """
        if "-shared" not in words or self.arch == "x86":
            return False
        inputs, own = [], ""
        for place in _inputs(words):
            if place.suffix in (".lib", ".a") and place.parent == Path(self.libs):
                continue
            data = place.read_bytes()
            if any(mark in data for mark in (b".ctors", b".CRT$", b".tls")):
                return False
            if place.suffix in (".o", ".obj") and windows_runtime.OWN.intersection(coff.undefined_symbols(data)):
                own = str(windows_runtime.SOURCE)
            inputs.append(str(place))
        named = {word[2:] for word in words if word.startswith("-l")}
        if not inputs or named - _WINDOWS_DEFAULT - {self.python, "python3"}:
            return False
        out, library = _output(words), _import_library(words)
        symbols = "-fno-strip" if "-g" in words else "-fstrip"
        words = ["build-lib", "-dynamic", "-target", self.triple, "-fcompiler-rt", "-fno-entry", "-OReleaseFast"]
        words += [symbols, *inputs, *([own] if own else []), *libs.values()]
        made = scratch / Path(out).name
        implib = f"-femit-implib={library}" if library else "-fno-emit-implib"
        done = process.run([self.zig, *words, f"-femit-bin={made}", implib], env=self.environment())
        if done.code != 0:
            return False
        Path(out).write_bytes(coff.without_identity(made.read_bytes()))
        return True

    # -------------------------------------------------------------------------------------------------------- WebAssembly

    def link_wasm(self, program: str, words: list[str], *, sources: bool) -> int:
        """Link a side module as Emscripten does; a program, which only checks of build tools want, has no runtime in it."""
        out = _output(words)
        inputs = [word for word in words if word.endswith((".o", ".a", ".obj", ".lo"))]
        if sources:
            made = f"{out}.whole.o"
            flags = [word for word in words if word.startswith(("-D", "-I", "-O", "-std", "-isystem", "-include"))]
            for word in [word for word in words if word.endswith((".c", ".cc", ".cpp", ".cxx", ".C"))]:
                made = f"{out}.{len(inputs)}.o"
                command = [self.zig, program, *self.compiling(), *flags, *self.including(), "-c", word, "-o", made]
                done = process.run(command, env=self.environment())
                sys.stderr.write(done.stderr)
                if done.code != 0:
                    return done.code
                inputs.append(made)
        folders = [word for word in words if word.startswith("-L")]
        if "-shared" in words:
            stem = Path(out).name.partition(".")[0]
            kind = ["-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic", f"--export-if-defined=PyInit_{stem}"]
        else:
            kind = ["--no-entry", "--unresolved-symbols=import-dynamic", "--export-if-defined=main"]
        if "-g" not in words:
            kind.append("--strip-all")
        done = process.run([self.zig, "wasm-ld", *kind, "--gc-sections", *folders, *inputs, "-o", out], env=self.environment())
        sys.stderr.write(done.stderr)
        return done.code


def _inputs(words: list[str]) -> list[Path]:
    """Return the objects and archives among a linker's words."""
    return [
        Path(word)
        for word in words
        if word.endswith((".o", ".obj", ".a", ".lib")) and not word.startswith("-") and Path(word).is_file()
    ]


def _output(words: list[str]) -> str:
    for index, word in enumerate(words):
        if word == "-o" and index + 1 < len(words):
            return words[index + 1]
        if word.startswith("-o") and len(word) > 2:
            return word[2:]
    return "a.out"


def _import_library(words: list[str]) -> str:
    """Return where the import library of what is linked is wanted, or an empty text."""
    for word in words:
        found = re.fullmatch(r"-Wl,--out-implib[,=](.*)", word)
        if found:
            return found[1]
    return ""


def _is_cxx(words: list[str]) -> bool:
    return "-lc++" in words or "-lstdc++" in words


def _spread(words: list[str]) -> list[str]:
    """Read response files (``@file``), which build tools write where command lines are long."""
    found: list[str] = []
    for word in words:
        if word.startswith("@") and Path(word[1:]).is_file():
            import shlex  # noqa: PLC0415 - seldom

            found += _spread(shlex.split(Path(word[1:]).read_text(encoding="utf-8")))
        else:
            found.append(word)
    return found


def main(place: str, program: str, words: list[str]) -> int:
    """Run one program of the environment."""
    compiler = Compiler(place)
    if compiler.refusal and program != "strip":
        raise MissingToolError(compiler.refusal)
    if program == "strip":
        return 0  # what was linked without -g is stripped; this machine's strip would not know the target's files
    if program in ("ar", "ranlib"):
        return compiler.become([program, *words])
    kept = compiler.cleaned(_spread(words))
    if not _COMPILE_ONLY.intersection(kept) and any(_CMAKE_QUESTION.fullmatch(Path(word).name) for word in kept):
        kept.append(
            "-c"
        )  # CMake reads off an object as well who compiled it, and a program wants a C runtime that zig has to build
    if (
        not kept
        or _COMPILE_ONLY.intersection(kept)
        or any(word.startswith(("-print-", "-dump", "-Wl,--version")) for word in kept)
    ):
        return compiler.become([program, *compiler.compiling(), *kept, *compiler.including()])
    return compiler.link(program, kept)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except PyPackPackError as error:
        sys.exit(f"cc: {error.message}")
