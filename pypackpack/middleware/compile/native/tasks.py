"""From a package's own native sources to the C of an extension module, as tasks."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pypackpack.backend.tools import pyx
from pypackpack.backend.tools.toolchain import is_cplusplus
from pypackpack.middleware.compile.layers import module_name
from pypackpack.middleware.compile.native import text
from pypackpack.middleware.compile.native.find import COMPILED, CYTHON, INCLUDED, by_place
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import CSource
from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.native.find import NativeModule
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

SECONDS_PER_BYTE = 1 / 40_000
_NEVER_INCLUDED = (".py", ".pyi", *CYTHON)
"""Whatever else is in the package may be: lists of words, tables, what ``#embed`` puts in."""


def import_name(package: Package, module: NativeModule) -> str:
    """Return the full name of an extension module."""
    return module_name(package.import_name, f"{module.path}.py")


def pyx_task(module: NativeModule, package: Package, files: Sequence[SourceFile], shop: Workshop) -> Task:
    """Return the task that lets Cython make C of a ``.pyx`` file, with the defaults that Cython has for such files.

    It sees the package's Cython sources and nothing else; targets that have the same ones share it.

    Raises:
        SourceError: When it runs: Cython found errors.
    """
    main = module.main
    assert main is not None  # noqa: S101 - only such modules come here
    seen = {f"{package.import_name}/{place}": file for place, file in by_place(files, CYTHON).items()}
    place, name = f"{package.import_name}/{main.place}", import_name(package, module)
    packages = sorted({posixpath.dirname(f"{package.import_name}/{file.place}") for file in files})
    suffix = ".cpp" if module.cplusplus else ".c"
    layers = sorted({file.layer for file in seen.values()} - {"main"})

    def run(_needs: Needs) -> ActionResult:
        made = shop.pyx.transcompile(
            place, name, {each: shop.read(file) for each, file in seen.items()}, packages, cplusplus=module.cplusplus
        )
        if made.errors:
            lines = [f"{seen[each.file].path if each.file in seen else each.file}:{each.where}" for each in made.errors]
            raise SourceError(lines[0], details="\n".join(lines[1:]), hint="That is what Cython says.")
        return ActionResult({each: shop.store.put(data) for each, data in made.files.items()})

    return Task(
        name=f"transcompile {package.name}/src/{main.layer}/{main.place}" + "".join(f" {layer}" for layer in layers),
        package=package.name,
        target="",
        step="transcompile",
        kind="transcompile-pyx-1",
        inputs=(
            *((each, shop.digests.planned(file.path)[0]) for each, file in sorted(seen.items())),
            ("place", place),
            ("module", name),
            ("language", suffix),
            ("packages", "\n".join(packages)),
            ("Cython", pyx.fingerprint()),
        ),
        run=run,
        cost=0.3 + shop.digests.planned(main.path)[1] * SECONDS_PER_BYTE,
        label=place,
        asked=(package.name,),
    )


def gather_task(
    module: NativeModule, package: Package, target: Target, files: Sequence[SourceFile], shop: Workshop, made: Task | None
) -> Task:
    """Return the task that puts together what is compiled into an extension module: its sources, and what they include.

    Args:
        module: The module.
        package: Its package.
        target: The target.
        files: The package's files on the target.
        shop: The tools of the build.
        made: The task that makes its C, if it is a Cython module.

    Raises:
        SourceError: When it runs: a source includes a file by a path that leads out of the package.
    """
    top = package.import_name
    seen = {f"{top}/{file.place}": file for file in files if not file.place.endswith(_NEVER_INCLUDED)}
    folders = tuple(posixpath.normpath(f"{top}/{folder}") for folder in module.settings.include)
    own = tuple(f"{top}/{place}" for place in module.sources)

    def run(needs: Needs) -> ActionResult:
        digests = {place: shop.store.put(shop.read(seen[place])) for place in own}
        texts = {place: text.decoded(shop.read(seen[place])) for place in own}
        outputs = needs[made.name].outputs if made is not None else {}
        for place, digest in outputs.items():
            if place in seen and place.endswith(INCLUDED):
                msg = f"{seen[place].path} has the name of a header that Cython makes of {module.name} (public, api)"
                raise SourceError(msg, hint="Rename the header.")
            digests[place], texts[place] = digest, text.decoded(shop.stored(digest, place))
        for place in _reached(texts, seen, folders, shop):
            digests[place] = shop.store.put(shop.read(seen[place]))
        sources = (*(place for place in sorted(outputs) if place.endswith(COMPILED)), *own)
        return CSource(digests, sources, folders, module.settings.define).result()

    return Task(
        name=f"gather {package.name}/{module.name} {target.name}",
        package=package.name,
        target=target.name,
        step="gather",
        kind="gather-2",
        inputs=(
            *((place, shop.digests.planned(file.path)[0]) for place, file in sorted(seen.items())),
            ("sources", "\n".join(own)),
            ("folders", "\n".join(folders)),
            ("macros", repr(module.settings.define)),
        ),
        needs=(made.name,) if made is not None else (),
        run=run,
        cost=0.02,
        label=f"{top}/{module.path}",
        asked=(f"{package.name} for {target.name}",),
    )


def _reached(texts: Mapping[str, str], seen: Mapping[str, SourceFile], folders: Sequence[str], shop: Workshop) -> list[str]:
    """Return the files that some texts include, and what these include.

    Where a macro names a file it may be any header; a compiler that is given too many sees what it would have seen anyway.

    Raises:
        SourceError: A name leads out of the package.
    """
    found: dict[str, None] = {}
    waiting = list(texts.items())
    while waiting:
        place, content = waiting.pop()
        if text.reads_file(content):
            shown = seen[place].path if place in seen else place
            msg = f"{shown}: .incbin reads a file that no key would have"
            raise SourceError(msg, hint="Write `#embed` instead, or an array of its bytes.")
        names = [(name, embedded) for embedded in (False, True) for name in text.includes(content, embedded=embedded)]
        for name, embedded in names:
            if name is None:
                near = [each for each in seen if each.endswith(INCLUDED)]
            else:
                _check(name, place, seen)
                starts = (posixpath.dirname(place), *folders)
                near = [each for start in starts if (each := posixpath.normpath(posixpath.join(start, name))) in seen]
            for each in near:
                if each not in found and each not in texts:
                    found[each] = None
                    if not embedded:
                        waiting.append((each, text.decoded(shop.read(seen[each]))))
    return list(found)


def _check(name: str, place: str, seen: Mapping[str, SourceFile]) -> None:
    """Refuse a name that leads out of the package: what lies there is in no key, and on another machine something else."""
    path = name.replace("\\", "/")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
    if path.startswith("/") or path[1:2] == ":" or there.startswith("../") or "\0" in path:
        shown = seen[place].path if place in seen else place
        msg = f'{shown}: it includes "{name}", which leads out of the package'
        raise SourceError(msg, hint="Put the header into the package, and include it by a relative path.")


def sources_bytes(module: NativeModule, files: Sequence[SourceFile], shop: Workshop) -> int:
    """Return the size of what is compiled into a module; of a Cython module, about what Cython makes of it."""
    by = {file.place: file for file in files}
    size = sum(shop.digests.planned(by[place].path)[1] for place in module.sources)
    if module.main is not None and module.is_cython:
        size += shop.digests.planned(module.main.path)[1]
    return size


def has_cplusplus(module: NativeModule) -> bool:
    """Tell whether a module has C++ in it."""
    return module.cplusplus or any(is_cplusplus(place) for place in module.sources)
