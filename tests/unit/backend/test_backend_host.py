from __future__ import annotations

import os
import platform
import struct
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import host
from pypackpack.model.host import Host

if TYPE_CHECKING:
    from pathlib import Path


def elf(machine: int, *, bits: int = 64, big: bool = False, interpreter: str = "") -> bytes:
    """Return the head of a program: its identification, its header, and one program header that asks for a loader."""
    order = ">" if big else "<"
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 2 if big else 1, 1]) + bytes(9)
    size, entry = (64, 56) if bits == 64 else (52, 32)
    count = 2 if interpreter else 1
    head = struct.pack(
        order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"),
        *(3, machine, 1, 0, size, 0, 0, size, entry, count, 0, 0, 0),
    )
    text = interpreter.encode() + b"\0"
    place = size + entry * count

    def program_header(kind: int) -> bytes:
        if bits == 64:
            return struct.pack(order + "IIQQQQQQ", kind, 4, place, 0, 0, len(text), len(text), 1)
        return struct.pack(order + "IIIIIIII", kind, place, 0, 0, len(text), len(text), 4, 1)

    headers = program_header(1) + (program_header(3) if interpreter else b"")
    return ident + head + headers + text


@pytest.mark.parametrize(
    ("data", "machine", "interpreter"),
    [
        (elf(62, interpreter="/lib64/ld-linux-x86-64.so.2"), "x86_64", "/lib64/ld-linux-x86-64.so.2"),
        (elf(62, interpreter="/lib/ld-musl-x86_64.so.1"), "x86_64", "/lib/ld-musl-x86_64.so.1"),
        (elf(183, interpreter="/lib/ld-linux-aarch64.so.1"), "aarch64", "/lib/ld-linux-aarch64.so.1"),
        (elf(3, bits=32, interpreter="/lib/ld-linux.so.2"), "i686", "/lib/ld-linux.so.2"),
        (elf(40, bits=32, interpreter="/lib/ld-linux-armhf.so.3"), "armv7l", "/lib/ld-linux-armhf.so.3"),
        (elf(22, big=True, interpreter="/lib/ld64.so.1"), "s390x", "/lib/ld64.so.1"),
        (elf(21, interpreter="/lib64/ld64.so.2"), "ppc64le", "/lib64/ld64.so.2"),
        (elf(243), "riscv64", ""),
        (elf(9999, interpreter="/lib/ld.so"), "", "/lib/ld.so"),
    ],
)
def test_a_programs_head_says_its_processor_and_its_loader(tmp_path: Path, data: bytes, machine: str, interpreter: str) -> None:
    path = tmp_path / "program"
    path.write_bytes(data)
    assert host.read_elf_head(path) == host.ElfHead(machine, interpreter)


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"MZ" + bytes(100), elf(62)[:40], elf(62, interpreter="/l")[:100]]
)
def test_what_is_no_program_has_no_head(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "program"
    path.write_bytes(data)
    assert host.read_elf_head(path) is None
    assert host.read_elf_head(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("data", "confstr", "found"),
    [
        (elf(62, interpreter="/lib64/ld-linux-x86-64.so.2"), "glibc 2.36", Host("linux", "x86_64", "glibc", "2.36")),
        (elf(62, interpreter="/lib/ld-musl-x86_64.so.1"), None, Host("linux", "x86_64", "musl")),
        (elf(183), None, Host("linux", "aarch64", "musl")),
        (elf(183, interpreter="/lib/ld-linux-aarch64.so.1"), None, Host("linux", "aarch64", "glibc")),
        # A 32-bit Python on a 64-bit kernel is a 32-bit machine.
        (elf(3, bits=32, interpreter="/lib/ld-linux.so.2"), "glibc 2.31", Host("linux", "i686", "glibc", "2.31")),
    ],
)
def test_a_linux_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, confstr: str | None, found: Host) -> None:
    path = tmp_path / "python"
    path.write_bytes(data)
    real = host.read_elf_head
    monkeypatch.setattr(host, "read_elf_head", lambda _: real(path))
    monkeypatch.setattr(host.os, "confstr", lambda _: confstr, raising=False)
    assert host._linux() == found


def test_other_machines_are_what_python_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert host.this_host.__wrapped__() == Host("win32", "amd64")


def test_the_first_program_that_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("wine", "wine64"):
        program = tmp_path / (f"{name}.exe" if sys.platform == "win32" else name)
        program.write_bytes(b"")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = host.find_program(["nothing", "wine64", "wine"])
    assert found is not None
    assert (found.parent, found.stem) == (tmp_path, "wine64")
    assert host.find_program([str(tmp_path / "loader.so"), str(found)]) == found
    assert host.find_program(["nothing"]) is None
    monkeypatch.chdir(tmp_path)  # what lies where we stand came with somebody's clone
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "folder"]))
    assert host.find_program(["wine"]) is None


def test_there_is_a_processor() -> None:
    assert host.cores() >= 1
