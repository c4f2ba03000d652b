"""`pypackpack <package> add` and `remove`: a dependency for all or some of a package's targets.

The change is planned in memory, everything is resolved and installed aside for the package as it would be, and only then are
pyproject.toml, lock and environments put in place together. What needs the package is taken along: its lock has the package's
dependencies too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.dependency import lines as rules
from pypackpack.middleware.dependency.platforms import NOWHERE
from pypackpack.middleware.project.edit import append_word, plan_edit, table_at
from pypackpack.middleware.project.toml import parse, read_toml
from pypackpack.middleware.project.words import nearest
from pypackpack.model.environment import DependencyChange, LineChange
from pypackpack.model.errors import ConflictError, DamagedLockError, NewerLockError, SettingsError, UsageError
from pypackpack.model.names import normalise
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument

    from pypackpack.middleware.dependency.lines import Choice, Dependencies, Line
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a package's dependencies.

    Attributes:
        words: To add, PEP 508 strings; to remove, names of distributions.
        targets: For which targets, as typed; empty means everywhere.
        offline: Never touch the network.
        uv_options: More options for uv, as typed.
    """

    words: tuple[str, ...]
    targets: tuple[str, ...] = ()
    offline: bool = False
    uv_options: tuple[str, ...] = ()


def add(project: Project, package: Package, wanted: Wanted, watcher: Watcher) -> DependencyChange:
    """Add dependencies to a package and install them.

    Args:
        project: The project.
        package: Whose dependencies.
        wanted: Which, and where; a name alone keeps the versions that another line of it asks for.
        watcher: Told of the progress.

    Raises:
        UsageError: A word is not a requirement, or cannot be used together with ``--target``; or one of uv's options is none
            that can be used here.
        NoSuchDependencyError: The index has no such distribution or version.
        NoWheelError: It has no wheel for one of the targets.
        PackageIndexError: The index is out of reach.
    """
    lines = [_requirement(text, project, package, with_targets=bool(wanted.targets)) for text in wanted.words]
    _refuse_twice(lines)

    def plan(now: Package, choice: Choice, before: Dependencies) -> Dependencies:
        for target in choice.unsaid:
            watcher.note(
                f"no marker tells {target.name} from the package's other targets: what is added for it goes to "
                f"[tool.pypackpack.target.{target.name}] dependencies, and into the metadata of that target's wheels only"
            )
        ours = {normalise(each.name): each.name for each in project.packages}
        for name in dict.fromkeys(line.name for line in lines if line.name in ours and not before.of(line.name)):
            watcher.note(f"{name} is the package {ours[name]} of this project, not the index's")
        after, left = rules.narrowed(before, lines) if choice.everywhere else (before, tuple(lines))
        return functools.reduce(lambda after, line: rules.added(after, line, choice, now.targets), left, after)

    return _change(project, package, plan, wanted, watcher)


def remove(project: Project, package: Package, wanted: Wanted, watcher: Watcher) -> DependencyChange:
    """Take dependencies from a package, and from its environments.

    Args:
        project: The project.
        package: Whose dependencies.
        wanted: Which, and where from.
        watcher: Told of the progress.

    Raises:
        UsageError: One of them is not a dependency there, or one of uv's options is none that can be used here; nothing is
            changed.
    """

    def plan(now: Package, choice: Choice, before: Dependencies) -> Dependencies:
        after = before
        missing: list[str] = []
        for name in dict.fromkeys(wanted.words):
            left = rules.removed(after, normalise(name), choice, now.targets)
            if _texts(left) == _texts(after):
                missing.append(name)
            after = left
        if missing:
            raise _not_there(now, missing, choice, before)
        return after

    return _change(project, package, plan, wanted, watcher)


def _change(
    project: Project,
    package: Package,
    plan: Callable[[Package, Choice, Dependencies], Dependencies],
    wanted: Wanted,
    watcher: Watcher,
) -> DependencyChange:
    """Plan a change of a package's dependencies on what its settings say now, and make everything so.

    The settings are read again once nobody else works on them: of two changes at once the second is planned on what the first
    has made.
    """
    from pypackpack.middleware.environment.sync import exclusive  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - keeps imports of the CLI light

    with contextlib.ExitStack() as held:
        users = _users(project, package)
        for each in sorted((package, *users), key=lambda item: item.root):  # one order everywhere: nobody waits for each other
            held.enter_context(exclusive(each, watcher))
        project = load_project(project.root)
        now = project.package(package.name)
        if now is None:
            msg = f"the package {package.name} was removed meanwhile"
            raise ConflictError(msg, hint="`pypackpack package list` shows what there is.")
        before = rules.read(now.dependencies, now.target_dependencies)
        after = plan(now, _choice(now, wanted.targets), before)
        along = tuple(each.root for each in users)
        return _apply(project, now, before, after, along, wanted, watcher)


def _users(project: Project, package: Package) -> tuple[Package, ...]:
    """Return the packages that need a package, also through others."""
    from pypackpack.middleware.package.order import in_order  # noqa: PLC0415 - keeps imports of the CLI light

    users = []
    for other in project.packages:
        with contextlib.suppress(SettingsError):  # those that need each other in a circle cannot be locked anyway
            if other.name != package.name and any(each.name == package.name for each in in_order(project, (other,))):
                users.append(other)
    return tuple(users)


def _outdated(before: Project, after: Project, package: Package, held: Iterable[Path], watcher: Watcher) -> tuple[Package, ...]:
    """Return the packages whose lock fits now, and would not when ``package`` is changed.

    One whose lock does not fit anyway may not be lockable at all; it must not keep others from being changed, and is named.
    """
    from pypackpack.middleware.environment import lock as locks  # noqa: PLC0415 - keeps imports of the CLI light

    found = []
    for user in _users(after, package):
        try:
            lock = locks.read_lock(user.root / locks.FILE)
        except (DamagedLockError, NewerLockError):
            continue  # `sync` of it says so
        if lock is None:
            continue
        fits = locks.made_from(locks.needs_of(before, user)) == lock.made_from
        if fits and locks.made_from(locks.needs_of(after, user)) == lock.made_from:
            continue
        if fits and user.root in held:
            found.append(user)
        else:
            name = user.name
            watcher.note(
                f"{name} needs {package.name}, and its lock does not fit its settings; `pypackpack {name} sync` mends it"
            )
    return tuple(found)


def _not_there(package: Package, missing: Sequence[str], choice: Choice, before: Dependencies) -> UsageError:
    there = sorted({line.name for line in before.lines} | {line.name for own in before.own.values() for line in own})
    where = "" if choice.everywhere else " for " + ", ".join(target.name for target in choice.targets)
    msg = f"{', '.join(missing)}: not a dependency of {package.name}{where}{nearest(missing[0], there)}"
    known = ", ".join(there) or "none"
    return UsageError(msg, hint=f"Its dependencies are: {known}. What these need in turn cannot be removed by itself.")


def _refuse_twice(wanted: Sequence[Line]) -> None:
    """Refuse two words for one name that hold on the same platforms: the second would take the first one's place unsaid."""
    for number, line in enumerate(wanted):
        for other in wanted[:number]:
            same = other.name == line.name and other.rest == line.rest and (other.platforms & line.platforms) != NOWHERE
            if same and other.terms != line.terms:
                msg = f'"{masked(str(other))}" and "{masked(str(line))}" are for one name, and hold at the same time'
                raise UsageError(msg, hint=f'Write one of them, or both as one, such as "{line.name}>=1,<3".')


def _requirement(text: str, project: Project, package: Package, *, with_targets: bool) -> Line:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - import cost

    try:
        line = rules.read_line(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        msg = f'"{masked(text)}" is not a requirement: {masked(reason)}'
        hint = 'Write a name, with a version if need be ("numpy>=2"), or name @ url for what does not come from an index.'
        raise UsageError(msg, hint=hint) from error
    if line.name == normalise(package.name):
        msg = f"{package.name} cannot depend on itself"
        raise UsageError(msg)
    if "@" not in text and line.name == normalise(project.name) and _is_own_name(project):
        msg = f"{line.name} is the name of this project, and what an index has under it is somebody else's"
        raise UsageError(msg, hint="Name the package of the project that you mean: `pypackpack package list`.")
    if ";" in text and with_targets:
        msg = f'"{text}" has a marker of its own, and --target writes one too'
        hint = f'Give the name and the targets ("{line.head}" --target …), or the whole marker and no --target.'
        raise UsageError(msg, hint=hint)
    return line


def _is_own_name(project: Project) -> bool:
    """Tell whether a project's name is that of a distribution, and not only its folder's or a package's of it."""
    said = read_toml(project.root / "pyproject.toml").get("project", {}).get("name")
    return said is not None and project.package(project.name) is None


def _choice(package: Package, words: Sequence[str]) -> Choice:
    if not words:
        return rules.everywhere(package.targets)
    from pypackpack.middleware.target import table  # noqa: PLC0415 - keeps imports of the CLI light

    families: dict[str, tuple[Target, ...]] = {}
    named: list[Target] = []
    for word in words:
        found = table.resolve([word], package.targets)
        if word.lower() in table.families():
            families[word.lower()] = found
        else:
            named.extend(found)
    return rules.choose(families, named, package.targets)


def _texts(dependencies: Dependencies) -> tuple[list[str], dict[str, list[str]]]:
    own = {target: [str(line) for line in lines] for target, lines in dependencies.own.items() if lines}
    return [str(line) for line in dependencies.lines], own


def _apply(
    project: Project,
    package: Package,
    before: Dependencies,
    after: Dependencies,
    along: Sequence[Path],
    wanted: Wanted,
    watcher: Watcher,
) -> DependencyChange:
    """Make everything as ``after`` says: aside first, then all at once.

    ``along`` are the folders of packages that need this one, and that nobody else works on meanwhile.
    """
    from pypackpack.middleware.environment.commit import commit, joined  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.environment.sync import prepared  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.project.finish import finished_package  # noqa: PLC0415 - keeps imports of the CLI light

    path = package.root / "pyproject.toml"
    edit = plan_edit(path, lambda document: _write(document, before, after, package.targets))
    siblings = [normalise(item.name) for item in project.packages]
    fresh = finished_package(package.root, parse(edit.after.decode(), path), siblings)
    packages = tuple(fresh if item.root == package.root else item for item in project.packages)
    whole = dataclasses.replace(project, packages=packages)
    prepare = functools.partial(prepared, whole, offline=wanted.offline, uv_options=wanted.uv_options, held=True, watcher=watcher)
    with contextlib.ExitStack() as rooms:
        ready = rooms.enter_context(prepare(fresh, fresh.targets))
        users = _outdated(project, whole, fresh, along, watcher)
        others = [rooms.enter_context(prepare(user, user.targets)) for user in users]
        synced = joined(commit([ready, *others], [edit] if edit.changes else []))
    own = tuple((target, lines) for target, lines in fresh.target_dependencies.items() if lines)
    was, now = _flat(before), _flat(after)
    added, removed = (tuple(line for line in some if line not in others) for some, others in ((now, was), (was, now)))
    return DependencyChange(fresh.name, fresh.dependencies, own, edit.changes, synced, added, removed)


def _flat(dependencies: Dependencies) -> list[LineChange]:
    every, own = _texts(dependencies)
    return [*map(LineChange, every), *(LineChange(line, target) for target, lines in own.items() for line in lines)]


def _write(document: TOMLDocument, before: Dependencies, after: Dependencies, targets: Sequence[Target]) -> None:
    """Change the lines of a pyproject.toml that differ, and leave the others as they are written."""
    _write_lines(document, after)
    names = {line.name for dependencies in (before, after) for own in dependencies.own.values() for line in own}
    for name in sorted(names):
        if before.own_of(name) != after.own_of(name):
            _write_own(document, name, after.own_of(name), targets)


def _write_lines(document: TOMLDocument, after: Dependencies) -> None:
    import tomlkit  # noqa: PLC0415 - import cost

    project = table_at(document, "project")
    if "dependencies" not in project:
        if not after.lines:
            return
        project["dependencies"] = tomlkit.array()
    array: Any = project["dependencies"]
    kept = {line.origin: line for line in after.lines if line.origin is not None}
    for index in reversed(range(len(array))):
        if index not in kept:
            del array[index]
        elif str(kept[index]) != str(array[index]).strip():
            array[index] = str(kept[index])
    for line in after.lines:
        if line.origin is None:
            append_word(array, str(line))


def _write_own(document: TOMLDocument, name: str, wanted: dict[str, tuple[str, ...]], targets: Iterable[Target]) -> None:
    """Write one distribution's lines for single targets: taken out wherever they are, put in where they belong."""
    import tomlkit  # noqa: PLC0415 - import cost

    from pypackpack.middleware.target import table  # noqa: PLC0415 - keeps imports of the CLI light

    tables: Any = table_at(document, "tool.pypackpack.target") if wanted else _find(document, "tool", "pypackpack", "target")
    if tables is None:
        return
    spelled: dict[str, str] = {}
    for word in list(tables):
        target = word if word in table.families() else table.find(word).name
        spelled[target] = word
        _take_out(tables, word, name, stays=bool(wanted.get(target)))
    for target in targets:
        if not wanted.get(target.name):
            continue
        own = table_at(document, f"tool.pypackpack.target.{spelled.get(target.name, target.name)}")
        if "dependencies" not in own:
            own["dependencies"] = tomlkit.array()
        for text in wanted[target.name]:
            append_word(own["dependencies"], text)
    if not tables:
        del document["tool"]["pypackpack"]["target"]


def _take_out(tables: Any, word: str, name: str, *, stays: bool) -> None:  # noqa: ANN401 - see _find
    """Take a distribution out of one target's own lines, and the table with the last one unless more is to come."""
    array = tables[word].get("dependencies", [])
    gone = [index for index, text in enumerate(array) if rules.read_line(str(text)).name == name]
    for index in reversed(gone):
        del array[index]
    if gone and not array and not stays:
        del tables[word]["dependencies"]
        if not tables[word]:
            del tables[word]


def _find(document: Any, *words: str) -> Any:  # noqa: ANN401 - tomlkit has no common type for its kinds of tables
    here = document
    for word in words:
        here = here.get(word) if hasattr(here, "get") else None
        if here is None:
            return None
    return here
