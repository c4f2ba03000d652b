"""Folders of binaries as nobody should make them: each test says what is to be wrong."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.crafted import elf, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MODULE = "demo/fast.cpython-311-x86_64-linux-gnu.so"
GOOD = elf(needs=("libc.so.6",), exports=("PyInit_fast",))
ARM = elf(183, exports=("PyInit_fast",))
PYC = (3495).to_bytes(2, "little") + b"\r\n" + bytes(12)
OTHER_PYC = (3531).to_bytes(2, "little") + b"\r\n" + bytes(12)
OWN = {"demo/__init__.py": b"X = 1\n", "demo/data.txt": b"text\n", MODULE: GOOD, "demo/code.pyc": PYC}
THEIRS = {"other/__init__.py": b""}
INFO, OTHER_INFO = "demo-1.0.dist-info", "other-2.dist-info"


def lay_out(
    folder: Path,
    own: Mapping[str, bytes] = OWN,
    theirs: Mapping[str, bytes] = THEIRS,
    *,
    records: Callable[[str], str] = lambda text: text,
    manifest: Callable[[dict[str, Any]], Any] = lambda content: content,
    **facts: object,
) -> Path:
    """Make the folder of a binary that is right but for what is said: ``records`` changes each RECORD, ``manifest`` the manifest."""
    files: dict[str, bytes] = {}
    for some, info in ((own, INFO), (theirs, OTHER_INFO)):
        every = {**some, f"{info}/METADATA": b"Metadata-Version: 2.4\n"}
        lines = "".join(row(path, data) for path, data in every.items()) + f"{info}/RECORD,,\n"
        files |= {**every, f"{info}/RECORD": records(lines).encode()}
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    content: dict[str, Any] = {
        "format": 1, "package": "demo", "version": "1.0", "target": "linux_x86_64", "python": "3.11.4", "level": "native",
        "type": "debug", "pypackpack": "0.3.0", "dependencies": [{"name": "other", "version": "2", "level": "instant"}],
        "files": [listed(path, data) for path, data in sorted(files.items())], **facts,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest(content)))
    return folder


def listed(path: str, data: bytes = b"") -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
