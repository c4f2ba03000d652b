"""The extension modules of an editable package: its own native sources, built for the Python that imports it.

They lie in ``build/editable/native/<target>``, by their place in the package; modules for several Pythons side by side, since
their suffixes differ. Beside them stands, for each suffix, a list of the native sources that they were made of: by that the
finder (`pypackpack.client.editable_finder`) says that a module is older than its sources, and `are_current` that nothing is to be
done.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem, host
from pypackpack.middleware.editable.files import source_layers
from pypackpack.middleware.editable.places import extensions_folder
from pypackpack.middleware.project.toml import content_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

SUFFIXES = (
    *(".pyx", ".pxd", ".pxi", ".c", ".cc", ".cpp", ".cxx", ".c++"),
    *(".h", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".tcc", ".inc", ".def"),
)
"""Ends of names of native sources; a test compares them with what `compile.native.find` knows."""


def list_name(suffix: str) -> str:
    """Return the name of the list of sources that modules of a suffix were made of."""
    return f"sources{suffix}.txt"


def sources_listed(package: Package, target: Target) -> str:
    """Return size, time of change and path of every native source that is in force on a target, one a line; empty without any.

    The first line is a comment: the digest of what else decides what is built of them.
    """
    found: dict[str, str] = {}
    for layer in source_layers(package, target):
        for entry in _native_below(layer):
            state = entry.stat()
            found.setdefault(os.path.relpath(entry.path, layer), f"{state.st_size} {state.st_mtime_ns} {entry.path}")
    if not found:
        return ""
    head = filesystem.sha256_bytes(f"{__version__} {package.hooks.type} {content_digest(package.root / 'pyproject.toml')}")
    return "".join(f"{line}\n" for line in [f"# {head}", *(line for _, line in sorted(found.items()))])


def _native_below(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir():
                    yield from _native_below(entry.path)
                elif entry.name.endswith(SUFFIXES):
                    yield entry
    except FileNotFoundError:
        return


def are_current(package: Package, target: Target | None, python: PythonVersion) -> bool:
    """Tell whether `build_extensions` would build nothing; a walk over the sources, and no imports."""
    if target is None:
        return True
    with filesystem.explained("read", package.source):
        listed = sources_listed(package, target)
    if not listed:
        return True
    try:
        place = extensions_folder(package, target) / list_name(target.suffix(python))
        return place.read_text(encoding="utf-8", errors="surrogateescape") == listed
    except (OSError, UnicodeError):
        return False


def build_extensions(
    package: Package, project: Project, target: Target | None, python: Interpreter, *, offline: bool, watcher: Watcher
) -> tuple[str, ...]:
    """Build a package's own native sources for this machine, where its editable installation finds them.

    Args:
        package: The package.
        project: Its project.
        target: The machine's target; None on a system that is no target: there nothing is built.
        python: What imports them; with C headers.
        offline: Never touch the network.
        watcher: Told of the progress.

    Returns:
        The names of the extension modules.

    Raises:
        SourceError: A source has errors; what was built before stays, and the finder says that it is older.
        PyPackPackError: Something that is needed cannot be had.
    """
    if target is None:
        return ()
    listed = sources_listed(package, target)
    if not listed:
        return ()
    from pypackpack.middleware.compile.layers import Layers  # noqa: PLC0415 - import cost; most packages have none
    from pypackpack.middleware.compile.plan import PackagePlan  # noqa: PLC0415 - as above
    from pypackpack.middleware.compile.workshop import open_workshop  # noqa: PLC0415 - as above
    from pypackpack.middleware.graph.schedule import Rules, run_tasks  # noqa: PLC0415 - as above
    from pypackpack.model.build import BuildType, Level  # noqa: PLC0415 - as above

    _synchronise(package, project, target, python, offline=offline, watcher=watcher)
    folder, suffix = extensions_folder(package, target), target.suffix(python.series)
    with open_workshop(project, offline=offline, watcher=watcher) as shop:
        plan = PackagePlan(package, Level.INSTANT, BuildType(package.hooks.type), shop)
        plan.add(target, python, Layers(package).on(target))
        finished = run_tasks(plan.native_tasks, shop.store, Rules(jobs=host.cores()), watcher=watcher, distant=shop.distant)
        finished.check()
        contents = [content for content, _, _ in plan.own_made(target, python, finished.outcomes)]
        made = {each.place: shop.stored(each.digest, each.place) for each in contents}
        shop.check_sources()
    filesystem.remove_tree(folder / list_name(suffix))  # until all of them are there
    for place, data in made.items():
        filesystem.write_atomic(folder / place, data)
    for place in _placed(folder, suffix) - made.keys():
        filesystem.remove_tree(folder / place)
    filesystem.write_atomic(folder / list_name(suffix), listed.encode("utf-8", "surrogateescape"))
    return tuple(sorted(place.removesuffix(suffix).replace("/", ".") for place in made))


def _placed(folder: Path, suffix: str) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in filesystem.files_below(folder, installed=True)
        if path.name.endswith(suffix)
    }


def _synchronise(
    package: Package, project: Project, target: Target, python: Interpreter, *, offline: bool, watcher: Watcher
) -> None:
    """Make the environment that headers of installed packages are read in what the lock says."""
    if not package.settings(target).include_packages:
        return
    from pypackpack.middleware.environment.sync import sync  # noqa: PLC0415 - most packages include nothing

    sync(project, (package,), (target.name,), pythons=(python.series,), offline=offline, watcher=watcher)
