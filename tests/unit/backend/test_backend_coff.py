"""Reading COFF objects that are made here, byte by byte."""

from __future__ import annotations

import struct

import pytest

from pypackpack.backend.tools import elf
from pypackpack.backend.tools.coff import python_imports, undefined_symbols, wants_startup, without_identity
from pypackpack.backend.tools.zig import init_symbol
from pypackpack.model.errors import WorkError


def coff(symbols: list[tuple[str, int, int, int]]) -> bytes:
    """An object of just a symbol table: (name, section, storage class, number of auxiliary records)."""
    table, strings = b"", b""
    count = 0
    for name, section, storage, auxiliary in symbols:
        raw = name.encode()
        if len(raw) <= 8:
            field = raw.ljust(8, b"\0")
        else:
            field = struct.pack("<II", 0, 4 + len(strings))
            strings += raw + b"\0"
        table += struct.pack("<8sIhHBB", field, 0, section, 0, storage, auxiliary) + bytes(18 * auxiliary)
        count += 1 + auxiliary
    header = struct.pack("<HHIIIHH", 0x8664, 0, 0, 20, count, 0, 0)
    return header + table + struct.pack("<I", 4 + len(strings)) + strings


def test_undefined_external_symbols_are_found() -> None:
    data = coff(
        [(".text", 1, 3, 1), ("PyInit_m", 1, 2, 0), ("PyErr", 0, 2, 0), ("__imp_PyModule_Create2", 0, 2, 0), ("memcpy", 0, 2, 0)]
    )
    assert undefined_symbols(data) == ("PyErr", "__imp_PyModule_Create2", "memcpy")


def sections(*names: str) -> bytes:
    """An object of just sections, and no symbols."""
    table, strings = b"", b""
    for name in names:
        raw = name.encode()
        if len(raw) > 8:
            raw = f"/{4 + len(strings)}".encode()
            strings += name.encode() + b"\0"
        table += raw.ljust(40, b"\0")
    header = struct.pack("<HHIIIHH", 0x8664, len(names), 0, 20 + len(table), 0, 0, 0)
    return header + table + struct.pack("<I", 4 + len(strings)) + strings


def test_what_a_dll_runs_when_it_is_loaded_is_seen() -> None:
    assert not wants_startup(sections(".text", ".debug_abbrev", ".rdata$zzz"))
    assert wants_startup(sections(".text", ".ctors"))
    assert wants_startup(sections(".text", ".debug_info", ".ctors.65434"))
    assert wants_startup(sections(".CRT$XCU"))
    assert wants_startup(coff([("DllMain", 1, 2, 0)]))
    assert not wants_startup(coff([("DllMain", 0, 2, 0)]))
    for damaged in (b"", sections(".debug_info")[:-8]):
        with pytest.raises(WorkError, match="COFF"):
            wants_startup(damaged)


def test_python_names_lose_their_import_prefix() -> None:
    assert python_imports(("PyErr", "__imp_PyErr", "__imp__Py_NoneStruct", "memcpy", "__imp_Sleep")) == (
        "PyErr",
        "_Py_NoneStruct",
    )
    assert python_imports(("__imp__PyErr_Clear", "_memcpy", "__Py_Dealloc"), underscore=True) == ("PyErr_Clear", "_Py_Dealloc")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", coff([("PyModule_Create2", 0, 2, 0)])[:-10]])
def test_damaged_objects_are_refused(data: bytes) -> None:
    with pytest.raises(WorkError, match="COFF"):
        undefined_symbols(data)


def test_init_symbols_follow_pep_489() -> None:
    assert init_symbol("mod") == "PyInit_mod"
    assert init_symbol("größe") == "PyInitU_gre_6ka8i"


def test_what_is_no_image_is_refused() -> None:
    for data in (b"", b"MZ", b"MZ" + bytes(100)):
        with pytest.raises(WorkError, match="PE image"):
            without_identity(data)


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ" + bytes(100), b"\x7fELF\x02\x01" + bytes(20)])
def test_damaged_elf_objects_are_refused(data: bytes) -> None:
    with pytest.raises(WorkError, match="ELF"):
        elf.undefined_symbols(data)
