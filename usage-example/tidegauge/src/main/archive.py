"""Readings on disk: one file per station."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tidegauge.codec import decode, encode
from tidegauge.places import archive_folder
from tidegauge.reading import Reading
from tidegauge.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidegauge.codec import Codec


class Archive:
    """A folder of readings."""

    suffix = ".tide"

    def __init__(self, folder: Path | None = None, codec: Codec | None = None) -> None:
        self.folder = archive_folder() if folder is None else Path(folder)
        self._codec = codec

    def __contains__(self, station: object) -> bool:
        return isinstance(station, str) and self._file(station).is_file()

    def _file(self, station: str) -> Path:
        return self.folder / f"{station}{self.suffix}"

    def stations(self) -> list[str]:
        """Return whose readings there are."""
        return sorted(path.stem for path in self.folder.glob(f"*{self.suffix}"))

    def load(self, station: str) -> Series:
        """Return the readings of a station; an empty series when there are none."""
        if station not in self:
            return Series()
        return Series(map(Reading.unpacked, decode(self._file(station).read_bytes())))

    def save(self, station: str, series: Series) -> int:
        """Write the readings of a station and return how many bytes that took."""
        data = encode([reading.packed() for reading in series], self._codec)
        with self._replaced(self._file(station)) as handle:
            return os.write(handle, data)

    @contextlib.contextmanager
    def _replaced(self, path: Path) -> Iterator[int]:
        """Give a file that takes the place of ``path`` when all went well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
        try:
            try:
                yield handle
            finally:
                os.close(handle)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
