"""One reading of one gauge."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timezone
from enum import IntEnum


class Quality(IntEnum):
    """How far a reading is to be trusted."""

    MISSING = 0
    ESTIMATED = 1
    MEASURED = 2


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """A water level.

    Attributes:
        at: When, in UTC.
        station: Key of the station.
        level: Metres above chart datum.
        quality: How far it is to be trusted.
        notes: What the gauge said about itself.
    """

    at: datetime
    station: str
    level: float
    _: KW_ONLY
    quality: Quality = Quality.MEASURED
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            msg = f"reading of {self.station} without a time zone: {self.at.isoformat()}"
            raise ValueError(msg)

    @property
    def usable(self) -> bool:
        """Whether it says anything."""
        return self.quality > Quality.MISSING

    def estimated(self, level: float, note: str) -> Reading:
        """Return it with a level that was estimated."""
        return replace(self, level=level, quality=Quality.ESTIMATED, notes=(*self.notes, note))

    def packed(self) -> dict[str, object]:
        """Return it as plain values, for the archive."""
        return {
            "at": int(self.at.timestamp()),
            "station": self.station,
            "mm": round(self.level * 1000),
            "quality": int(self.quality),
            "notes": list(self.notes),
        }

    @classmethod
    def unpacked(cls, values: dict[str, object]) -> Reading:
        """Make it from `packed` values again."""
        match values:
            case {"at": int(at), "station": str(station), "mm": int(millimetres), "quality": int(quality), "notes": list(notes)}:
                return cls(
                    datetime.fromtimestamp(at, timezone.utc),
                    station,
                    millimetres / 1000,
                    quality=Quality(quality),
                    notes=tuple(map(str, notes)),
                )
            case _:
                msg = f"not a reading: {values!r}"
                raise ValueError(msg)
