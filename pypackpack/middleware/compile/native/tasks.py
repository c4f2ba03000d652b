"""From a package's own native sources to the C of an extension module, as tasks."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import pyx
from pypackpack.backend.tools.toolchain import is_cplusplus
from pypackpack.middleware.compile.extension import Extension
from pypackpack.middleware.compile.layers import module_name
from pypackpack.middleware.compile.native import cimports, text
from pypackpack.middleware.compile.native.find import COMPILED, CYTHON, INCLUDED, by_place
from pypackpack.middleware.compile.native.packages import Foreign
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import CSource
from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.native.find import NativeModule
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

SECONDS_PER_BYTE = 1 / 40_000
NEVER_INCLUDED = (".py", ".pyi", *CYTHON)
"""Whatever else is in the package may be: lists of words, tables, what ``#embed`` puts in."""
_NOT_FOUND = re.compile(r"'([^'\n]+)\.pxd' not found")


def import_name(package: Package, module: NativeModule) -> str:
    """Return the full name of an extension module."""
    return module_name(package.import_name, f"{module.path}.py")


def pyx_task(
    module: NativeModule, package: Package, files: Sequence[SourceFile], shop: Workshop, foreign: Foreign | None = None
) -> Task:
    """Return the task that lets Cython make C of a ``.pyx`` file, with the defaults that Cython has for such files.

    It sees what it cimports and includes, of the package's Cython sources and of those of installed packages, and nothing else;
    targets that have the same share it.

    Raises:
        SourceError: When it runs: Cython found errors.
    """
    main = module.main
    assert main is not None  # noqa: S101 - only such modules come here
    place, name = f"{package.import_name}/{main.place}", import_name(package, module)
    seen, packages = declarations(place, main, package, files, foreign or Foreign(), shop)
    suffix = ".cpp" if module.cplusplus else ".c"

    def run(_needs: Needs) -> ActionResult:
        made = shop.pyx.transcompile(
            place, name, {each: shop.read(file) for each, file in seen.items()}, packages, cplusplus=module.cplusplus
        )
        if made.errors:
            lines = [f"{seen[each.file].path if each.file in seen else each.file}:{each.where}" for each in made.errors]
            raise SourceError(lines[0], details="\n".join(lines[1:]), hint=pyx_hint(made.errors, foreign))
        return ActionResult({each: shop.store.put(data) for each, data in made.files.items()})

    return Task(
        name=f"transcompile {package.name}/src/{main.layer}/{main.place}{variant(seen, foreign or Foreign(), shop)}",
        package=package.name,
        target="",
        step="transcompile",
        kind="transcompile-pyx-2",
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


def pyx_hint(errors: Sequence[pyx.Problem], foreign: Foreign | None) -> str:
    """Return what a person can do about what Cython says."""
    lost = [found[1] for each in errors if (found := _NOT_FOUND.search(each.where))]
    if lost and (foreign is None or not foreign.files):
        return (
            f"Is {lost[0].partition('/')[0]} a package that is installed? Name it in [tool.pypackpack.build] include-packages; "
            "declarations of your own are .pxd files by their place in the package."
        )
    if lost:
        return "Declarations are .pxd files: your own by their place in the package, others of what include-packages names."
    return "Correct the source at that line: these are Cython's words."


def declarations(
    place: str, main: SourceFile, package: Package, files: Sequence[SourceFile], foreign: Foreign, shop: Workshop
) -> tuple[dict[str, SourceFile], list[str]]:
    """Return what Cython may look at for a source (place → file, its own first), and the folders that it has to know as packages.

    Args:
        place: Place of the source, below the folder that the package lies in.
        main: The source.
        package: Its package.
        files: The package's files on the target.
        foreign: What it may use of installed packages.
        shop: The tools of the build.
    """
    top = package.import_name
    known = {**foreign.declarations, **{f"{top}/{each}": file for each, file in by_place(files, CYTHON).items()}, place: main}
    reached = cimports.reached(place, known, lambda each: text.decoded(shop.read(known[each])))
    folders = {posixpath.dirname(f"{top}/{file.place}") for file in files} | foreign.packages
    return {each: known[each] for each in reached.places}, reached.packages(folders)


def variant(seen: Mapping[str, SourceFile], foreign: Foreign, shop: Workshop) -> str:
    """Return what parts the name of a task from those of targets that see other files: their layers, and the packages."""
    layers = sorted({file.layer for file in seen.values()} - {"main", ""})
    theirs = {place: file for place, file in seen.items() if not file.layer}
    words = "".join(f" {layer}" for layer in layers)
    if theirs:
        digests = "".join(shop.digests.planned(file.path)[0] for _, file in sorted(theirs.items()))
        words += f" with {foreign.label_of(theirs)} ({filesystem.sha256_bytes(digests)[:8]})"
    return words


def gather_task(
    module: NativeModule,
    package: Package,
    target: Target,
    files: Sequence[SourceFile],
    shop: Workshop,
    made: Task | None,
    foreign: Foreign | None = None,
) -> Task:
    """Return the task that puts together what is compiled into an extension module: its sources, and what they include.

    Args:
        module: The module.
        package: Its package.
        target: The target.
        files: The package's files on the target.
        shop: The tools of the build.
        made: The task that makes its C, if it is a Cython module.
        foreign: What it may use of installed packages.

    Raises:
        SourceError: When it runs: a source includes a file by a path that leads out of the package.
    """
    top, foreign = package.import_name, foreign or Foreign()
    seen = {f"{top}/{file.place}": file for file in files if not file.place.endswith(NEVER_INCLUDED)} | foreign.headers
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
        for place in included(texts, seen, (*folders, *foreign.include), shop):
            digests[place] = shop.store.put(shop.read(seen[place]))
        sources = (*(place for place in sorted(outputs) if place.endswith(COMPILED)), *own)
        return CSource(digests, sources, (*folders, *used(foreign.include, digests)), module.settings.define).result()

    return Task(
        name=f"gather {package.name}/{module.name} {target.name}{variant(foreign.headers, foreign, shop)}",
        package=package.name,
        target=target.name,
        step="gather",
        kind="gather-3",
        inputs=(
            *((place, shop.digests.planned(file.path)[0]) for place, file in sorted(seen.items())),
            ("sources", "\n".join(own)),
            ("folders", "\n".join((*folders, *foreign.include))),
            ("macros", repr(module.settings.define)),
        ),
        needs=(made.name,) if made is not None else (),
        run=run,
        cost=0.02,
        label=f"{top}/{module.path}",
        asked=(f"{package.name} for {target.name}",),
    )


def own_extension(
    module: NativeModule, package: Package, target: Target, files: Sequence[SourceFile], shop: Workshop, gathered: str
) -> Extension:
    """Return what is to be compiled: a module of a person's own; ``gathered`` names the task that puts its sources together."""
    return Extension(
        package.name,
        module.name,
        import_name(package, module),
        f"{package.import_name}/{module.path}",
        gathered,
        sources_bytes(module, files, shop),
        options=module.settings.options,
        libraries=module.libraries(target),
        own=True,
        said=f"{package.root / 'pyproject.toml'}: tool.pypackpack.build.extension.{module.name}",
    )


def used(folders: Iterable[str], places: Iterable[str]) -> tuple[str, ...]:
    """Return the folders in which some of the places lie."""
    there = tuple(places)
    return tuple(folder for folder in folders if any(place.startswith(f"{folder}/") for place in there))


def included(texts: Mapping[str, str], seen: Mapping[str, SourceFile], folders: Sequence[str], shop: Workshop) -> list[str]:
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
