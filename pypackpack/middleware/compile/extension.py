"""From C to extension modules: one task for each module, target and Python."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from posixpath import normpath
from typing import TYPE_CHECKING

from pypackpack.backend.tools import coff, exports, macho
from pypackpack.backend.tools.toolchain import ModuleJob, ObjectToolchain, RefusedError, UnknownOptionError, init_symbol
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import c_source, refusal
from pypackpack.model.errors import SettingsError, SourceError, WorkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.toolchains import Choice
    from pypackpack.middleware.compile.transcompile import Transcompiler
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.csource import CSource
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import Target

SECONDS_PER_BYTE = 1 / 8_000
SMALLEST_SECONDS = 1.0
CPLUSPLUS_SECONDS = 4.0
_CHECKS = "entry, files that were read, start-up"
"""What is looked at when C of a person's own was compiled: raised when more is, since what is kept was not."""

_DEBUG_WORD = re.compile("-g[0-9]?")
_FIRST_ERROR = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?:fatal )?error: (?P<message>.*)$", re.MULTILINE)
_NO_HEADER = re.compile("file not found|No such file or directory|Cannot open include file")


STARTUP = "startup"
"""The fact in the result of a link that start-up code of the C library is in the module."""


@dataclass(frozen=True)
class Way:
    """How the extension modules of a target are made for one Python.

    Attributes:
        target: For what.
        python: For which Python; with ``limited`` the oldest.
        release: Optimised and stripped.
        headers: Header folders, first ones first: the compiler's own, then the target's, then Python's.
        choice: The toolchain; None for a target that is put together from others.
        limited: Whether they use the limited API only.
        parts: How the parts are made that the target is put together from.
        defines: Macros that what made the C wants on this target: name and value.
        options: Further words for the compiler that what made the C wants.
        maker: What made the C: it may have a runtime that every module links.
    """

    target: Target
    python: Interpreter
    release: bool
    headers: tuple[HeaderFolder, ...]
    choice: Choice | None
    limited: bool = False
    parts: tuple[Way, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    maker: Transcompiler | None = None


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
        libraries: Libraries of the target's system.
        own: Whether a person wrote it: then an error in it is an error, and there is nothing to fall back to.
        said: Where the settings speak of it, for messages.
    """

    package: str
    shown: str
    name: str
    path: str
    c: str
    size: int
    options: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    own: bool = False
    said: str = ""


def module_extension(source: Source, c: str) -> Extension:
    """Return the extension module that a Python module becomes; ``c`` is the name of the task that makes its C."""
    return Extension(source.package, source.shown, source.name, source.place.removesuffix(".py"), c, source.size)


def extension_tasks(extension: Extension, way: Way, shop: Workshop) -> tuple[Task, ...]:
    """Return the tasks that make an extension module; the last one's result is the module.

    That has the output ``module``; or it is a refusal, the C's own or that of the compiler, which is not kept. A target that is
    put together from others has a task for each, and one that joins them.
    """
    if not way.parts:
        return _tasks(extension, way, way.target, shop)
    parts = [_tasks(extension, part, way.target, shop) for part in way.parts]
    return (*(task for part in parts for task in part), join_task(extension, way, [part[-1] for part in parts], shop))


def _tasks(extension: Extension, way: Way, whole: Target, shop: Workshop) -> tuple[Task, ...]:
    """Return the tasks for one processor: those of the runtime, which extensions share, and that of the module."""
    found = way.maker.runtime(extension.package, way.python) if way.maker is not None and not extension.own else None
    if way.maker is None or found is None:
        return (_compile(extension, way, whole, shop),)
    c, seconds = found
    if way.choice is None or way.choice.found.name != "zig":  # shared with zig alone; elsewhere each compiles it
        return c, _compile(extension, way, whole, shop, c.name)
    runtime = _runtime_task(extension.package, f"{way.maker.name} runtime", c.name, seconds, way, whole, shop)
    return c, runtime, _compile(extension, way, whole, shop, runtime.name)


def common_tasks(package: str, way: Way, whole: Target, shop: Workshop) -> tuple[Task, ...]:
    """Return the tasks of what modules that are joined in one extension module link once: the C, then its objects; or none.

    ``whole`` is the target that the way's is a part of, or that target.
    """
    found = way.maker.runtime(package, way.python) if way.maker is not None else None
    if way.maker is None or found is None:
        return ()
    c, seconds = found
    name = f"{way.maker.name} runtime"
    made = _runtime_task(package, name, c.name, seconds, way, whole, shop)
    return c, made, _runtime_task(package, f"{name} start", c.name, SMALLEST_SECONDS, way, whole, shop, start=True)


def _runtime_task(
    package: str, name: str, c: str, seconds: float, way: Way, whole: Target, shop: Workshop, *, start: bool = False
) -> Task:
    """Return the task that compiles C which is the same for all modules of a compiler, once for all of them.

    Its result has the output ``object`` and all that the result of the C has, so that an extension can see whether it fits
    to its own; or it is a refusal.

    Args:
        package: Name of the package that it is made for.
        name: What it is called.
        c: Name of the task that makes the C: one source.
        seconds: How long it takes to compile, optimised; rough.
        way: How it is compiled.
        whole: What the way's target is a part of, or that target.
        shop: The tools.
        start: Whether it is what only joined modules have in common (`CSource.member`).
    """
    choice = needed(way)

    def run(needs: Needs) -> ActionResult:
        result = needs[c]
        if "refused" in result.facts:
            return result
        source = c_source(result)
        if start and source.apart:
            return refusal(f"what the modules have in common cannot be joined: {source.apart}")
        if start:
            source = replace(source, sources=(source.member,))
        job = module_job("runtime", name, source, way, shop, choice)
        try:
            with shop.folder() as folder:
                made = object_toolchain(shop, choice).build_object(job, folder)
        except RefusedError as error:
            return refused_by_c(error)
        return ActionResult({"object": shop.store.put(made), **result.outputs}, result.facts)

    series, target = way.python.series, way.target
    shown = whole.name if target == whole else f"{whole.name} ({target.name})"
    return Task(
        name=f"compile {package}/{name} {shown} {series[0]}.{series[1]}",
        package=package,
        target=whole.name,
        step="compile",
        kind=f"runtime{' start' * start} {choice.kind}",
        inputs=(
            *choice.found.identity,
            ("flags", json.dumps([choice.flags(release=way.release), way.defines, way.options])),
            *_headers(way),
        ),
        needs=(c,),
        run=run,
        cost=seconds if way.release else seconds / 4,
        label=name,
        asked=(f"{package} for {whole.name}",),
    )


def _task_name(extension: Extension, way: Way, whole: Target) -> str:
    """Return a task's name; a part of another target says so, since that target's own settings made it."""
    target = whole.name if way.target == whole else f"{whole.name} ({way.target.name})"
    series = ".".join(map(str, way.python.series))
    return f"compile {extension.package}/{extension.shown} {target} {'abi3-' * way.limited}{series}"


def join_task(extension: Extension, way: Way, parts: Sequence[Task], shop: Workshop) -> Task:
    """Return the task that puts the modules of several processors into one file (Apple's "universal binary")."""
    names = tuple(task.name for task in parts)

    def run(needs: Needs) -> ActionResult:
        made = [needs[name] for name in names]
        refused = next((result for result in made if "refused" in result.facts), None)
        if refused is not None:
            return refused
        thin = [shop.stored(result.outputs["module"], extension.name) for result in made]
        return ActionResult({"module": shop.store.put(macho.fat(thin))})

    return Task(
        name=_task_name(extension, way, way.target),
        package=extension.package,
        target=way.target.name,
        step="compile",
        kind=f"join-{macho.FAT_VERSION}",
        inputs=(("module", f"{extension.path} {extension.name}"),),
        needs=names,
        run=run,
        cost=0.01,
        label=extension.name,
        asked=(f"{extension.package} for {way.target.name}",),
    )


def _compile(extension: Extension, way: Way, whole: Target, shop: Workshop, runtime: str | None = None) -> Task:
    """Return the task that compiles and links an extension module for one processor; ``whole`` is what it is a part of."""
    name, target, choice = extension.name, way.target, needed(way)

    def run(needs: Needs) -> ActionResult:
        refused = next((result for result in needs.values() if "refused" in result.facts), None)
        if refused is not None:
            return refused
        c = c_source(needs[extension.c])
        objects: tuple[bytes, ...] = ()
        if runtime is not None:
            c, objects = _along(c, needs[runtime], shop, name)
        job = replace(
            module_job(name.rpartition(".")[2], extension.path, c, way, shop, choice),
            options=(*way.options, *_fitting(extension.options, target)),
            libraries=extension.libraries,
            own=extension.own,
            objects=objects,
        )
        try:
            with shop.folder() as folder:
                made = shop.toolchain(choice).build_module(job, folder)
        except UnknownOptionError as error:
            msg = f"{extension.said}.options: the compiler for {target.name} does not know {error.word}"
            raise SettingsError(msg, hint="Take it out, or say it for other targets only.", details=error.details) from error
        except RefusedError as error:
            if extension.own:
                raise _mistake(error, extension, target) from error
            return refused_by_c(error)
        if extension.own:
            _check_entry(made, job)
        return ActionResult({"module": shop.store.put(made)}, link_facts(target, made))

    return Task(
        name=_task_name(extension, way, whole),
        package=extension.package,
        target=whole.name,
        step="compile",
        kind=choice.kind,
        inputs=compile_inputs(extension, way, choice),
        needs=(extension.c, *([runtime] if runtime is not None else [])),
        run=run,
        cost=max(SMALLEST_SECONDS, extension.size * SECONDS_PER_BYTE),
        label=name,
        asked=(f"{extension.package} for {whole.name}",),
    )


def link_facts(target: Target, module: bytes) -> dict[str, str]:
    """Return what linking brought in and the words of its call do not tell."""
    return {STARTUP: "1"} if target.object_format == "coff" and coff.has_entry_point(module) else {}


def _fitting(options: Sequence[str], target: Target) -> tuple[str, ...]:
    """Return a person's words without those that a target has no use for.

    Debug information for macOS stays in the objects; the module would only name them, with this machine's paths.
    """
    return tuple(word for word in options if target.object_format != "macho" or not _DEBUG_WORD.fullmatch(word))


def _check_entry(made: bytes, job: ModuleJob) -> None:
    """Look whether Python will find the function that makes the module: a person's C may define it on some targets only.

    Raises:
        SourceError: It will not.
    """
    symbol = init_symbol(job.name)
    if not exports.shows(made, symbol, job.target.object_format):
        msg = f"{job.path} for {job.target.name} has no function {symbol} that is seen from outside"
        hint = f"Define it as `PyMODINIT_FUNC {symbol}(void)`, and on every target that has the file; in C++ without a namespace."
        raise SourceError(msg, hint=hint)


def _mistake(error: RefusedError, extension: Extension, target: Target) -> SourceError:
    """Return the error of a source that a person wrote: file, line and the compiler's first word, and all of them as details."""
    found = _FIRST_ERROR.search(error.details)
    where = f"{normpath(found['file'])}:{found['line']}: {found['message']}" if found else error.message
    hint = error.hint or "Correct the source; --keep-going finishes the other targets."
    if found and _NO_HEADER.search(found["message"]):
        hint = (
            "A header of an installed package is found when [tool.pypackpack.build] include-packages names the package; one of "
            "your own by its path from the source's folder, or from a folder in the extension's `include`."
        )
    return SourceError(f"{extension.name} does not compile for {target.name}: {where}", hint=hint, details=error.details)


def compile_inputs(extension: Extension, way: Way, choice: Choice) -> tuple[tuple[str, str], ...]:
    """Return what decides the result of a compile besides the C."""
    target, series = way.target, way.python.series
    flags = choice.flags(release=way.release)
    abi = f"abi3 {series}" if way.limited else ""
    further: list[object] = [extension.options, extension.libraries, _CHECKS if extension.own else False, abi]
    if way.defines or way.options:
        further += [way.defines, way.options]
    words = json.dumps([flags, target.suffix(series, limited=way.limited), way.release, *further])
    return (
        *choice.found.identity,
        ("flags", words),
        ("module", f"{extension.path} {extension.name}"),
        *_headers(way),
    )


def _headers(way: Way) -> tuple[tuple[str, str], ...]:
    return tuple((f"headers {number}", folder.digest) for number, folder in enumerate(way.headers, 1))


def needed(way: Way) -> Choice:
    """Return the toolchain of a target.

    Raises:
        WorkError: It is put together from others.
        MissingToolError: The toolchain is not there.
    """
    if way.choice is None:
        msg = f"{way.target.name} is put together from others, and has no toolchain of its own"
        raise WorkError(msg)
    way.choice.need()
    return way.choice


def object_toolchain(shop: Workshop, choice: Choice) -> ObjectToolchain:
    """Return a toolchain that compiles without linking.

    Raises:
        WorkError: It cannot.
    """
    tool = shop.toolchain(choice)
    if not isinstance(tool, ObjectToolchain):
        msg = f"{choice.adapter.title} cannot compile without linking"
        raise WorkError(msg)
    return tool


def refused_by_c(error: RefusedError) -> ActionResult:
    """Return the result of a task whose C a compiler refused: not kept, since another compiler may not."""
    return refusal(f"{error.message}\n{error.details}".strip(), keep=False)


def module_job(name: str, path: str, c: CSource, way: Way, shop: Workshop, choice: Choice) -> ModuleJob:
    """Return what a toolchain is to make of the C of a module.

    Args:
        name: The module's name, the last part of it.
        path: Its place below site-packages, with ``/``, without suffix.
        c: Its C.
        way: How it is compiled.
        shop: The tools.
        choice: What compiles it.

    Raises:
        LostError: The cache has the C no more.
        ConflictError: The headers are others than planned.
    """
    return ModuleJob(
        name=name,
        path=path,
        files={place: shop.stored(digest, f"the C of {path}") for place, digest in c.files.items()},
        sources=c.sources,
        target=way.target,
        python=way.python.series,
        headers=shop.sound(way.headers, way.target, way.python, choice.found.name),
        release=way.release,
        folders=c.folders,
        defines=(*c.defines, *way.defines),
        limited=way.limited,
        options=way.options,
    )


def _along(c: CSource, made: ActionResult, shop: Workshop, name: str) -> tuple[CSource, tuple[bytes, ...]]:
    """Return the C of a module, and the object of its runtime; the runtime's C instead, without an object that fits."""
    runtime = c_source(made)
    files = {**runtime.files, **c.files}
    folders = tuple(dict.fromkeys((*c.folders, *runtime.folders)))
    if "object" in made.outputs and all(files[path] == digest for path, digest in runtime.files.items()):
        return replace(c, files=files, folders=folders), (shop.stored(made.outputs["object"], f"the object of {name}"),)
    return replace(c, files=files, folders=folders, sources=(*c.sources, *runtime.sources)), ()
