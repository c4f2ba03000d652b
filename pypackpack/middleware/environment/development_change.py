"""``add`` and ``remove`` for the development environment: written by uv, carried over into the person's file."""

from __future__ import annotations

import functools
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv_options as known
from pypackpack.backend.tools import venv
from pypackpack.backend.undo import Undo
from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.environment.development import LOCK, Work, only_said, refuse_elsewhere, working
from pypackpack.middleware.environment.held import broken, to_resolve_again
from pypackpack.middleware.project import paths
from pypackpack.middleware.project.edit import Edit, commit_edits, plan_edit, table_at
from pypackpack.middleware.project.extras import own_extra
from pypackpack.middleware.project.foreign import own_name, way_into_a_package, workspace_members
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import decode, parse, read_toml
from pypackpack.model.environment import DevelopmentChange, LineChange
from pypackpack.model.errors import ConflictError, DependencyConflictError, UsageError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tomlkit import TOMLDocument

    from pypackpack.model.build import Watcher
    from pypackpack.model.environment import DevelopmentSync
    from pypackpack.model.project import Project

DEVELOPMENT = "dev"
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]+@")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")

# Of what is said to `uv add` and `uv remove`, what means something else, or nothing, when the environment is synced after it.
NOT_FOR_SYNC = frozenset(
    {
        "--bounds",
        "--branch",
        "--constraints",
        "--dev",
        "--editable",
        "--extra",
        "--frozen",
        "--group",
        "--lfs",
        "--locked",
        "--marker",
        "--no-editable",
        "--no-editable-package",
        "--no-frozen",
        "--no-locked",
        "--no-sync",
        "--no-upgrade",
        "--optional",
        "--raw",
        "--requirements",
        "--rev",
        "--tag",
        "--upgrade",
        "--upgrade-group",
        "--upgrade-package",
        "-P",
        "-U",
        "-c",
        "-m",
        "-r",
    }
)


def add(
    project: Project,
    requirements: Sequence[str],
    watcher: Watcher,
    *,
    uv_options: Sequence[str] = (),
    offline: bool = False,
    held: Sequence[str] = (),
) -> DevelopmentChange:
    """Add development dependencies: to the group ``dev``, or where ``--group`` or ``--optional`` says.

    Args:
        project: The project.
        requirements: As uv takes them: names, with versions and extras; ``name @ url``, ``git+https://…``, paths.
        watcher: Gets notes.
        uv_options: More options for ``uv add``, as typed.
        offline: Never touch the network.
        held: Constraints (PEP 508) that ``uv_options`` names a file of; the lock keeps to them, or nothing is changed.

    Raises:
        UsageError: One of ``uv_options`` cannot be used here, or a requirement is a package of this project.
        PyPackPackError: It cannot be resolved or installed; pyproject.toml, lock and environment are as before.
    """
    for text in requirements:
        _refuse_local(project, text)
    return _change(project, "add", tuple(requirements), tuple(uv_options), offline=offline, watcher=watcher, held=held)


def remove(
    project: Project, names: Sequence[str], watcher: Watcher, *, uv_options: Sequence[str] = (), offline: bool = False
) -> DevelopmentChange:
    """Take development dependencies away: from the group ``dev``, or from where ``--group`` or ``--optional`` says.

    Raises:
        UsageError: One of them is not there, or one of ``uv_options`` cannot be used here.
        PyPackPackError: It cannot be resolved; pyproject.toml, lock and environment are as before.
    """
    return _change(project, "remove", tuple(names), tuple(uv_options), offline=offline, watcher=watcher)


def _refuse_local(project: Project, text: str) -> None:
    named = _NAME.match(text)
    package = project.package(named[1]) if named else None
    if package is None and any(mark in text for mark in ("/", os.sep, ".")) and "://" not in text:
        path = os.path.realpath(text)
        package = next((each for each in project.packages if os.path.realpath(each.root) == path), None)
    if package is not None:
        msg = f"{package.name} is a package of this project: it is in .venv already"
        raise UsageError(msg, hint=f"`pypackpack <package> add {package.name}` lets another package depend on it.")
    content = read_toml(project.root / FILE)
    own = own_name(content)
    if named and own and normalise(named[1]) == normalise(own) and not text[named.end() :].lstrip().startswith("["):
        msg = f"{own} is this project, which cannot depend on itself"
        raise UsageError(msg, hint=way_into_a_package(own))
    member = workspace_members(project.root, content).get(normalise(named[1])) if named else None
    sources = content.get("tool", {}).get("uv", {}).get("sources", {})
    if named and member is not None and not {"@", "/"} & set(text) and normalise(named[1]) not in map(normalise, sources):
        place = member.relative_to(project.root).as_posix()
        msg = f"{named[1]} would come from the index, and {place} is a member of the uv workspace with that name"
        raise UsageError(msg, hint=f"`pypackpack add --editable ./{place}` takes the member.")


def _refuse_taken_extras(project: Project, content: Mapping[str, Any]) -> None:
    for package in project.packages:
        if extra := own_extra(content, package.name):
            msg = f"--optional {extra}: the extra of that name is the package {package.name}, for installs from git"
            raise UsageError(msg, hint=f"Choose another name; `pypackpack {package.name} add` is for what the package needs.")


def _place(options: Sequence[str], verb: str) -> tuple[str, str]:
    """Return where the lines stand that are meant: the table, and the key in it."""
    extra = known.value_of(options, verb, ("--optional",))
    if extra is not None:
        return "project.optional-dependencies", extra
    return "dependency-groups", known.value_of(options, verb, ("--group",)) or DEVELOPMENT


def _change(
    project: Project,
    verb: str,
    words: tuple[str, ...],
    options: tuple[str, ...],
    *,
    offline: bool,
    watcher: Watcher,
    held: Sequence[str] = (),
) -> DevelopmentChange:
    refuse_elsewhere(options, verb)
    table, key = _place(options, verb)
    with working(project, watcher) as work:
        data = filesystem.read_bytes(project.root / FILE)
        content = parse(decode(data, project.root / FILE), project.root / FILE)
        if verb == "remove":
            _check_there(project, content, table, key, words)
        work.ensure(offline=offline)
        before = works.work_project(project, content)
        work.lay_out(before)
        where = [] if known.has(options, verb, ("--dev", "--group", "--optional")) else ["--dev"]
        frozen = known.has(options, verb, ("--frozen",))
        quiet = [] if known.has(options, verb, ("--frozen", "--no-sync")) else ["--no-sync"]
        # uv resolves a distribution again for the sake of a constraint only when it is told to.
        again = to_resolve_again(held, work.lock_text() or "") if held else ()
        more = [f"--upgrade-package={name}" for name in again]
        work.uv(verb, [verb, *where, *quiet, *options, *more, "--", *words], offline=offline)
        if held:
            _check_held(work, held)
        _refuse_secrets(work, data.decode())
        after = tomllib.loads(filesystem.read_bytes(work.folder / FILE).decode())
        _refuse_taken_extras(project, {**content, "project": after["project"]})
        edit = plan_edit(project.root / FILE, lambda document: carry_over(document, before.content, after))
        if edit.before != data:
            msg = f"{project.root / FILE} was changed by somebody else meanwhile; it was left as it is now"
            raise ConflictError(msg, hint="Run the same command again.")
        _refuse_new_locals(project, before.content, after)
        was, lines = ([_shown(line) for line in _at(each, *table.split("."), key)] for each in (before.content, after))
        change = DevelopmentChange(
            f"{table}.{key}",
            tuple(lines),
            edit.changes,
            None,
            tuple(LineChange(line) for line in lines if line not in was),
            tuple(LineChange(line) for line in was if line not in lines),
        )
        if frozen:
            commit_edits([edit])
            return change
        install = not known.has(options, verb, ("--no-sync",))
        # As `uv add` does: what was just added is there, also where it is for a group that a plain sync leaves out.
        once = _once(content, table, key) if verb == "add" and install else ()
        carried = (*known.carried(options, verb, "sync", NOT_FOR_SYNC), *once)
        synced = _put(work, edit, before, carried, install=install, once=bool(once), offline=offline)
        if once and synced is not None:
            what = f"the {'extra' if once[0] == '--extra' else 'group'} {key}"
            watcher.note(f"{what} is in .venv until the next `pypackpack sync`; `pypackpack sync {' '.join(once)}` keeps it")
        return replace(change, synced=synced)


def _once(content: Mapping[str, Any], table: str, key: str) -> tuple[str, ...]:
    """Return the options that install what stands in a place, where a plain sync does not."""
    if table != "dependency-groups":
        return ("--extra", key)
    uv = content.get("tool", {}).get("uv", {})
    groups = uv.get("default-groups", [DEVELOPMENT]) if isinstance(uv, dict) else [DEVELOPMENT]
    if groups == "all" or (isinstance(groups, list) and normalise(key) in {normalise(str(name)) for name in groups}):
        return ()
    return ("--group", key)


def _check_held(work: Work, held: Sequence[str]) -> None:
    """See that the lock that uv has made keeps to the constraints.

    Raises:
        DependencyConflictError: It does not.
    """
    found = broken(held, filesystem.read_bytes(work.folder / "uv.lock").decode(), venv.version(work.project.venv) or (0, 0, 0))
    if found:
        msg = f"the lock cannot keep to the constraints: it has {'; '.join(found)}"
        hint = "Say it in [tool.uv] constraint-dependencies of pyproject.toml instead; nothing was changed."
        raise DependencyConflictError(msg, hint=hint)


def _put(
    work: Work,
    edit: Edit,
    before: works.WorkProject,
    options: tuple[str, ...],
    *,
    install: bool,
    once: bool,
    offline: bool,
) -> DevelopmentSync | None:
    """Bring environment, pyproject.toml and lock into their new state: all of them, or none.

    With ``once`` the options make an environment that is not the one of a plain sync.
    """
    path = work.project.root / LOCK
    there = work.standing()
    old = filesystem.read_bytes(path) if path.is_file() else None
    new = work.locked()
    with Undo("`pypackpack sync` makes .venv what the lock says.") as undo:
        if install:
            undo.step(f"{work.project.venv} is not as it was", functools.partial(_again, work, before, old))
            work.install(options, before, offline=offline, frozen=True)
        if only_said(options):
            return None
        commit_edits([edit], undo)
        if old != new.encode():
            undo.write(path, new.encode())
    if not install:
        return None
    if not once:
        work.write_stamp()
    return replace(work.result(there), locked=old != new.encode())


def _again(work: Work, before: works.WorkProject, lock: bytes | None) -> None:
    """Make the environment again what the old lock says, or the old settings where there was none."""
    work.lay_out(before, None if lock is None else lock.decode())
    work.install((), before, offline=True, frozen=lock is not None)


def _at(content: Any, *words: str) -> list[Any]:  # noqa: ANN401 - a TOML value
    here = content
    for word in words:
        here = here.get(word, {}) if isinstance(here, dict) else {}
    return here if isinstance(here, list) else []


def _shown(line: object) -> str:
    if isinstance(line, dict):
        return f"(everything of the group {line.get('include-group')})"
    return str(line)


def _check_there(project: Project, content: Mapping[str, Any], table: str, key: str, names: Sequence[str]) -> None:
    """Refuse to remove what is not there, and say where it is.

    Raises:
        UsageError: At least one name is not in the place that is meant.
    """
    places = {
        (".".join(words), key): lines
        for words in (("dependency-groups",), ("project", "optional-dependencies"))
        for key, lines in _tables(content, *words)
    }
    here = _names(places.get((table, key), []))
    missing = [name for name in names if _name(name) not in here]
    if not missing:
        return
    elsewhere = [place for place, lines in places.items() if _name(missing[0]) in _names(lines)]
    if elsewhere:
        option = "--group" if elsewhere[0][0] == "dependency-groups" else "--optional"
        hint = f"{missing[0]} stands in {elsewhere[0][1]}: add {option} {elsewhere[0][1]}."
    else:
        users = [package.name for package in project.packages if _name(missing[0]) in _names(package.dependencies)]
        if users:
            hint = f"It is a dependency of {users[0]}: `pypackpack {users[0]} remove {missing[0]}`."
        else:
            hint = f"There are: {', '.join(sorted(here)) or 'none'}. What these need in turn cannot be removed by itself."
    msg = f"{', '.join(missing)}: not in [{table}] {key} of {project.root / FILE}"
    raise UsageError(msg, hint=hint)


def _tables(content: Any, *words: str) -> list[tuple[str, list[Any]]]:  # noqa: ANN401 - a TOML value
    here = content
    for word in words:
        here = here.get(word, {}) if isinstance(here, dict) else {}
    return [(name, lines) for name, lines in here.items() if isinstance(lines, list)] if isinstance(here, dict) else []


def _name(text: object) -> str:
    found = _NAME.match(text) if isinstance(text, str) else None
    return normalise(found[1]) if found else ""


def _names(lines: Sequence[object]) -> set[str]:
    return {_name(line) for line in lines} - {""}


def _refuse_new_locals(project: Project, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse a path or url that turned out to be a package of this project."""
    local = {normalise(package.name) for package in project.packages}
    for words in (("dependency-groups",), ("project", "optional-dependencies")):
        old = dict(_tables(before, *words))
        for key, lines in _tables(after, *words):
            for name in (_names(lines) - _names(old.get(key, []))) & local:
                _refuse_local(project, name)


# From uv's file into the person's -----------------------------------------------------------------------------------------------


def carry_over(document: TOMLDocument, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Carry what uv has changed in its own pyproject.toml over into a person's document.

    Groups and extras are the same lists in both, sources and indexes the same but for paths; nothing else is uv's to change.
    """
    for words in (("dependency-groups",), ("project", "optional-dependencies")):
        old = dict(_tables(before, *words))
        for key, lines in _tables(after, *words):
            if lines != old.get(key):
                there = words[-1] in (document.get("project", {}) if len(words) > 1 else document)
                table = table_at(document, ".".join(words))
                _carry_lines(table, key, old.get(key, []), lines)
                if not there and not _is_last(document, words[0]):
                    table.add(_blank())
    _carry_sources(document, before["tool"]["uv"].get("sources", {}), after["tool"]["uv"].get("sources", {}))
    _carry_indexes(document, before["tool"]["uv"].get("index", []), after["tool"]["uv"].get("index", []))


def _carry_lines(table: Any, key: str, old: list[Any], new: list[Any]) -> None:  # noqa: ANN401 - tomlkit's kinds of tables
    import tomlkit  # noqa: PLC0415 - import cost

    from pypackpack.middleware.project.edit import append_word  # noqa: PLC0415 - beside its only use

    if key not in table:
        table[key] = tomlkit.array()
    array: Any = table[key]
    if "\n" not in array.as_string():
        kept = {repr(line): item.as_string() for line, item in zip(old, array, strict=True)}
        pieces = [kept.get(repr(line)) or tomlkit.string(str(line)).as_string() for line in new]
        table[key] = _parsed(f"[{', '.join(pieces)}]")
        return
    fresh = {_name(line): line for line in new if line not in old and isinstance(line, str)}
    for index in reversed(range(len(array))):
        line = old[index]
        if line in new:
            continue
        if _name(line) in fresh:
            array[index] = fresh.pop(_name(line))
        else:
            del array[index]
    for line in fresh.values():  # at the end: a comment in between belongs to the line below it
        append_word(array, line)


def _is_last(document: TOMLDocument, key: str) -> bool:
    return bool(list(document)[-1] == key)


def _blank() -> Any:  # noqa: ANN401 - tomlkit's own kind of item
    import tomlkit  # noqa: PLC0415 - import cost

    return tomlkit.nl()


def _parsed(text: str) -> Any:  # noqa: ANN401 - tomlkit has no common type for its kinds of values
    """Return a TOML value that is written as it is written here."""
    import tomlkit  # noqa: PLC0415 - import cost

    return tomlkit.parse(f"value = {text}\n")["value"]


def _carry_sources(document: TOMLDocument, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for name, source in new.items():
        if old.get(name) != source:
            table_at(document, "tool.uv.sources")[name] = _parsed(_inline(paths.moved_source(source, works.outward)))
    gone = [name for name in old if name not in new]
    if gone:
        sources = table_at(document, "tool.uv.sources")
        for name in gone:
            sources.pop(name, None)
        if not sources:
            uv = table_at(document, "tool.uv")
            del uv["sources"]
            if not uv:
                del table_at(document, "tool")["uv"]


def _inline(value: Any) -> str:  # noqa: ANN401 - a TOML value
    """Return a value in one line, as uv writes sources."""
    import tomlkit  # noqa: PLC0415 - import cost

    if isinstance(value, dict):
        return "{ " + ", ".join(f"{tomlkit.key(key).as_string()} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    text: str = tomlkit.item(value).as_string()
    return text


def _carry_indexes(document: TOMLDocument, old: list[Any], new: list[Any]) -> None:
    if new == old:
        return
    import tomlkit  # noqa: PLC0415 - import cost

    uv = table_at(document, "tool.uv")
    if "index" not in uv:
        if "sources" in uv:
            uv["sources"].add(_blank())
        uv["index"] = tomlkit.aot()
    known_before = {repr(_key(entry)) for entry in old}
    for place, entry in enumerate(new):
        if entry in old:
            continue
        moved = paths.moved({"index": [entry]}, works.outward, works.outward)["index"][0]
        table = tomlkit.table()
        table.update(moved)
        if repr(_key(entry)) in known_before:
            for number, there in enumerate(uv["index"]):
                if _key(there) == _key(moved):
                    uv["index"][number] = table
        else:
            uv["index"].insert(min(place, len(uv["index"])), table)


def _key(entry: Any) -> Any:  # noqa: ANN401 - a TOML value
    return entry.get("name") or entry.get("url")


def _refuse_secrets(work: Work, known_text: str) -> None:
    """Refuse what uv would write a password for into pyproject.toml or the lock: the url of a requirement.

    Raises:
        UsageError: There is one that the person has not written there already.
    """
    for name in (FILE, "uv.lock"):
        path = work.folder / name
        text = filesystem.read_bytes(path).decode() if path.is_file() else ""
        if any(found not in known_text for found in _CREDENTIALS.findall(text)):
            msg = "a url with a password in it would be written into pyproject.toml and pyproject.lock"
            hint = "Give the url without it, and the password by netrc, keyring or UV_INDEX_<NAME>_PASSWORD."
            raise UsageError(msg, hint=hint)
