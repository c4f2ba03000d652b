"""Arguments and options that several commands share, declared once."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

PACKAGE = "<package>"
TARGET = "<target>"
PYTHON = "<version>"
TASK = "[<task>]"

PackageArgument = Annotated[str, typer.Argument(metavar=PACKAGE, help="A package of the project.", show_default=False)]
PackageOption = Annotated[
    Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Option("--package", metavar=PACKAGE, help="The package; the same as its name before the command.", show_default=False),
]
TreePackageOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Option(
        "--package",
        metavar=PACKAGE,
        help="The package; the same as its name before the command. Others after it: show these distributions of its tree only.",
        show_default=False,
    ),
]
TargetOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Option(
        "--target",
        metavar=TARGET,
        help="Only these of the package's targets: names, families, aliases, or host. Takes the words after it.",
        show_default=False,
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network.", show_default=False)]
