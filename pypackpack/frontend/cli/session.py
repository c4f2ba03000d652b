"""What a command gets besides its own words, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from pypackpack.frontend.cli.argv import General
    from pypackpack.frontend.cli.console import Console
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.project import Project


@dataclass(frozen=True)
class Answer:
    """What a command found or did.

    Attributes:
        data: Plain values, lists and frozen dataclasses; becomes JSON.
        text: Makes the lines for people, for a width (None: no limit) and a style.
        asked: The text is what was asked for, not a report on work: ``--quiet`` shows it too.
        exit_code: The exit code, where the answer itself is bad news.
    """

    data: object
    text: Callable[[int | None, Style], list[str]]
    asked: bool = False
    exit_code: int = 0


@dataclass(frozen=True)
class Session:
    """One run of one command.

    Attributes:
        general: The options of every command.
        console: Where to say what happens.
        words: What stands after the command's own words.
        uv_options: Of these, the options that are uv's.
        raw: The call as typed, without the options of every command.
    """

    general: General
    console: Console
    words: tuple[str, ...] = field(default=())
    uv_options: tuple[str, ...] = field(default=())
    raw: tuple[str, ...] = field(default=())

    @property
    def start(self) -> Path:
        """The folder to look for the project from."""
        return Path(self.general.project or ".").absolute()

    def project(self) -> Project:
        """Return the project.

        Raises:
            NoProjectError: There is none.
            SettingsError: Its settings are wrong.
        """
        from pypackpack.middleware.project.read import find_project  # noqa: PLC0415 - import cost

        return find_project(self.start)


def recorded_packages(start: Path) -> list[str]:
    """Return the packages that the settings of the project around a folder record, without reading anything else of them.

    Raises:
        NoProjectError: There is no project.
        SettingsError: Its pyproject.toml is broken.
    """
    from pypackpack.middleware.project.finish import ours  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.read import FILE, find_root  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost

    recorded = ours(read_toml(find_root(start) / FILE)).get("packages")
    return [name for name in recorded if isinstance(name, str)] if isinstance(recorded, list) else []


def package_here(start: Path) -> str | None:
    """Return the package that a folder lies in, by what the project's settings record; else None (same errors as above)."""
    from pypackpack.middleware.project.read import find_root  # noqa: PLC0415 - import cost

    inside = start.resolve().relative_to(find_root(start)).parts
    return next((name for name in recorded_packages(start) if inside[:1] == (name,)), None)


def session_of(ctx: typer.Context) -> Session:
    """Return what main.py put into typer's context."""
    found = ctx.obj
    if not isinstance(found, Session):
        msg = "a command was started without a session"
        raise TypeError(msg)
    return found
