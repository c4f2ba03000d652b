"""WebAssembly modules as Emscripten loads them (core specification 5.5; tool conventions, "WebAssembly Dynamic Linking")."""

from __future__ import annotations

from typing import Final

from pypackpack.backend.images.text import LONGEST, checked
from pypackpack.model.image import Image

MAGIC: Final = b"\0asm"

_CUSTOM, _IMPORTS, _EXPORTS = 0, 2, 7
_NEEDED: Final = 2
_FUNCTION, _TABLE, _MEMORY, _GLOBAL, _TAG = range(5)


class _Reader:
    """A cursor over bytes."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self.at, self.end = data, at, min(end, len(data))

    def byte(self) -> int:
        if self.at >= self.end:
            msg = "a section ends too early"
            raise ValueError(msg)
        self.at += 1
        return self._data[self.at - 1]

    def number(self) -> int:
        """Return an unsigned number in LEB128."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                msg = "a number is too large"
                raise ValueError(msg)

    def text(self) -> str:
        length = checked(self.number(), LONGEST)
        if self.at + length > self.end:
            msg = "a name ends outside of its section"
            raise ValueError(msg)
        self.at += length
        return self._data[self.at - length : self.at].decode("utf-8", "replace")

    def part(self, size: int) -> _Reader:
        """Return a cursor over the next bytes, and go behind them."""
        if self.at + size > self.end:
            msg = "a section ends outside of the file"
            raise ValueError(msg)
        self.at += size
        return _Reader(self._data, self.at - size, self.at)


def read(data: bytes) -> tuple[Image, ...]:
    """Return what a side module says of itself.

    Raises:
        ValueError, IndexError, struct.error: It is damaged, or no module that can be loaded beside a program.
    """
    if data[4:8] != b"\1\0\0\0":
        msg = "its version is none that is known"
        raise ValueError(msg)
    reader = _Reader(data, 8, len(data))
    needs: tuple[str, ...] | None = None
    exports: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    while reader.at < reader.end:
        kind = reader.byte()
        section = reader.part(reader.number())
        if kind == _CUSTOM and section.text() == "dylink.0":
            needs = _needs(section)
        elif kind == _IMPORTS:
            imports = _imports(section)
        elif kind == _EXPORTS:
            exports = _exports(section)
    if needs is None:
        msg = "it has no section dylink.0, so nothing can load it beside a program"
        raise ValueError(msg)
    return (Image("wasm", "wasm32", needs=needs, exports=exports, imports=imports),)


def _needs(section: _Reader) -> tuple[str, ...]:
    found: list[str] = []
    while section.at < section.end:
        kind = section.byte()
        part = section.part(section.number())
        if kind == _NEEDED:
            found += [part.text() for _ in range(checked(part.number(), 10_000))]
    return tuple(found)


def _imports(section: _Reader) -> frozenset[str]:
    found = set()
    for _ in range(checked(section.number())):
        section.text()
        found.add(section.text())
        kind = section.byte()
        if kind == _FUNCTION:
            section.number()
        elif kind == _TABLE:
            section.byte()
            _limits(section)
        elif kind == _MEMORY:
            _limits(section)
        elif kind in (_GLOBAL, _TAG):
            section.byte()
            section.number()
        else:
            msg = f"an import is of the unknown kind {kind}"
            raise ValueError(msg)
    return frozenset(found)


def _limits(section: _Reader) -> None:
    flags = section.number()
    section.number()
    if flags & 1:
        section.number()


def _exports(section: _Reader) -> frozenset[str]:
    found = set()
    for _ in range(checked(section.number())):
        found.add(section.text())
        section.byte()
        section.number()
    return frozenset(found)
