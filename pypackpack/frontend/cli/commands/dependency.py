"""``pypackpack add|remove|sync|tree``: for development, and for a package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.environments import environment_rows
from pypackpack.frontend.cli.options import (  # noqa: TC001 - typer evaluates the annotations
    OfflineOption,
    PackageOption,
    TargetOption,
    TreePackageOption,
)
from pypackpack.frontend.cli.render import table
from pypackpack.frontend.cli.session import Answer, package_here, session_of
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.build import Watcher
    from pypackpack.model.environment import DependencyChange, DevelopmentChange, DevelopmentSync, SyncResult
    from pypackpack.model.project import Package, Project

    ForPackage: TypeAlias = Callable[[Project, Package, tuple[str, ...], tuple[str, ...], Watcher], DependencyChange]
    ForDevelopment: TypeAlias = Callable[[Project, tuple[str, ...], Watcher], DevelopmentChange]

Requirements = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Argument(
        metavar="<requirement>",
        help="Names, with versions and extras as pip takes them; for development also urls and paths.",
        show_default=False,
    ),
]
Names = Annotated[list[str], typer.Argument(metavar="<name>", help="Names of dependencies.", show_default=False)]

CheckOption = Annotated[
    bool,
    typer.Option("--check", help="Change nothing; fail when not everything is as the lock says.", show_default=False),
]

PLANNING = "--dry-run"
OF_THE_LOCK = ("--locked", "--frozen", PLANNING)


def _package(project: Project, name: str | None, targets: Sequence[str] | None) -> Package | None:
    """Return the package that is meant, None for the development environment.

    Raises:
        UsageError: There is no such package, or targets are named for the development environment.
    """
    if name is None:
        if targets:
            msg = "--target is for a package's environments; the development environment is for this machine"
            raise UsageError(msg, hint=f"Name the package first: `pypackpack <package> … --target {targets[0]}`.")
        return None
    package = project.package(name)
    if package is None:
        known = ", ".join(each.name for each in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {name} (it has: {known})"
        raise UsageError(msg)
    return package


def add(
    ctx: typer.Context,
    requirements: Requirements = None,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Add dependencies: for development, or to a package for all or some of its targets."""
    session = session_of(ctx)
    words = tuple(requirements or ())
    if package is not None and session.uv_options:
        from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost

        file = uv_options.value_of(session.uv_options, "add", ("-r", "--requirements"))
        if file is not None:
            msg = f"`pypackpack {package} add` takes no file of requirements"
            raise UsageError(msg, hint=f"`pypackpack import {file} --package {package}` takes what it lists.")
        if uv_options.has(session.uv_options, "add", ("--editable",)):
            msg = f"`pypackpack {package} add` has no --editable: the environments of targets hold copies"
            first = words[0] if words else "./folder"
            hint = f"`pypackpack {package} add {first}` takes it as it is; `pypackpack {package} sync` again when it changed."
            raise UsageError(msg, hint=hint)
    if not words and (package is not None or not session.uv_options):
        msg = "`add` needs <requirement>"
        raise UsageError(msg, hint="Such as `pypackpack add pytest` or `pypackpack billing add numpy --target windows linux`.")
    return _changed(session, "add", words, package, target, offline=offline)


def remove(
    ctx: typer.Context,
    requirements: Names,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Take dependencies away: from development, or from a package for all or some of its targets."""
    return _changed(session_of(ctx), "remove", tuple(requirements), package, target, offline=offline)


def _changed(
    session: Session, verb: str, words: tuple[str, ...], name: str | None, target: Sequence[str] | None, *, offline: bool
) -> Answer:
    project = session.project()
    package = _package(project, name, target)
    from pypackpack.middleware.environment import development_change as own  # noqa: PLC0415 - import cost

    if package is None:
        change = own.add if verb == "add" else own.remove
        with session.console.watching() as watcher:
            made = change(project, words, watcher, uv_options=session.uv_options, offline=offline)
            if (standing := package_here(session.start)) is not None:
                instead = f"`pypackpack {standing} {verb} {' '.join(words)}`".replace(" `", "`")
                watcher.note(
                    f"{made.place} of the project {project.name} is meant; the package {standing} has its own: {instead}"
                )
        return Answer(made, lambda _width, style: development_change_lines(made, style))
    from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost

    group = uv_options.value_of(session.uv_options, verb, ("--group",))
    if group is not None:
        msg = f"`pypackpack {package.name} {verb}` has no groups: they belong to the project"
        raise UsageError(msg, hint=f"`pypackpack {verb} --group {group} {' '.join(words)}`.")
    from pypackpack.middleware.dependency import manage  # noqa: PLC0415 - import cost
    from pypackpack.middleware.dependency.named_paths import as_requirement  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.development import refresh  # noqa: PLC0415 - import cost

    change_package = manage.add if verb == "add" else manage.remove
    if verb == "add":
        words = tuple(as_requirement(word, project, package, Path.cwd()) for word in words)
    wanted = manage.Wanted(words, tuple(target or ()), offline, session.uv_options)
    with session.console.watching() as watcher:
        result = change_package(project, package, wanted, watcher)
        if result.changed:
            carried = uv_options.carried(session.uv_options, verb, "sync", own.NOT_FOR_SYNC)
            along = refresh(session.project(), watcher, uv_options=carried, offline=offline)
            result = replace(result, development=along)
    return Answer(result, lambda _width, style: change_lines(result, style))


def sync(
    ctx: typer.Context,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
    check: CheckOption = False,
) -> Answer:
    """Make .venv, or a package's environments, exactly what the lock says."""
    session = session_of(ctx)
    project = session.project()
    chosen = _package(project, package, target)
    if check:
        return _checked(session, project, chosen, tuple(target or ()))
    from pypackpack.frontend.cli.tree_view import lock_use  # noqa: PLC0415 - import cost

    ours = [word for word in session.uv_options if word in OF_THE_LOCK]
    use = lock_use(ours)
    if chosen is None:
        from pypackpack.middleware.environment import development  # noqa: PLC0415 - import cost

        with session.console.watching() as watcher:
            made = development.sync(project, uv_options=session.uv_options, offline=offline, watcher=watcher)
        return Answer(made, lambda _width, style: development_lines(made, style), asked=made.planned)
    from pypackpack.middleware.environment.sync import sync as sync_environments  # noqa: PLC0415 - import cost

    options = [word for word in session.uv_options if word not in OF_THE_LOCK]
    with session.console.watching() as watcher:
        result = sync_environments(
            project,
            (chosen,),
            tuple(target or ()),
            offline=offline,
            uv_options=options,
            use=use,
            planning=PLANNING in ours,
            watcher=watcher,
        )
    return Answer(result, lambda _width, style: sync_lines(result, style), asked=result.planned)


def _checked(session: Session, project: Project, package: Package | None, targets: tuple[str, ...]) -> Answer:
    """Say that everything is as the lock says, or raise what is not."""
    if session.uv_options:
        msg = f"--check stands alone, and {session.uv_options[0].partition('=')[0]} is an option of a real sync"
        raise UsageError(msg, hint="Leave one of them out.")
    from pypackpack.middleware.environment import check  # noqa: PLC0415 - import cost

    if package is None:
        check.check_development(project)
        return Answer({"in_sync": True}, lambda *_: [".venv is in sync"])
    names = check.check_package(project, package, targets)
    return Answer({"in_sync": True, "targets": names}, lambda *_: [f"{package.name} is in sync for {', '.join(names)}"])


def tree(
    ctx: typer.Context,
    package: TreePackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Show what the dependencies resolve to, and what needs what."""
    session = session_of(ctx)
    project = session.project()
    names = list(package or ())
    # The first is a package of the project, if there is one of that name; what follows is what `uv tree --package` means.
    first = names.pop(0) if names and (project.package(names[0]) is not None or target) else None
    chosen = _package(project, first, target)
    if chosen is None:
        return _development_tree(session, project, names, offline=offline)
    from pypackpack.frontend.cli.tree_view import tree_view  # noqa: PLC0415 - import cost
    from pypackpack.frontend.cli.trees import tree_lines  # noqa: PLC0415 - import cost
    from pypackpack.middleware.dependency.tree import tree as package_tree  # noqa: PLC0415 - import cost

    view, use = tree_view(f"pypackpack {chosen.name} tree", session.uv_options, names)
    with session.console.watching() as watcher:
        result = package_tree(project, chosen, tuple(target or ()), view=view, use=use, offline=offline, watcher=watcher)
    nothing = "" if view.depth == 0 else "(no dependencies)"
    nothing = "(nothing of it)" if view.packages or view.invert else nothing
    return Answer(result, lambda _width, style: tree_lines(result, style, nothing=nothing), asked=True)


def _development_tree(session: Session, project: Project, names: Sequence[str], *, offline: bool) -> Answer:
    from pypackpack.middleware.environment import development_tree  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        if session.general.json:
            found = development_tree.tree(project, names, uv_options=session.uv_options, offline=offline, watcher=watcher)
            return Answer(found, lambda *_: [], asked=True)
        said = development_tree.said(project, names, uv_options=session.uv_options, offline=offline, watcher=watcher)
    return Answer({"said": said.splitlines()}, lambda *_: said.splitlines(), asked=True)


def development_change_lines(change: DevelopmentChange, style: Style) -> list[str]:
    """Return what became of the development dependencies."""
    lines = [
        f"{style.bold(change.place)}: {'changed' if change.changed else 'as before'}",
        *_changed_lines(change),
    ]
    return [*lines, *(development_lines(change.synced, style) if change.synced else [])]


def development_lines(result: DevelopmentSync, style: Style, *, fresh: bool = False) -> list[str]:
    """Return what became of the development environment.

    Args:
        result: What became of it.
        style: How it is shown.
        fresh: It was made anew. "As it was" is said of what it holds, and would be read as said of itself.
    """
    python = ".".join(map(str, result.python))
    if result.planned:
        changes = [("+", *each) for each in result.added] + [("-", *each) for each in result.removed]
        lines = ["would lock pyproject.lock"] if result.locked else []
        alone = result.renewed and not changes
        what = f"to set up anew: {', '.join(result.renewed)}" if alone else _planned(result.added, result.removed)
        lines.append(f".venv  Python {python}  {what}")
        return [*lines, *(f"    {sign} {name} {version}" for sign, name, version in changes)]
    lines = [f"{style.good('locked')} pyproject.lock"] if result.locked else []
    changed = result.added or result.removed or result.new_commands or result.gone_commands
    state = "" if changed or fresh else f", set up anew: {', '.join(result.renewed)}" if result.renewed else ", as it was"
    sources = f", {len(result.editable)} from their sources" if result.editable else ""
    lines.append(f".venv  Python {python}  {len(result.installed)} installed{sources}{state}")
    lines += [f"    + {name} {version}" for name, version in result.added]
    lines += [f"    + command {name}" for name in result.new_commands]
    lines += [f"    - {name} {version}" for name, version in result.removed]
    return lines + [f"    - command {name}" for name in result.gone_commands]


def change_lines(change: DependencyChange, style: Style) -> list[str]:
    """Return what became of a package's dependencies."""
    what = "changed" if change.changed else "as before"
    lines = [f"{style.bold(change.package)}: dependencies {what}"]
    return [*lines, *_changed_lines(change), *sync_lines(change.synced, style), *_along(change.development)]


def _along(made: DevelopmentSync | None) -> list[str]:
    """Return that ``.venv`` has changed with a package's dependencies."""
    if made is None or not (made.added or made.removed):
        return []
    counts = [f"{len(each)} {word}" for each, word in ((made.added, "added"), (made.removed, "removed")) if each]
    return [f".venv was brought up to date: {', '.join(counts)}"]


def _changed_lines(change: DependencyChange | DevelopmentChange) -> list[str]:
    """Return the lines that came and went."""
    signed = [*(("+", each) for each in change.added), *(("-", each) for each in change.removed)]
    return [f"  {sign} {each.line}{f'  (only {each.target})' if each.target else ''}" for sign, each in signed]


def sync_lines(result: SyncResult, style: Style) -> list[str]:
    """Return what became of environments: one line for each, what came and what went below it.

    The notes are not among them: the watcher showed them when they came up.
    """
    if result.planned:
        lines = [f"would lock {name}" for name in result.locked]
        rows = table(
            [
                (
                    each.package,
                    each.target,
                    ".".join(map(str, each.python)),
                    _planned(each.added, each.removed, same=each.unchanged),
                )
                for each in result.environments
            ]
        )
    else:
        lines = [f"{style.good('locked')} {name}" for name in result.locked]
        rows = environment_rows(
            [
                (each.package, each.target, ".".join(map(str, each.python)), len(each.installed), each.unchanged)
                for each in result.environments
            ]
        )
    for line, each in zip(rows, result.environments, strict=True):
        lines.append(line)
        gone = [f"- {name} {version}" for name, version in each.removed]
        lines += [f"    {change}".rstrip() for change in (*(f"+ {name} {version}" for name, version in each.added), *gone)]
    return lines


def _planned(added: Sequence[object], removed: Sequence[object], *, same: bool = True) -> str:
    """Return what would become of an environment; nothing comes or goes and it is not the ``same``: it would be made anew."""
    words = [f"{len(added)} to install" if added else "", f"{len(removed)} to remove" if removed else ""]
    return ", ".join(filter(None, words)) or ("nothing to do" if same else "to be made anew")
