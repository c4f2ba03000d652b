"""Which files a compiler read, and what a module shows: as rules for make and object files say it."""

from __future__ import annotations

import contextlib

import pytest

from pypackpack.backend.tools.exports import shows
from pypackpack.backend.tools.toolchain import prerequisites
from pypackpack.model.errors import WorkError


def test_prerequisites_of_a_rule() -> None:
    rule = "module.o: pkg/a.c /usr/include/x\\ y.h \\\n  C:\\p\\h.h pkg/a\\#b$$c.h \\\r\n  last.h\n"
    assert prerequisites(rule) == ["pkg/a.c", "/usr/include/x y.h", "C:\\p\\h.h", "pkg/a#b$c.h", "last.h"]
    assert prerequisites("") == []


@pytest.mark.parametrize("kind", ["elf", "macho", "coff", "wasm"])
@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"MZ" + bytes(100), b"\xcf\xfa\xed\xfe" + b"\xff" * 60, b"\0asm\1\0\0\0\7\xff\xff"]
)
def test_what_is_no_module_is_no_crash(kind: str, data: bytes) -> None:
    with contextlib.suppress(WorkError):
        assert not shows(data, "PyInit_x", kind)
