"""Reads what linked files say of themselves: extension modules and shared libraries of any platform, whoever made them.

The files may be hostile: every place and every count is compared with what is there before it is used, and nothing is run.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pypackpack.backend.images import elf, macho, pe, wasm

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.model.image import Image

HEAD: Final = 4
"""So many bytes tell whether a file is such a file."""

_READERS: Final[tuple[tuple[tuple[bytes, ...], Callable[[bytes], tuple[Image, ...]]], ...]] = (
    ((elf.MAGIC,), elf.read),
    ((pe.MAGIC,), pe.read),
    (macho.MAGICS, macho.read),
    ((wasm.MAGIC,), wasm.read),
)


class NoImageError(ValueError):
    """The bytes begin as a linked file does, and are none; says what is wrong."""


def is_image(head: bytes) -> bool:
    """Tell whether a file that begins so is a linked file; `HEAD` bytes are enough."""
    return any(head.startswith(magics) for magics, _ in _READERS)


def read_images(data: bytes) -> tuple[Image, ...]:
    """Return what a linked file says of itself: one value, or of a universal file one for each processor.

    Raises:
        NoImageError: It is damaged, or no such file.
    """
    for magics, read in _READERS:
        if data.startswith(magics):
            try:
                return read(data)
            except (struct.error, IndexError, ValueError, OverflowError) as error:
                msg = f"it begins as a linked file and is damaged ({error})"
                raise NoImageError(msg) from error
    msg = "it is no file of a linker"
    raise NoImageError(msg)
