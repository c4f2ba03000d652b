"""One extension module for a whole package: its modules are compiled one by one, and linked into one file.

Each object has its own task, so that a changed module costs one compile and one link. The function that makes a module is
renamed in it, by its full name, and a small C file (``data/unit.c``) hands the definitions out by number.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack.client
import pypackpack.data
from pypackpack.backend import filesystem
from pypackpack.backend.tools.toolchain import RefusedError, init_symbol
from pypackpack.middleware.compile.choice import why_not_native
from pypackpack.middleware.compile.extension import (
    SECONDS_PER_BYTE,
    SMALLEST_SECONDS,
    common_tasks,
    compile_inputs,
    join_task,
    link_facts,
    module_job,
    needed,
    object_toolchain,
    refused_by_c,
)
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import CSource, c_source, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.middleware.compile.extension import Extension, Way
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.project import BuildSettings
    from pypackpack.model.target import Target

UNIT_COMPILERS = frozenset({"cython", "nuitka"})
"""Compilers whose C can be put into a unit: it defines modules by PEP 489, and exports nothing when it is told so."""

HOST = Path(pypackpack.data.__path__[0], "unit.c")
FINDER = Path(pypackpack.client.__path__[0], "unit_modules.py")
_TABLE = "unit_table.h"
_LINE = 24


@dataclass(frozen=True)
class Member:
    """One module of a unit.

    Attributes:
        extension: The module, as it would be made by itself.
        way: How.
        package: Whether it is the ``__init__`` of a package.
        tasks: Names of the tasks that make its object: of a target that is put together from others, one for each of these.
    """

    extension: Extension
    way: Way
    package: bool
    tasks: tuple[str, ...]


def why_no_unit(package: str, settings: BuildSettings, files: Iterable[SourceFile]) -> str:
    """Say why a package cannot be one extension module; empty when it can."""
    if not any(file.place == "__init__.py" for file in files):
        return f"{package}/__init__.py is not there, and would hold the other modules"
    if reason := why_not_native("__init__.py", settings.native):
        return f"{package}/__init__.py is not compiled ({reason}), and would hold the other modules"
    return ""


def symbol(name: str) -> str:
    """Return what the function that makes a module is called in a unit: no letter of a name is one of C's by right."""
    return f"pypackpack_unit_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def common(package: str, way: Way, shop: Workshop) -> tuple[tuple[Task, ...], ...]:
    """Return what the modules of a unit have in common (`extension.common_tasks`), for each processor that is linked for."""
    return tuple(common_tasks(package, part, way.target, shop) for part in way.parts or (way,))


def object_tasks(extension: Extension, way: Way, shop: Workshop, common: Sequence[str | None] = (None,)) -> tuple[Task, ...]:
    """Return the tasks that compile a module for a unit: one, or one for each processor of a target that is put together.

    Their results have the output ``object``; or they are refusals, the C's own or those of the compiler, which are not kept.

    Args:
        extension: The module.
        way: How it is compiled.
        shop: What tasks reach the world through.
        common: For each of them the name of the task that makes the C which the modules of the unit share, if any does.
    """
    parts = zip(way.parts or (way,), common, strict=True)
    return tuple(_object(extension, part, way.target, shop, shared) for part, shared in parts)


def _named(part: Target, whole: Target) -> str:
    """Return what a task's name calls a target; a part of another one says so, since that target's own settings made it."""
    return whole.name if part == whole else f"{whole.name} ({part.name})"


def _object(extension: Extension, way: Way, whole: Target, shop: Workshop, common: str | None) -> Task:
    name, series = extension.name, way.python.series
    target = _named(way.target, whole)
    renamed, choice = symbol(name), needed(way)

    def run(needs: Needs) -> ActionResult:
        refused = next((result for result in needs.values() if "refused" in result.facts), None)
        if refused is not None:
            return refused
        c, last = c_source(needs[extension.c]), name.rpartition(".")[2]
        if why := _why_apart(c, c_source(needs[common]) if common is not None else CSource({}, ())):
            return refusal(f'with unit = "package" it cannot be compiled: {why}')
        if c.member:
            c = replace(c, sources=(c.member,))
        job = module_job(last, extension.path, c, way, shop, choice)
        (source,) = job.sources
        head = f"#define MEMBER {renamed}\n#line 1\n".encode() if c.member else _head(init_symbol(last), renamed)
        job = replace(job, files={**job.files, source: head + job.files[source]})
        try:
            with shop.folder() as folder:
                made = object_toolchain(shop, choice).build_object(job, folder)
        except RefusedError as error:
            return refused_by_c(error)
        return ActionResult({"object": shop.store.put(made)})

    return Task(
        name=f"compile {extension.package}/{extension.shown} {target} unit-{'abi3-' * way.limited}{series[0]}.{series[1]}",
        package=extension.package,
        target=whole.name,
        step="compile",
        kind="unit-object-1",
        inputs=(*compile_inputs(extension, way, choice), ("renamed", renamed)),
        needs=(extension.c, *([common] if common is not None else [])),
        run=run,
        cost=max(SMALLEST_SECONDS, extension.size * SECONDS_PER_BYTE),
        label=name,
        asked=(f"{extension.package} for {whole.name}",),
    )


def link_tasks(
    unit: Extension, way: Way, members: Sequence[Member], shop: Workshop, common: Sequence[Sequence[str]] = ((),)
) -> tuple[Task, ...]:
    """Return the tasks that link a unit; the last one's result is it.

    That has the output ``module``. If the package's own ``__init__`` was refused, there is no unit, and the result is a
    refusal; any other module that was refused is left out.

    Args:
        unit: The package's own ``__init__``, which the file stands for.
        way: How it is linked.
        members: What is in it, the package's own ``__init__`` first.
        shop: What tasks reach the world through.
        common: For each processor the names of the tasks that make the objects which its modules have in common.
    """
    parts = enumerate(zip(way.parts or (way,), common, strict=True))
    links = tuple(_link(unit, part, number, way.target, members, shop, shared) for number, (part, shared) in parts)
    return (*links, join_task(replace(unit, shown="unit"), way, links, shop)) if way.parts else links


def _link(
    unit: Extension, way: Way, number: int, whole: Target, members: Sequence[Member], shop: Workshop, common: Sequence[str]
) -> Task:
    """Return the task that links a unit for one processor, whose tasks are those of that number."""
    series, choice = way.python.series, needed(way)
    target = _named(way.target, whole)

    def run(needs: Needs) -> ActionResult:
        if any("refused" in needs[task].facts for task in members[0].tasks):
            place = f"{unit.name}/__init__.py"
            reason = f'{place} cannot be compiled, and with unit = "package" it holds the other modules'
            return refusal(reason)
        if refused := next((needs[name] for name in common if "refused" in needs[name].facts), None):
            return refused
        # A module that one processor's compiler refused is in none of the parts: they are to have the same modules.
        made = [member for member in members if all("object" in needs[task].outputs for task in member.tasks)]
        objects = [*((each.tasks[number], each.extension.name) for each in made), *((each, unit.name) for each in common)]
        job = replace(
            module_job(unit.name.rpartition(".")[2], unit.path, CSource({}, (HOST.name,)), way, shop, choice),
            files={HOST.name: filesystem.read_bytes(HOST), _TABLE: table(unit.name, made)},
            objects=tuple(shop.stored(needs[task].outputs["object"], f"the object of {name}") for task, name in objects),
        )
        try:
            with shop.folder() as folder:
                linked = object_toolchain(shop, choice).build_module(job, folder)
        except RefusedError as error:
            if error.details:  # the compiler's words about unit.c, which is ours
                raise
            return refusal(error.message, keep=False)
        return ActionResult({"module": shop.store.put(linked)}, link_facts(way.target, linked))

    return Task(
        name=f"compile {unit.package}/unit {target} {'abi3-' * way.limited}{series[0]}.{series[1]}",
        package=unit.package,
        target=whole.name,
        step="compile",
        kind="unit-2",
        inputs=(
            *compile_inputs(unit, way, choice),
            ("unit.c", filesystem.sha256_file(HOST)),
            ("unit_modules.py", filesystem.sha256_file(FINDER)),
            ("modules", json.dumps([[member.extension.name, member.package] for member in members])),
        ),
        needs=(*(task for member in members for task in member.tasks), *common),
        run=run,
        cost=SMALLEST_SECONDS,
        label=unit.name,
        asked=(f"{unit.package} for {whole.name}",),
    )


def _why_apart(c: CSource, common: CSource) -> str:
    """Say why a module cannot be joined with others; empty when it can: what all have in common is what it was made with, too."""
    if c.apart:
        return c.apart
    other = [path for path, digest in common.files.items() if c.files.get(path, digest) != digest]
    return f"its {', '.join(other)} is another than that of the other modules" if other else ""


def _head(own: str, renamed: str) -> bytes:
    """Return what stands before a module's C: its function has another name, and nobody outside of the file sees it."""
    lines = [
        "#define CYTHON_NO_PYINIT_EXPORT",
        f"#define {own} {renamed}",
        "#if defined(__GNUC__) && !defined(_WIN32)",
        '__attribute__((visibility("hidden")))',
        "#endif",
        f"struct _object *{renamed}(void);",
        "#line 1",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def table(name: str, members: Sequence[Member]) -> bytes:
    """Return ``unit_table.h``: the functions by number, and the Python text that finds the modules."""
    rows = {member.extension.name: (number, member.package) for number, member in enumerate(members)}
    filled = ", ".join(f"{each!a}: {row!r}" for each, row in rows.items())
    text = filesystem.read_bytes(FINDER) + f"\nMODULES.update({{{filled}}})\n".encode() + b"\0"
    symbols = [symbol(member.extension.name) for member in members]
    hidden = '#if defined(__GNUC__) && !defined(_WIN32)\n#define UNIT_HIDDEN __attribute__((visibility("hidden")))\n#else\n'
    parts = [
        f"#define UNIT_NAME {json.dumps(name)}\n#define UNIT_INIT {init_symbol(name.rpartition('.')[2])}\n",
        f"{hidden}#define UNIT_HIDDEN\n#endif\n",
        *(f"UNIT_HIDDEN PyObject *{each}(void);\n" for each in symbols),
        "static PyObject *(*const unit_inits[])(void) = {\n",
        *(f"    {each},\n" for each in symbols),
        "};\nstatic const char unit_modules[] = {\n",
        *(", ".join(map(str, text[at : at + _LINE])) + ",\n" for at in range(0, len(text), _LINE)),
        "};\n",
    ]
    return "".join(parts).encode()
