"""From C to extension modules: one task for each module, target and Python."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend.tools import zig
from pypackpack.backend.tools.toolchain import ModuleJob, RefusedError
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import c_source, refusal
from pypackpack.model.errors import LostError
from pypackpack.model.inspection import Tool

if TYPE_CHECKING:
    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import Target

SECONDS_PER_BYTE = 1 / 8_000
SMALLEST_SECONDS = 1.0


@dataclass(frozen=True)
class Way:
    """How the extension modules of a target are made for one Python.

    Attributes:
        target: For what.
        python: For which Python; with ``limited`` the oldest.
        release: Optimised and stripped.
        headers: Header folders, first ones first: the compiler's own, then the target's, then Python's.
        limited: Whether they use the limited API only.
    """

    target: Target
    python: Interpreter
    release: bool
    headers: tuple[HeaderFolder, ...]
    limited: bool = False


@dataclass(frozen=True)
class Extension:
    """One extension module that is to be made.

    Attributes:
        package: Name of the package that it belongs to.
        shown: What a person knows it by.
        name: Its full name.
        path: Its place below site-packages, with ``/``, without suffix.
        c: Name of the task that makes its C.
        size: Bytes of the source that it comes from; rough.
        options: Further words for the compiler.
        link_options: Further words for the linker.
    """

    package: str
    shown: str
    name: str
    path: str
    c: str
    size: int
    options: tuple[str, ...] = ()
    link_options: tuple[str, ...] = ()


def toolchain_of(_target: Target) -> Tool:
    """Return what compiles the C of a target, without starting or fetching it."""
    return Tool("zig", zig.pinned_version())


def extension_task(extension: Extension, way: Way, shop: Workshop) -> Task:
    """Return the task that compiles and links an extension module.

    Its result has the output ``module``; or it is a refusal, the C's own or that of the compiler, which is not kept.
    """
    name, target, series = extension.name, way.target, way.python.series
    flags = zig.compile_flags(target, release=way.release).words
    abi = f"abi3 {series}" if way.limited else ""
    words = json.dumps(
        [flags, target.suffix(series, limited=way.limited), way.release, extension.options, extension.link_options, abi]
    )

    def run(needs: Needs) -> ActionResult:
        result = needs[extension.c]
        if "refused" in result.facts:
            return result
        c = c_source(result)
        job = ModuleJob(
            name=name.rpartition(".")[2],
            path=extension.path,
            files={path: _read(shop, digest, name) for path, digest in c.files.items()},
            sources=c.sources,
            target=target,
            python=series,
            headers=shop.sound(way.headers, target, way.python),
            release=way.release,
            folders=c.folders,
            defines=c.defines,
            limited=way.limited,
            options=extension.options,
            link_options=extension.link_options,
        )
        folder = shop.folder()
        try:
            made = shop.toolchain(target).build_module(job, folder)
        except RefusedError as error:
            return refusal(f"{error.message}\n{error.details}".strip(), keep=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return ActionResult({"module": shop.store.put(made)})

    return Task(
        name=f"compile {extension.package}/{extension.shown} {target.name} {'abi3-' * way.limited}{series[0]}.{series[1]}",
        package=extension.package,
        target=target.name,
        step="compile",
        kind=f"compile-zig-{zig.FLAGS_VERSION}",
        inputs=(
            ("zig", zig.pinned_version()),
            ("flags", words),
            ("module", f"{extension.path} {name}"),
            *((f"headers {number}", folder.digest) for number, folder in enumerate(way.headers, 1)),
        ),
        needs=(extension.c,),
        run=run,
        cost=max(SMALLEST_SECONDS, extension.size * SECONDS_PER_BYTE),
        label=name,
        asked=(f"{extension.package} for {target.name}",),
    )


def _read(shop: Workshop, digest: str, name: str) -> bytes:
    data = shop.store.read(digest)
    if data is None:
        msg = f"the cache lost the C of {name} while it was being compiled"
        raise LostError(msg, digest=digest)
    return data
