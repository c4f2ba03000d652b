"""What a package becomes on a target: the files that go into an artifact, and where their bytes are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.model.build import Fallback
    from pypackpack.model.inspection import ModuleForm, Tool
    from pypackpack.model.sbom import LinkedPart, MakingTool


@dataclass(frozen=True)
class Content:
    """One file of what a build delivers.

    Attributes:
        place: Path in the wheel, with ``/``.
        digest: SHA-256 of its bytes.
        source: The file it is a copy of; None when the bytes lie in the store.
        made_of: The file whose text it is, made smaller: it is a program if that one is.
    """

    place: str
    digest: str
    source: SourceFile | None = None
    made_of: SourceFile | None = None


@dataclass(frozen=True)
class Contents:
    """What a package becomes on one target for one Python.

    Attributes:
        files: What goes into an artifact.
        has_bytecode: Whether ``.pyc`` files are among them.
        has_native: Whether extension modules are.
        fallbacks: Modules that were to be native and are not.
        cached: Whether all of it was known.
        abi3: Whether the extension modules use the limited API of that Python only, and serve every later one.
        modules: What each module became; empty where nothing was to be compiled to machine code: then the files say all.
        compiler: What turned modules into C, with its version.
        toolchain: What compiled the C.
        linked: The code of others that compiling brought in.
        made_with: What extension modules were made with, own native sources' among them.
    """

    files: tuple[Content, ...]
    has_bytecode: bool
    has_native: bool
    fallbacks: tuple[Fallback, ...]
    cached: bool
    abi3: bool = False
    modules: tuple[ModuleForm, ...] = ()
    compiler: Tool | None = None
    toolchain: Tool | None = None
    linked: tuple[LinkedPart, ...] = ()
    made_with: tuple[MakingTool, ...] = ()


def merge_fallbacks(fallbacks: Sequence[Fallback]) -> tuple[Fallback, ...]:
    """Join what is the same on several targets into one."""
    joined: dict[Fallback, list[str]] = {}
    for fallback in fallbacks:
        targets = joined.setdefault(replace(fallback, targets=()), [])
        targets.extend(target for target in fallback.targets if target not in targets)
    return tuple(replace(fallback, targets=tuple(targets)) for fallback, targets in joined.items())


def reader(shop: Workshop) -> Callable[[Content], bytes]:
    """Return a function that gives the bytes of a content, from the source or the store."""

    def read(content: Content) -> bytes:
        if content.source is not None:
            return shop.read(content.source)
        return shop.stored(content.digest, content.place, "bundled")

    return read
