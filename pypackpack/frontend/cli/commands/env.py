"""``pypackpack env``: a target's environment, printed or entered."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.backend import handover
from pypackpack.frontend.cli.options import PYTHON, OfflineOption, PackageArgument, TargetOption
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import MissingToolError, UsageError, WorkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.crossenv import CrossEnvironment


def env(
    ctx: typer.Context,
    package: PackageArgument,
    command: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(
            metavar="-- <command>",
            help="A command and its arguments, to run in it. Without one: its variables.",
            show_default=False,
        ),
    ] = None,
    target: TargetOption = None,
    python: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--python", metavar=PYTHON, help="For this Python version instead of the project's own.", show_default=False
        ),
    ] = None,
    interpreter: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--interpreter",
            metavar="<path>",
            help="The target's own Python on this machine; it need not run.",
            show_default=False,
        ),
    ] = None,
    shell: Annotated[bool, typer.Option("--shell", help="Start a shell in it.", show_default=False)] = False,
    offline: OfflineOption = False,
) -> Answer:
    """Show a target's environment, or run something in it."""
    session = session_of(ctx)
    if shell and command:
        msg = "--shell and a command exclude each other"
        raise UsageError(msg, hint="Leave one of them out.")
    from pypackpack.middleware.environment.cross_request import requested  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        made = requested(
            session.project(),
            package,
            tuple(target or ()),
            python=python,
            interpreter=interpreter,
            offline=offline,
            watcher=watcher,
        )
    if shell or command:
        _enter(made, command or [_shell()])
    return Answer(made, lambda *_: shell_lines(made), asked=True)


def shell_lines(made: CrossEnvironment) -> list[str]:
    """Return what a shell has to be told: of a POSIX system, or PowerShell on Windows."""
    if sys.platform == "win32":
        lines = [f"$env:{name} = '{_powershell(value)}'" for name, value in made.variables.items() if name != "PATH"]
        return [*lines, f"$env:PATH = '{_powershell(made.variables['PATH'])};' + $env:PATH"]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in made.variables.items() if name != "PATH"]
    return [*lines, f'export PATH={shlex.quote(made.variables["PATH"])}:"$PATH"']


def _powershell(text: str) -> str:
    return text.replace("'", "''")


def _shell() -> str:
    return os.environ.get("COMSPEC", "cmd.exe") if sys.platform == "win32" else os.environ.get("SHELL") or "/bin/sh"


def _enter(made: CrossEnvironment, command: Sequence[str]) -> None:
    """Become the command (on Windows: wait for it and end as it does)."""
    from pypackpack.middleware.environment.cross_request import whole_environment  # noqa: PLC0415 - import cost

    environment = whole_environment(made, os.environ)
    program = handover.find_program(command[0], environment["PATH"])
    if not program:
        msg = f"there is no program {command[0]} in the environment of {made.target}, nor on PATH"
        raise MissingToolError(
            msg, hint=f"Install it there: `pypackpack env {made.package} --target {made.target} -- build-pip install …`."
        )
    try:
        code = handover.hand_over(program, list(command), environment)
    except OSError as error:
        msg = f"cannot start {program}: {error.strerror or error}"
        raise WorkError(msg) from error
    sys.exit(code)
