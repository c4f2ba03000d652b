"""Cuts a stream of bytes where its content says so, by FastCDC: what is inserted or taken out moves no cut far behind it.

Method: Xia and others, "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage Systems", IEEE TPDS 31
(2020), https://ieeexplore.ieee.org/document/9055082. The cuts are those of ``pyfastcdc``, whose compiled and pure forms agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

FINE: Final = 16 << 10
COARSE: Final = 64 << 10
"""Averages of the bytes of a chunk; the least and the most are a quarter and four times of it."""
_NORMALISATION: Final = 2
"""How strongly sizes are drawn towards the average (the paper's NC)."""


def method() -> str:
    """Return what decides the cuts besides the data and the average."""
    from pypackpack.backend.distributions import version_of  # noqa: PLC0415 - beside its only use

    return f"pyfastcdc {version_of('pyfastcdc')} {_NORMALISATION}"


def chunks(stream: BinaryIO, average: int) -> Iterator[bytes]:
    """Yield what a stream holds, in pieces of a quarter to four times the average; the last may be shorter.

    Memory: twice the longest piece.
    """
    from pyfastcdc import FastCDC  # noqa: PLC0415 - loaded when an archive is made

    cutter = FastCDC(average, min_size=average // 4, max_size=average * 4, normalized_chunking=_NORMALISATION)
    return (bytes(each.data) for each in cutter.cut_stream(stream))
