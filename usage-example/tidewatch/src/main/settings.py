"""Settings: the data file of the package, with a person's own on top."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from tidewatch.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What can be chosen."""

    allowed: ClassVar[tuple[str, ...]] = ("text", "json", "html")

    stations: list[str] = field(default_factory=list)
    hours: int
    every_minutes: int
    timeout_seconds: float
    surge_metres: float
    format: str = "text"

    def __post_init__(self) -> None:
        problems = [
            f"{name}: must be more than 0, is {value}"
            for name in ("hours", "every_minutes", "timeout_seconds")
            if (value := getattr(self, name)) <= 0
        ]
        if self.format not in self.allowed:
            problems.append(f"format: must be one of {', '.join(self.allowed)}, is {self.format!r}")
        if problems:
            raise SettingsError("; ".join(problems))


def default_values() -> dict[str, Any]:
    """Return what the package brings along."""
    return tomllib.loads((resources.files(__package__ or "tidewatch") / "data" / "defaults.toml").read_text(encoding="utf-8"))


def load(path: Path | None = None, **changes: Any) -> Settings:
    """Return the settings: defaults, then the file, then ``changes`` that are not None.

    Raises:
        SettingsError: A key that does not exist, or a value that makes no sense; all of them at once.
    """
    values = default_values()
    if path is not None:
        try:
            values |= tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            msg = f"cannot read {path.name}: {error}"
            raise SettingsError(msg) from error
    values |= {key: value for key, value in changes.items() if value is not None}
    known = {each.name for each in fields(Settings)}
    if unknown := sorted(values.keys() - known):
        msg = f"unknown settings: {', '.join(unknown)}"
        raise SettingsError(msg)
    hints = get_type_hints(Settings)
    for name, value in values.items():
        wanted = hints[name]
        if wanted is float and isinstance(value, int):
            continue
        if isinstance(wanted, type) and not isinstance(value, wanted):
            msg = f"{name}: must be {wanted.__name__}, is {value!r}"
            raise SettingsError(msg)
    return Settings(**values)
