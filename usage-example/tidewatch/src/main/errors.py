"""What can go wrong, in the words of the person at the keyboard."""

from __future__ import annotations


class TidewatchError(Exception):
    """Anything that we say in one line instead of with a traceback."""

    exit_code = 1

    def __init_subclass__(cls, *, exit_code: int | None = None, **rest: object) -> None:
        super().__init_subclass__(**rest)
        if exit_code is not None:
            cls.exit_code = exit_code


class SettingsError(TidewatchError, exit_code=2):
    """Settings that make no sense."""


class FeedError(TidewatchError):
    """A gauge that does not answer, or answers nonsense."""

    def __init__(self, station: str, why: str) -> None:
        super().__init__(station, why)
        self.station = station
        self.why = why

    def __str__(self) -> str:
        return f"{self.station}: {self.why}"
