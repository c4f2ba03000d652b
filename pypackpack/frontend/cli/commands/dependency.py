"""``pypackpack add|remove|sync|tree``: for development, and for a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.environments import environment_rows
from pypackpack.frontend.cli.options import (  # noqa: TC001 - typer evaluates the annotations
    OfflineOption,
    PackageOption,
    TargetOption,
)
from pypackpack.frontend.cli.session import Answer, session_of
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
NOT_OURS = ("--locked", "--frozen", "--dry-run")


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
        return Answer(made, lambda _width, style: development_change_lines(made, style))
    from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost
    from pypackpack.middleware.dependency import manage  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.development import refresh  # noqa: PLC0415 - import cost

    change_package = manage.add if verb == "add" else manage.remove
    with session.console.watching() as watcher:
        result = change_package(
            project, package, words, tuple(target or ()), watcher, offline=offline, uv_options=session.uv_options
        )
        if result.changed:
            carried = uv_options.carried(session.uv_options, verb, "sync", own.NOT_FOR_SYNC)
            refresh(session.project(), watcher, uv_options=carried, offline=offline)
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
    _refuse_not_ours(session.uv_options, package)
    project = session.project()
    chosen = _package(project, package, target)
    if check:
        return _checked(session, project, chosen, tuple(target or ()))
    if chosen is None:
        from pypackpack.middleware.environment import development  # noqa: PLC0415 - import cost

        with session.console.watching() as watcher:
            made = development.sync(project, uv_options=session.uv_options, offline=offline, watcher=watcher)
        return Answer(made, lambda _width, style: development_lines(made, style), asked=bool(made.said))
    from pypackpack.middleware.environment.sync import sync as sync_environments  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = sync_environments(
            project, (chosen,), tuple(target or ()), offline=offline, uv_options=session.uv_options, watcher=watcher
        )
    return Answer(result, lambda _width, style: sync_lines(result, style))


def _refuse_not_ours(words: Sequence[str], package: str | None) -> None:
    """Refuse the options of ``uv sync`` that mean nothing for a sync of ours.

    Raises:
        UsageError: There is one.
    """
    call = f"pypackpack {package} sync" if package else "pypackpack sync"
    for word in words:
        if word in NOT_OURS:
            msg = f"`{call}` has no {word}: it brings lock and environment up to date together"
            raise UsageError(msg, hint=f"`{call} --check` says whether everything is as the lock says, and changes nothing.")


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
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Show what the dependencies resolve to, and what needs what."""
    session = session_of(ctx)
    project = session.project()
    chosen = _package(project, package, target)
    if chosen is None:
        from pypackpack.middleware.environment import development  # noqa: PLC0415 - import cost

        with session.console.watching() as watcher:
            said = development.tree(project, uv_options=session.uv_options, offline=offline, watcher=watcher)
        return Answer({"tree": said.splitlines()}, lambda *_: said.splitlines(), asked=True)
    depth = _depth(chosen, session.uv_options)
    from pypackpack.frontend.cli.trees import tree_lines  # noqa: PLC0415 - import cost
    from pypackpack.middleware.dependency.tree import tree as package_tree  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = package_tree(project, chosen, tuple(target or ()), depth=depth, offline=offline, watcher=watcher)
    return Answer(result, lambda _width, style: tree_lines(result, style), asked=True)


def _depth(package: Package, words: Sequence[str]) -> int | None:
    """Return what ``--depth`` or ``-d`` says, which the tree of a package has of ``uv tree``'s options; None without it."""
    depth: int | None = None
    left = list(words)
    while left:
        name, equals, value = left.pop(0).partition("=")
        if name not in {"--depth", "-d"}:
            msg = f"`pypackpack {package.name} tree` has no option {name}"
            hint = "It reads the package's lock by itself, and of uv's options has --depth; `pypackpack tree` has all of them."
            raise UsageError(msg, hint=hint)
        value = value if equals else left.pop(0) if left else ""
        if not (value.isascii() and value.isdigit()):
            msg = f'{name} "{value}" is not a number'
            raise UsageError(msg, hint="--depth 1 shows what the package needs itself.")
        depth = int(value)
    return depth


def development_change_lines(change: DevelopmentChange, style: Style) -> list[str]:
    """Return what became of the development dependencies."""
    lines = [
        f"{style.bold(change.place)}: {'changed' if change.changed else 'as before'}",
        *(f"  {line}" for line in change.lines),
    ]
    return [*lines, *(development_lines(change.synced, style) if change.synced else [])]


def development_lines(result: DevelopmentSync, style: Style) -> list[str]:
    """Return what became of the development environment."""
    if result.said:
        return result.said.splitlines()
    lines = [f"{style.good('locked')} pyproject.lock"] if result.locked else []
    python = ".".join(map(str, result.python))
    state = ", as it was" if result.unchanged or not (result.added or result.removed) else ""
    lines.append(f".venv  Python {python}  {len(result.installed)} installed, {len(result.editable)} from their sources{state}")
    lines += [f"    + {name} {version}" for name, version in result.added]
    return lines + [f"    - {name} {version}" for name, version in result.removed]


def change_lines(change: DependencyChange, style: Style) -> list[str]:
    """Return what became of a package's dependencies."""
    what = "changed" if change.changed else "as before"
    lines = [f"{style.bold(change.package)}: dependencies {what}"]
    lines += [f"  {line}" for line in change.lines]
    for target, own in change.target_lines:
        lines += [f"  {line}  (only {target})" for line in own]
    return [*lines, *sync_lines(change.synced, style)]


def sync_lines(result: SyncResult, style: Style) -> list[str]:
    """Return what became of environments: one line for each, what came and what went below it.

    The notes are not among them: the watcher showed them when they came up.
    """
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
        lines += ["    " + change for change in (*(f"+ {name} {version}" for name, version in each.added), *gone)]
    return lines
