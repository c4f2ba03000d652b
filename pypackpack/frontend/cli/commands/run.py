"""``pypackpack run``: its help and its errors; what works is started by ``quick_run.py``, without all this."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pypackpack.backend import handover
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.middleware.run import plan
from pypackpack.model.errors import UsageError, WorkError


def run(
    ctx: typer.Context,
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="<script.py | module:callable | command>",
            help="What to start in the project's .venv. Every word after it is its own, also --help; -- before it is allowed.",
            show_default=False,
        ),
    ],
) -> Answer:
    """Run a script, a callable or a command in the project's environment."""
    session = session_of(ctx)
    named = session.general.project
    start = plan(named or os.getcwd(), command, os.environ, named=bool(named))  # noqa: PTH109 - as it is, with its links
    try:
        code = handover.hand_over(start.program, start.words, start.environment)
    except OSError as error:
        msg = f"cannot start {start.program}: {error.strerror or error}"
        if isinstance(error, PermissionError):
            raise UsageError(msg, hint="Is it a program, and may you run it?") from error
        raise WorkError(msg, hint="If it is a script, its first line may name an interpreter that is not there.") from error
    sys.exit(code)  # on Windows only: elsewhere we are that program now
