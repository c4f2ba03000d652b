"""Names in tables of strings, bounded."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 4096
"""Bytes that a name may have."""
MOST: Final = 2_000_000
"""Entries that a table may have: the largest libraries have a tenth."""


def name_at(data: bytes, place: int) -> str:
    """Return the name that begins at a place and ends with a zero.

    Raises:
        ValueError: It has no end, or the place is not in the file.
    """
    if not 0 <= place < len(data):
        msg = "a name lies outside of the file"
        raise ValueError(msg)
    end = data.find(b"\0", place, place + LONGEST)
    if end < 0:
        msg = "a name has no end"
        raise ValueError(msg)
    return data[place:end].decode("utf-8", "replace")


class Names:
    """The names of a file. All that are read are not much longer than it: tables may point to one place again and again."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = 2 * len(data) + (1 << 20)

    def at(self, place: int) -> str:
        """Return the name at a place, as `name_at`.

        Raises:
            ValueError: As that; or the names are longer than any file's.
        """
        name = name_at(self._data, place)
        self._left -= len(name) + 1
        if self._left < 0:
            msg = "its names are longer than it is"
            raise ValueError(msg)
        return name


def checked(count: int, most: int = MOST) -> int:
    """Return a count that is not larger than any file has.

    Raises:
        ValueError: It is.
    """
    if not 0 <= count <= most:
        msg = f"a table says that it has {count} entries"
        raise ValueError(msg)
    return count


def piece(data: bytes, start: int, size: int) -> bytes:
    """Return a part of a file.

    Raises:
        ValueError: It is not wholly in the file.
    """
    if start < 0 or size < 0 or start + size > len(data):
        msg = "a table lies outside of the file"
        raise ValueError(msg)
    return data[start : start + size]
