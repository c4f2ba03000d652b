"""Wheels as nobody should make them: each test says what is to be wrong."""

from __future__ import annotations

import base64
import hashlib
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"


def row(path: str, data: bytes) -> str:
    """Return the line that RECORD has for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def tags(name: str) -> str:
    """Return the tags of a file name as WHEEL lists them."""
    python, abi, platform = name.removesuffix(".whl").split("-")[-3:]
    every = [(p, a, q) for p in python.split(".") for a in abi.split(".") for q in platform.split(".")]
    return "".join(f"Tag: {'-'.join(each)}\n" for each in every)


def craft(
    folder: Path,
    files: Mapping[str, bytes],
    name: str = NAME,
    *,
    metadata: str = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n",
    wheel: str | None = None,
    record: Callable[[str], str] = lambda text: text,
    info: str = INFO,
    twice: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a wheel that is right but for what is said.

    Args:
        folder: Where.
        files: Its files.
        name: Its name.
        metadata: Its METADATA; empty for none.
        wheel: Its WHEEL; the right one unless said.
        record: Makes its RECORD of the right one.
        info: Its metadata folder.
        twice: Members that are written once more, with other bytes.
    """
    if wheel is None:
        pure = "false" if name.endswith(tuple(f"{end}.whl" for end in ("x86_64", "aarch64", "amd64"))) else "true"
        wheel = f"Wheel-Version: 1.0\nGenerator: nobody 1\nRoot-Is-Purelib: {pure}\n{tags(name)}"
    every = {**files, f"{info}/WHEEL": wheel.encode(), **({f"{info}/METADATA": metadata.encode()} if metadata else {})}
    lines = "".join(row(path, data) for path, data in every.items()) + f"{info}/RECORD,,\n"
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**every, f"{info}/RECORD": record(lines).encode()}.items():
            archive.writestr(member, data)
    if twice:
        add_again(path, twice)
    return path


def add_again(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members into an archive that has them already."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        for member, data in members.items():
            archive.writestr(member, data)


def elf(
    machine: int = 62,
    *,
    needs: tuple[str, ...] = (),
    exports: tuple[str, ...] = (),
    imports: tuple[str, ...] = (),
    path: str = "",
) -> bytes:
    """Return a shared library that has what is said of it and nothing else: two segments, names, symbols.

    As the System V ABI lays it out; addresses are places in the file.
    """
    names = bytearray(b"\0")

    def name(text: str) -> int:
        names.extend(text.encode() + b"\0")
        return len(names) - len(text.encode()) - 1

    symbols = b"\0" * 24
    for text in imports:
        symbols += struct.pack("<IBBHQQ", name(text), 0x12, 0, 0, 0, 0)
    for text in exports:
        symbols += struct.pack("<IBBHQQ", name(text), 0x12, 0, 1, 0x40, 8)
    dynamic = [(1, name(each)) for each in needs] + ([(29, name(path))] if path else [])
    start = 64 + 2 * 56
    table = start + (len(dynamic) + 5) * 16
    hashes = table + len(symbols)
    strings = hashes + 8
    dynamic += [(6, table), (4, hashes), (5, strings), (10, len(names)), (0, 0)]
    end = strings + len(names)
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 4096)
    where = struct.pack("<IIQQQQQQ", 2, 6, start, start, start, len(dynamic) * 16, len(dynamic) * 16, 8)
    body = b"".join(struct.pack("<qQ", tag, value) for tag, value in dynamic)
    return head + load + where + body + symbols + struct.pack("<II", 1, len(symbols) // 24) + bytes(names)
