"""What every C toolchain is asked for, whichever it is: one extension module of one target.

A toolchain is one file in this folder (zig, the NDK, Xcode …) behind the same interface. What it needs to know of a module is
the same for all of them, and lies here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pypackpack.backend import filesystem
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pypackpack.model.target import PythonVersion, Target
    from pypackpack.model.toolchain import FoundToolchain, Surroundings

DETAILS_SHOWN = 8000
"""So many characters of a compiler's words are kept."""

_WITHOUT_PLACE = re.compile(
    # Not the line in which emcc says how it called clang.
    r"^(?!em(?:cc|\+\+)(?:\.py)?: )(?:[^:\s]+: )?error: (?P<said>.*)$"
    r"|^cl : Command line (?:warning D9002|error D\d+) : (?P<cl>.*)$",
    re.MULTILINE,
)
"""What compilers have against their command line: gcc and clang as errors; Microsoft's also goes on without a word (D9002)."""

CPLUSPLUS = (".cc", ".cpp", ".cxx", ".c++")
"""Suffixes of C++ sources, as compilers know them."""


class RefusedError(ToolError):
    """The compiler understood its task and found errors in the source."""


class UnknownOptionError(ToolError):
    """The compiler does not know a word that a person gave it; ``word`` is what it called it."""

    def __init__(self, word: str, details: str) -> None:
        super().__init__(f"the compiler does not know {word}", details=details)
        self.word = word


def unknown_option(said: str, options: Sequence[str]) -> str:
    """Return the one of a person's words that a compiler speaks of in an error without a place; empty if it speaks of none.

    Args:
        said: What the compiler said: ``gcc: error: unrecognized command-line option '-fno-such'``.
        options: The words.
    """
    lines = "\n".join(found["said"] or found["cl"] for found in _WITHOUT_PLACE.finditer(said))
    values = [(word.partition("=")[2], word) for word in options]
    for wanted, word in [*((word, word) for word in options), *values]:
        if wanted and re.search(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])", lines):
            return word
    return ""


@dataclass(frozen=True)
class ModuleJob:
    """One extension module to be compiled and linked.

    Attributes:
        name: Last part of its import name (what follows ``PyInit_``).
        path: Its place, with ``/``, without suffix: ``pkg/mod``.
        files: Every file that the compiler may read besides ``headers``: relative path, with ``/``, → bytes.
        sources: Those of ``files`` that are compiled; the others are there to be included.
        target: For which platform.
        python: For which Python version; with ``limited`` the oldest.
        headers: Folders of Python's and of tools' headers, first ones first.
        release: Optimised and stripped, or with symbols.
        folders: Folders among ``files`` in which ``#include`` looks.
        defines: Macros: name and value; an empty value defines the bare name.
        limited: Whether it uses nothing but the limited API of ``python`` (PEP 384), and goes by ``abi3``.
        options: Further words for the compiler, as a person gave them.
        objects: What `ObjectToolchain.build_object` made before, to be linked with what comes of ``sources``.
        libraries: Libraries of the target's system, as a person gave them.
        own: Whether a person wrote it, and no compiler: it has the dialects that compilers go by when nobody says one, it shows
            nothing but its entry point, and whatever is wrong with it is the person's to mend.
    """

    name: str
    path: str
    files: Mapping[str, bytes]
    sources: tuple[str, ...]
    target: Target
    python: PythonVersion
    headers: tuple[Path, ...]
    release: bool
    folders: tuple[str, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    limited: bool = False
    options: tuple[str, ...] = ()
    objects: tuple[bytes, ...] = ()
    libraries: tuple[str, ...] = ()
    own: bool = False

    @property
    def is_cplusplus(self) -> bool:
        """Whether some of it is C++."""
        return any(is_cplusplus(source) for source in self.sources)

    @property
    def suffix(self) -> str:
        """The suffix of its file."""
        return self.target.suffix(self.python, limited=self.limited)

    @property
    def link_options(self) -> tuple[str, ...]:
        """Words for a linker that is called as gcc's is."""
        return tuple(f"-l{name}" for name in self.libraries)

    @property
    def authored(self) -> frozenset[str]:
        """The files whose errors are their author's: besides ``files`` those that generated C says it comes from (``#line``)."""
        stems = [name.rpartition(".")[0] for name in self.files if name.endswith((".c", *CPLUSPLUS))]
        return frozenset((*self.files, *(f"{stem}{suffix}" for stem in stems for suffix in (".py", ".pyx"))))

    @property
    def macros(self) -> tuple[tuple[str, str], ...]:
        """All macros, that of the limited API among them (PY_VERSION_HEX of the oldest Python)."""
        if not self.limited:
            return self.defines
        return (*self.defines, ("Py_LIMITED_API", f"0x{self.python[0]:02X}{self.python[1]:02X}0000"))


class Toolchain(Protocol):
    """A compiler and a linker for some targets."""

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes.

        Args:
            job: What to make.
            scratch: An empty folder; sources and objects lie in it by relative names, so that no path gets into them.

        Raises:
            RefusedError: The source has errors.
            ToolError: The toolchain failed otherwise; its words are in ``details``.
        """


@runtime_checkable
class ObjectToolchain(Toolchain, Protocol):
    """A toolchain that also compiles without linking, and links what it compiled before (`ModuleJob.objects`)."""

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile the one source of a job and return the object; raises as `build_module`."""


class Adapter(Protocol):
    """One kind of toolchain: how it is found, what it is called with, how it works."""

    @property
    def name(self) -> str:
        """What the setting ``toolchain`` calls it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def flags_version(self) -> str:
        """Part of every key: raised when its command lines change what comes out."""

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all, on some machine."""

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Look for it on this machine. It answers always; what is wrong stands in the answer.

        Args:
            target: For what; one that it serves.
            program: The name of a compiler that the settings name, else empty.
            around: The machine.
        """

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source, without paths: part of its key."""

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with a toolchain that was found.

        Args:
            found: What `find` gave.
            cache: The folder of caches, for what the toolchain itself keeps.
        """


def is_cplusplus(source: str) -> bool:
    """Tell whether a source is C++ by its name."""
    return source.lower().endswith(CPLUSPLUS)


def dialect(flags: Sequence[str], source: str, *, own: bool) -> list[str]:
    """Return the words of a compile for a source: what a person wrote has the dialect that compilers have by default."""
    number = "++17" if is_cplusplus(source) else "17" if own else "11"
    word = f"-std={'gnu' if own else 'c'}{number}"
    return [word if flag == "-std=c11" else flag for flag in flags]


def prerequisites(rule: str) -> list[str]:
    """Return the files that a compile read, from the rule for make that ``-MD`` writes (GCC manual, "Preprocessor Options").

    A space in a name stands behind a backslash, and a dollar sign is doubled; other backslashes are those of Windows.
    """
    _, _, rest = rule.replace("\r\n", "\n").replace("\\\n", " ").partition(".o: ")
    words = re.findall(r"(?:\\[ #]|\S)+", rest)
    return [re.sub(r"\\([ #])", r"\1", word).replace("$$", "$") for word in words]


def init_symbol(name: str) -> str:
    """Return the symbol that Python looks for in a module of that name (PEP 489: punycode for other than ASCII)."""
    if name.isascii():
        return f"PyInit_{name}"
    return "PyInitU_" + name.encode("punycode").decode().replace("-", "_")


def written(objects: Sequence[bytes], scratch: Path) -> list[Path]:
    """Write objects that were made before (`ModuleJob.objects`) into a scratch folder, and return where."""
    places = [scratch / f"object-{number}.o" for number in range(len(objects))]
    for place, data in zip(places, objects, strict=True):
        filesystem.write_scratch(place, data)
    return places
