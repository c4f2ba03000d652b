"""What became of the modules of a package, and what `inspect` finds out about an artifact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EXTENSION, BYTECODE, SOURCE = "extension", "bytecode", "source"
"""The forms of a module."""

VERSION, ABI3, PACKAGE = "version", "abi3", "package"
"""What an extension module is bound to, or part of: one Python, all from one on, the one extension module of a whole package."""


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: Its name, as the settings have it.
        version: Its version.
    """

    name: str
    version: str


@dataclass(frozen=True)
class ModuleForm:
    """What a module became.

    Attributes:
        module: Its dotted name; of a package's ``__init__`` the package's.
        file: The file that Python imports, by its path in the wheel.
        form: `EXTENSION`, `BYTECODE` or `SOURCE`.
        scope: Of an extension module, `VERSION`, `ABI3` or `PACKAGE`.
        reason: Why it is no extension module where it could have been one; a compiler's words have several lines.
        compiler: Of an extension module, what turned it into C, where that is another one than the wheel's.
    """

    module: str
    file: str
    form: str
    scope: str = ""
    reason: str = ""
    compiler: Tool | None = None


@dataclass(frozen=True)
class CarriedDistribution:
    """A distribution that a fat wheel carries.

    Attributes:
        name: Distribution name, as its metadata has it.
        version: Its version.
        level: What its code was built at.
    """

    name: str
    version: str
    level: str


@dataclass(frozen=True)
class CarriedFolder:
    """What a fat wheel carries.

    Attributes:
        folder: The folder that holds the package and its dependencies, by its path in the wheel.
        distributions: The dependencies.
    """

    folder: str
    distributions: tuple[CarriedDistribution, ...]


@dataclass(frozen=True)
class WheelReport:
    """What a wheel says of itself in its ``.dist-info/pypackpack.json``.

    Attributes:
        level: The level that it was built at.
        type: ``debug`` or ``release``.
        python: The Python that it was built for: X.Y, and X.Y.Z where bytecode is in it.
        compiler: What turned modules into C.
        toolchain: What compiled the C.
        modules: Every module of it.
        carried: Of a fat wheel, what it carries.
    """

    level: str
    type: str
    python: str
    compiler: Tool | None
    toolchain: Tool | None
    modules: tuple[ModuleForm, ...]
    carried: CarriedFolder | None = None


@dataclass(frozen=True)
class InspectedModule:
    """A module of an artifact.

    Attributes:
        module: Its dotted name; where several files are one module, the one that Python imports.
        file: That file.
        form: `EXTENSION`, `BYTECODE` or `SOURCE`.
        scope: Of an extension module, `VERSION`, `ABI3` or `PACKAGE`; empty where nothing tells.
        also: What else of it is there, such as the source beside an extension module.
        size: Bytes of the file, uncompressed.
        reason: Why it is no extension module; empty where nothing is to be explained, or nobody said.
        compiler: What turned it into C, where that is another one than the artifact's.
    """

    module: str
    file: str
    form: str
    scope: str
    also: tuple[str, ...]
    size: int
    reason: str
    compiler: Tool | None = None


@dataclass(frozen=True)
class InspectedFile:
    """A file that is no module.

    Attributes:
        path: Its path.
        size: Its bytes, uncompressed.
    """

    path: str
    size: int


@dataclass(frozen=True)
class InspectedDependency:
    """A dependency in a binary.

    Attributes:
        name: Distribution name, as its metadata has it.
        version: Its version.
        level: What its code was built at.
        modules: Form of modules → how many have it.
        files: Number of its files.
        size: Their bytes.
    """

    name: str
    version: str
    level: str
    modules: tuple[tuple[str, int], ...]
    files: int
    size: int


@dataclass(frozen=True)
class Inspection:
    """What is known of an artifact.

    Attributes:
        kind: ``wheel``, or ``binary``, which is a folder.
        path: Where it is.
        size: Bytes of the file.
        sha256: Its digest; of a folder, that of its manifest.
        name: Distribution name.
        version: Its version.
        tags: Which interpreters and platforms may install it.
        requires_python: What its metadata asks of Python; empty for nothing.
        made_by: What wrote it, in its own words; empty where it does not say.
        level: What it was built at; empty where nothing tells.
        type: ``debug`` or ``release``; empty where nothing tells.
        python: The Python that it was built for; empty where nothing tells.
        compiler: What turned modules into C; None where nothing tells.
        toolchain: What compiled the C; None where nothing tells.
        modules: By name.
        data: Files that are neither modules nor metadata.
        notes: What a person should know of this answer.
        target: The target of a binary, whose folder has no tags; else empty.
        dependencies: What a binary holds besides the package.
    """

    kind: str
    path: Path
    size: int
    sha256: str
    name: str
    version: str
    tags: tuple[str, ...]
    requires_python: str
    made_by: str
    level: str
    type: str
    python: str
    compiler: Tool | None
    toolchain: Tool | None
    modules: tuple[InspectedModule, ...]
    data: tuple[InspectedFile, ...]
    notes: tuple[str, ...] = ()
    target: str = ""
    dependencies: tuple[InspectedDependency, ...] = ()
