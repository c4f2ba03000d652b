"""Compilers that are called as gcc is: gcc, clang, and what is made of clang (the NDK's, Xcode's, emcc).

They take the same words for compiling, write their errors in the same form, and link by the compiler's own name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools.toolchain import (
    DETAILS_SHOWN,
    RefusedError,
    UnknownOptionError,
    dialect,
    is_cplusplus,
    unknown_option,
)
from pypackpack.model.compiler_options import for_language
from pypackpack.model.errors import MissingToolError, PyPackPackError, ToolError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from pathlib import Path

    from pypackpack.backend.tools.toolchain import ModuleJob

COMMON = (
    "-std=c11",
    # As CPython itself is built: signed overflow wraps.
    "-fwrapv",
    # a*b+c must give on arm64 what it gives on x86-64, and in the interpreter.
    "-ffp-contract=off",
    # Asserts of Python's headers would put the headers' path into the binary.
    "-DNDEBUG",
    # Warnings about generated C are nobody's business.
    "-w",
    # Functions that nobody calls are dropped by the linker.
    "-ffunction-sections",
    "-fdata-sections",
)
"""Words of every compile, for the reasons that stand beside them."""

RELEASE = ("-O2", "-g0")
DEBUG = ("-O0", "-g")

STATIC_CPLUSPLUS = ("-static-libstdc++", "-Wl,--exclude-libs,ALL")
"""Words of the linker for C++: its library goes into the module, and shows there to nobody, who may have another one of it."""

ASK_SECONDS = 60.0
"""So long a compiler may take to say what it is."""

_ERROR = re.compile(r"^(.*?):\d+(?::\d+)?: (?:fatal )?error: ", re.MULTILINE)
"""An error with its place, as the GNU coding standards have it ("Formatting Error Messages")."""


@dataclass(frozen=True)
class Driver:
    """A compiler that is called as gcc is.

    Attributes:
        label: What it is in messages: ``gcc 12.2.0``.
        cc: The program.
        cxx: The program that links C++; None where there is none.
        env: Variables that it gets besides what every compiler gets.
    """

    label: str
    cc: Path
    cxx: Path | None
    env: Mapping[str, str]

    def run(self, words: Sequence[str | Path], cwd: Path, what: str, own: Container[str] | None = None) -> None:
        """Run the compiler in a scratch folder.

        Args:
            words: The program and its arguments.
            cwd: The scratch folder.
            what: Names the work in an error.
            own: Files whose errors are their author's and not the compiler's.

        Raises:
            RefusedError: The first error is in one of ``own``.
            ToolError: It failed otherwise.
        """
        env = process.compiler_environment({"SOURCE_DATE_EPOCH": "0", "LC_ALL": "C", **self.env})
        done = process.run(words, cwd=cwd, env=env)
        if done.code != 0:
            text = done.stderr.strip() or done.stdout.strip()
            first = _ERROR.search(text)
            kind = RefusedError if first is not None and own is not None and first[1] in own else ToolError
            msg = f"{what} failed ({self.label}, {done.how})"
            raise kind(msg, details=text[-DETAILS_SHOWN:])

    def compile(self, job: ModuleJob, scratch: Path, flags: Sequence[str], hidden: Sequence[str]) -> list[Path]:
        """Write a job's files, compile its sources and return the objects, which lie in ``scratch``.

        Args:
            job: What to compile.
            scratch: An empty folder, resolved.
            flags: The words that go into the key.
            hidden: Words with paths, which change no byte of the result.
        """
        for name, data in job.files.items():
            filesystem.write_scratch(scratch / name, data)
        headers = [folder.resolve() for folder in job.headers]
        words = [f"-ffile-prefix-map={scratch}=.", *(f"-ffile-prefix-map={folder}=include" for folder in headers), *hidden]
        words += [f"-D{name}={value}" if value else f"-D{name}" for name, value in job.macros]
        words += [f"-I{folder}" for folder in (*job.folders, *headers)]
        objects = []
        for number, source in enumerate(job.sources):
            made = scratch / ("module.o" if number == 0 else f"module-{number}.o")
            own = dialect(flags, source, own=job.own)
            options = for_language(job.options, cplusplus=is_cplusplus(source))
            what = f"compiling {source}"
            try:
                self.run([self.cc, *own, *words, *options, "-c", source, "-o", made.name], scratch, what, job.authored)
            except RefusedError:
                raise
            except ToolError as error:
                if job.own and (word := unknown_option(error.details, options)):
                    raise UnknownOptionError(word, error.details) from error
                raise
            objects.append(self.made(made, what))
        return objects

    def linker(self, job: ModuleJob) -> Path:
        """Return the program that links a job's objects.

        Raises:
            MissingToolError: They are C++, and there is none for that.
        """
        if not any(map(is_cplusplus, job.sources)):
            return self.cc
        if self.cxx is None:
            msg = f"{job.path} is C++, and there is no C++ compiler beside {self.cc}"
            raise MissingToolError(msg, hint="Install the C++ compiler of the same version.")
        return self.cxx

    def made(self, place: Path, what: str) -> Path:
        """Return a file that the compiler was to make; a link is none, for it may lead anywhere.

        Raises:
            ToolError: It is not there.
        """
        if place.is_symlink() or not place.is_file():
            msg = f"{what}: {self.label} ended well and left no file {place.name}"
            raise ToolError(msg, hint="It is damaged, or something removed the file; run the same command again.")
        return place


def setting_hint(program: str, name: str) -> str:
    """Return what to do where the program that the settings name for a toolchain is not there."""
    said = f'toolchain-program = "{program}" of the settings (tool.pypackpack.build, or that of a target)'
    return f"Install it, change {said} to the name of a program on PATH, or take it out: then it is {name}."


def says(program: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a compiler answers to a question about itself.

    Raises:
        ToolError: It is not there, cannot be started, hangs, crashes, or says nothing.
    """
    try:
        around = process.compiler_environment({"LC_ALL": "C", **(env or {})})
        done = process.run([program, *words], env=around, timeout=ASK_SECONDS)
    except PyPackPackError as error:
        raise ToolError(error.message) from error
    if done.code != 0 or not done.stdout.strip():
        lines = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        said = next((line for line in lines if "error" in line), lines[0])
        msg = f"{program} {' '.join(words)} failed ({done.how}): {said}"
        raise ToolError(msg)
    return done.stdout.strip()


def version_in(text: str) -> str:
    """Return the version in the first line of what ``--version`` says; empty when there is none.

    Distributions write their own names in brackets, with numbers too: ``gcc (Debian 12.2.0-14) 12.2.0``.
    """
    line = re.sub(r"\([^)]*\)", " ", text.splitlines()[0]) if text else ""
    found = re.search(r"(?<![\w.])\d+\.\d+(?:\.\d+)?", line)
    return found[0] if found else ""


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, to be compared."""
    return tuple(int(word) for word in re.findall(r"\d+", version))


def names(objects: Sequence[Path]) -> list[str]:
    """Return objects as a linker is to call them: by relative names, so that no path of this machine gets into what it writes."""
    return [path.name for path in objects]
