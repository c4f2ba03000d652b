"""The stations we know, from a data file of the package."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnknownStationError(LookupError):
    """Nobody knows that station."""

    def __init__(self, key: str, known: tuple[str, ...]) -> None:
        super().__init__(key, known)
        self.key = key
        self.known = known

    def __str__(self) -> str:
        return f"unknown station {self.key!r}; there are: {', '.join(self.known)}"


@dataclass(frozen=True)
class Constituent:
    """One wave of the tide: amplitude in metres, phase in degrees."""

    name: str
    amplitude: float
    phase: float


@dataclass(frozen=True)
class Station:
    """A gauge: where it stands and how the water moves there."""

    key: str
    name: str
    latitude: float
    longitude: float
    mean: float
    warn_above: float
    constituents: tuple[Constituent, ...] = ()

    @property
    def range(self) -> float:
        """Metres between the highest and the lowest tide that can be."""
        return 2 * sum(wave.amplitude for wave in self.constituents)


@cache
def stations() -> Mapping[str, Station]:
    """Return every station by its key."""
    text = resources.files("tidegauge").joinpath("data", "stations.toml").read_text(encoding="utf-8")
    result = {
        key: Station(
            key=key,
            name=values["name"],
            latitude=values["position"][0],
            longitude=values["position"][1],
            mean=values["mean"],
            warn_above=values["warn_above"],
            constituents=tuple(Constituent(name, *wave) for name, wave in values["waves"].items()),
        )
        for key, values in tomllib.loads(text).items()
    }
    return MappingProxyType(result)


def station(key: str) -> Station:
    """Return one station.

    Raises:
        UnknownStationError: There is none of that key.
    """
    try:
        return stations()[key.casefold()]
    except KeyError:
        raise UnknownStationError(key, tuple(stations())) from None
