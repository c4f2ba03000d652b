"""``target add``, ``target remove`` and ``target list`` as plain functions.

Nothing is half added: the environments are filled first, for a project that has the new targets only in memory; the
settings are written last, and whatever was made before is taken away again when a step fails.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING

from pypackpack.backend.undo import Undo
from pypackpack.middleware.target import folders, table
from pypackpack.middleware.target.asked import packages_of, targets_of
from pypackpack.model.build import Silent
from pypackpack.model.errors import (
    ConflictError,
    DependencyConflictError,
    NoSuchDependencyError,
    NoWheelError,
)
from pypackpack.model.target import TargetChange, TargetListing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument

    from pypackpack.middleware.environment.commit import Ready
    from pypackpack.middleware.project.edit import Edit
    from pypackpack.middleware.target.asked import Asked
    from pypackpack.model.build import Watcher
    from pypackpack.model.environment import SyncResult
    from pypackpack.model.errors import PyPackPackError
    from pypackpack.model.host import Host
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

_MISSING = (NoWheelError, NoSuchDependencyError, DependencyConflictError)
"""What one target's dependencies may fail with while another's do not."""

BUILDERS = {"zig": "zig", "gcc": "gcc", "clang": "clang", "ndk": "NDK", "xcode": "Xcode", "msvc": "MSVC", "emcc": "emcc"}


def add_targets(project: Project, asked: Asked, watcher: Watcher, *, offline: bool = False) -> tuple[TargetChange, ...]:
    """Add targets to packages: settings, environments with every dependency, and source folders.

    The source folder is the family's (``src/windows``), also for a single target: an overlay for one target alone
    (``src/windows_amd64``) is a person's own decision.

    A target is added whole or not at all. Of several, those that every dependency can be had for are added although others are
    not; the error then names both.

    Args:
        project: The project.
        asked: Which targets, of which packages; a family means its default target.
        watcher: Told which packages are meant, what an alias was taken for, and of the work.
        offline: Install from caches and ``vendor/`` only.

    Raises:
        UnknownTargetError: A word names no target; nothing has changed.
        UsageError: There is no such package.
        NoWheelError: A dependency has no wheel for a target. (NoSuchDependencyError, DependencyConflictError: likewise.)
        PyPackPackError: A folder cannot be written, or (ConflictError) a pyproject.toml was changed meanwhile; everything is as
            before.
    """
    wanted = targets_of(asked, watcher)
    names = [package.name for package in packages_of(asked, project, watcher)]
    with _held(project, names, watcher) as (now, packages):
        try:
            return _add(now, packages, wanted, offline=offline, watcher=watcher)
        except _MISSING as error:
            if len(wanted) == 1:
                raise
            first = error
        missing: dict[Target, PyPackPackError] = {}
        for target in wanted:
            try:
                with _ready(now, _grown(packages, (target,)), (target,), offline=offline, watcher=Silent()):
                    pass
            except _MISSING as error:  # noqa: PERF203 - each target's own answer is what is asked for
                missing[target] = error
        if not missing:
            raise first  # each alone could be added; together they cannot
        there = {target: word for target, word in wanted.items() if target not in missing}
        changes = _add(now, packages, there, offline=offline, watcher=watcher) if there else ()
        raise _some_missing(missing, changes)


def _add(
    project: Project, packages: Sequence[Package], wanted: Mapping[Target, str], *, offline: bool, watcher: Watcher
) -> tuple[TargetChange, ...]:
    """Add targets to packages, all of them or none."""
    from pypackpack.middleware.environment.commit import WAY_OUT, commit  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.edit import plan_edit  # noqa: PLC0415 - import cost

    changes: list[TargetChange] = []
    edits: list[Edit] = []
    with Undo(WAY_OUT) as undo:
        for package in packages:
            fresh = [target for target in wanted if target not in package.targets]
            if fresh:
                names = [target.name for target in fresh]
                edits.append(plan_edit(package.root / "pyproject.toml", functools.partial(_append, names=names)))
            for target, word in wanted.items():
                made = folders.make_folders(undo, project, package, target)
                changes.append(TargetChange(package.name, target.name, word, target in fresh, made))
        grown = _grown(packages, tuple(wanted))
        with _ready(project, grown, tuple(wanted), offline=offline, watcher=watcher) as ready:
            results = commit(ready, edits, undo)
    return _with_results(changes, grown, results)


def _grown(packages: Sequence[Package], targets: Sequence[Target]) -> tuple[Package, ...]:
    """Return packages as they would be with more targets."""
    return tuple(dataclasses.replace(package, targets=tuple(dict.fromkeys((*package.targets, *targets)))) for package in packages)


def _some_missing(missing: Mapping[Target, PyPackPackError], changes: Sequence[TargetChange]) -> PyPackPackError:
    """Return the error for targets that could not be added; each one's reason is in it."""
    errors = list(missing.values())
    added = list(dict.fromkeys(change.target for change in changes if change.changed))
    names = [target.name for target in missing]
    msg = f"{' and '.join(names)} could not be added, and nothing of {'it' if len(names) == 1 else 'them'} is there"
    if added:
        msg += f"; {' and '.join(added)} {'was' if len(added) == 1 else 'were'} added"
    lines = [
        "; ".join(
            [f"{target.name}: {error.message}", *(line for line in error.details.splitlines() if line.startswith("what it has:"))]
        )
        for target, error in missing.items()
    ]
    return type(errors[0])(msg, hint=errors[0].hint, details="\n".join(lines))


@contextlib.contextmanager
def _held(project: Project, names: Sequence[str], watcher: Watcher) -> Iterator[tuple[Project, tuple[Package, ...]]]:
    """Let nobody else work on some packages, and give the project and them as their settings say now."""
    from pypackpack.middleware.environment.sync import exclusive  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - import cost

    with contextlib.ExitStack() as held:
        meant = [package for package in project.packages if package.name in names]
        for package in sorted(meant, key=lambda each: each.root):  # in one order everywhere: nobody waits for each other
            held.enter_context(exclusive(package, watcher))
        now = load_project(project.root)
        packages = tuple(package for package in now.packages if package.name in names)
        if len(packages) != len(names):
            msg = "a package was removed meanwhile"
            raise ConflictError(msg, hint="Run the same command again.")
        yield now, packages


def remove_targets(project: Project, asked: Asked, watcher: Watcher, *, offline: bool = False) -> tuple[TargetChange, ...]:
    """Take targets out of packages: settings, lock and environments; sources that a person wrote stay.

    A family means all of the package's targets in it; when these are several, they are named. The family's source folder goes
    only when the last target of the family does and nothing but our ``.gitkeep`` lies in it. Dependencies keep their markers.

    Args:
        project: The project.
        asked: Which targets, of which packages.
        watcher: Told which packages are meant, and of the work.
        offline: Never touch the network.

    Raises:
        UnknownTargetError: A word names no target.
        UsageError: No such package, or none of the packages has the target.
        ConflictError: A pyproject.toml was changed meanwhile; everything is as before.
        PyPackPackError: A lock cannot be brought up to date, a folder not be moved or a file not be written; everything is as
            before.
    """
    names = [package.name for package in packages_of(asked, project, watcher)]
    with _held(project, names, watcher) as (now, packages):
        return _remove_from(now, packages, asked.words, offline=offline, watcher=watcher)


def _remove_from(
    project: Project, packages: Sequence[Package], words: Sequence[str], *, offline: bool, watcher: Watcher
) -> tuple[TargetChange, ...]:
    from pypackpack.middleware.environment.commit import WAY_OUT, commit  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.edit import plan_edit  # noqa: PLC0415 - import cost

    every = tuple(dict.fromkeys(target for package in packages for target in package.targets))
    for word in words:
        table.resolve([word], every, what="target remove")
    changes: list[TargetChange] = []
    edits: list[Edit] = []
    gone: list[Path] = []
    meant = {
        package.name: {target: word for word in words for target in table.matching(word, package.targets)} for package in packages
    }
    for package in packages:
        for word in words:
            found = [target.name for target, said in meant[package.name].items() if said == word]
            if len(found) > 1:
                watcher.note(f"{word} is {', '.join(found)} in {package.name}")
    # What was never locked has nothing that could fall behind.
    shrunk = [
        dataclasses.replace(package, targets=tuple(target for target in package.targets if target not in meant[package.name]))
        for package in packages
        if meant[package.name] and (package.root / "pyproject.lock").is_file()
    ]
    with _ready(project, shrunk, None, offline=offline, watcher=watcher) as ready, Undo(WAY_OUT) as undo:
        for package in packages:
            said = meant[package.name]
            if not said:
                continue
            left = [target for target in package.targets if target not in said]
            edits.append(plan_edit(package.root / "pyproject.toml", functools.partial(_strike, gone=tuple(said))))
            families = {target.family for target in said} - {target.family for target in left}
            for target, word in said.items():
                ours = [package.build_folder / "crossenv" / target.name, package.source / target.name]
                if target.family in families:
                    ours.append(package.source / target.family)
                    families.discard(target.family)
                moved = [path for path in ours if path.parent != package.source or folders.is_bare(path)]
                moved = [path for path in moved if path.exists()]
                gone.extend(folders.set_aside(undo, package, path) for path in moved)
                shown = tuple(path.relative_to(project.root).as_posix() for path in moved)
                changes.append(TargetChange(package.name, target.name, word, changed=True, folders=shown))
        results = commit(ready, edits, undo)
    for path in gone:
        folders.remove(path)  # what Windows holds in use stays in build/, where `clean` takes it
    return _with_results(changes, shrunk, results)


def list_targets(project: Project | None) -> tuple[TargetListing, ...]:
    """Return every known target, with the versioned ones that the project's packages have after their row's.

    ``project`` is None outside of one: then none is enabled anywhere.
    """
    from pypackpack.backend.host import this_host  # noqa: PLC0415 - import cost

    users: dict[Target, list[Package]] = {target: [] for target in table.targets().values()}
    for package in project.packages if project else ():
        for target in package.targets:
            users.setdefault(target, []).append(package)
    order = {name: number for number, name in enumerate(table.targets())}
    host = this_host()
    ordered = sorted(users, key=lambda target: (order[target.row], target.name != target.row, target.name))
    return tuple(_listing(target, tuple(users[target]), host) for target in ordered)


# -------------------------------------------------------------------------------------------------------------- settings


def _append(document: TOMLDocument, names: Sequence[str]) -> None:
    from pypackpack.middleware.project.edit import append_word, table_at  # noqa: PLC0415 - import cost

    ours = table_at(document, "tool.pypackpack")
    if "targets" not in ours:
        ours["targets"] = list(names)
        return
    for name in names:
        append_word(ours["targets"], name)


def _strike(document: TOMLDocument, gone: Sequence[Target]) -> None:
    from pypackpack.middleware.project.edit import table_at  # noqa: PLC0415 - import cost

    array = table_at(document, "tool.pypackpack")["targets"]
    for number in reversed(range(len(array))):
        if table.find(array[number]) in gone:
            del array[number]


# ---------------------------------------------------------------------------------------------------------- dependencies


def _with_results(
    changes: Sequence[TargetChange], packages: Sequence[Package], results: Sequence[SyncResult]
) -> tuple[TargetChange, ...]:
    """Return changes with what became of each package's environments, at the package's last one."""
    became = {package.name: result for package, result in zip(packages, results, strict=True)}
    last = {change.package: number for number, change in enumerate(changes)}
    return tuple(
        dataclasses.replace(change, synced=became.get(change.package)) if last[change.package] == number else change
        for number, change in enumerate(changes)
    )


@contextlib.contextmanager
def _ready(
    project: Project, packages: Sequence[Package], targets: Sequence[Target] | None, *, offline: bool, watcher: Watcher
) -> Iterator[list[Ready]]:
    """Make everything for every package ready aside, before anything of any package is put in place.

    ``targets`` are those whose environments are made; None means all of each package.
    """
    from pypackpack.middleware.environment import sync  # noqa: PLC0415 - import cost

    grown = {package.root: package for package in packages}
    whole = dataclasses.replace(project, packages=tuple(grown.get(each.root, each) for each in project.packages))
    with contextlib.ExitStack() as rooms:
        yield [
            rooms.enter_context(
                sync.prepared(
                    whole, package, package.targets if targets is None else targets, offline=offline, held=True, watcher=watcher
                )
            )
            for package in packages
        ]


# --------------------------------------------------------------------------------------------------------------- listing


def _listing(target: Target, users: tuple[Package, ...], host: Host) -> TargetListing:
    from pypackpack.middleware.compile.toolchains import choices, serving  # noqa: PLC0415 - import cost
    from pypackpack.model.project import BuildSettings  # noqa: PLC0415 - import cost

    row = table.row_of(target)
    versions = row.versions.name.replace("{version}", "<version>") if row.versions and target.name == row.name else ""
    settings = [package.settings(target) for package in users] or [BuildSettings()]
    found = [choice for each in settings for choice in choices(target, each)]
    unusable = next((choice.found for choice in found if choice.found.missing), None)
    shown = unusable or found[0].found
    runner, program = _runner(target, host)
    return TargetListing(
        name=target.name,
        family=target.family,
        summary=target.summary,
        versions=versions,
        enabled_in=tuple(package.name for package in users),
        builder=", ".join(dict.fromkeys(BUILDERS[choice.found.name] for choice in found)),
        buildable=unusable is None,
        why_not=shown.missing,
        runner=runner,
        runner_path=program,
        builder_version=shown.version,
        builder_path=shown.place,
        what_to_do=shown.hint,
        toolchains=tuple(name for part in table.parts_of(target)[:1] for name in serving(part)),
    )


def _runner(target: Target, host: Host) -> tuple[str, Path | None]:
    """Return what runs a target's programs on this machine, and where it is."""
    from pypackpack.backend.host import find_program  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target.rows import numbers  # noqa: PLC0415 - import cost

    own = table.target_of_host(host)
    row = table.row_of(target)
    if own is not None and (target.row == own.row or own.row in row.also_on):
        too_new = row.libc == "glibc" and host.libc_version and numbers(target.version) > numbers(host.libc_version)
        return ("", None) if too_new else ("itself", None)
    runner = row.runner
    if runner is None or (runner.hosts and host.system not in runner.hosts):
        return "", None
    if runner.machines and host.machine not in runner.machines:
        return "", None
    found = find_program(runner.programs)
    return (found.name, found) if found else ("", None)
