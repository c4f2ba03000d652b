"""Lengths that people write on charts, as metres."""

from __future__ import annotations

import re
from enum import Enum

_LENGTH = re.compile(r"\s*(?P<number>[+-]?\d+(?:[.,]\d+)?)\s*(?P<unit>[a-z]*)\s*\Z", re.IGNORECASE)


class Unit(Enum):
    """A unit of length; the value is how many metres one of it is."""

    METRE = 1.0
    CENTIMETRE = 0.01
    FOOT = 0.3048
    FATHOM = 1.8288

    @classmethod
    def from_symbol(cls, symbol: str) -> Unit:
        """Return the unit of a symbol; an empty one means metres."""
        match symbol.lower():
            case "" | "m":
                return cls.METRE
            case "cm":
                return cls.CENTIMETRE
            case "ft" | "foot" | "feet":
                return cls.FOOT
            case "fm" | "fathom" | "fathoms":
                return cls.FATHOM
            case other:
                msg = f"unknown unit of length: {other!r}"
                raise ValueError(msg)


def metres(text: str) -> float:
    """Read ``"3.5"``, ``"-12 cm"`` or ``"6 ft"`` as metres."""
    if (found := _LENGTH.match(text)) is None:
        msg = f"not a length: {text!r}"
        raise ValueError(msg)
    number = float(found["number"].replace(",", "."))
    return number * Unit.from_symbol(found["unit"]).value


def written(level: float, unit: Unit = Unit.METRE, *, sign: bool = False) -> str:
    """Write metres in a unit, to the centimetre."""
    value = level / unit.value
    return f"{value:+.2f}" if sign else f"{value:.2f}"
