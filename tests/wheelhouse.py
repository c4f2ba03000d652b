"""Makes wheels and sources of nothing but metadata, in a folder that serves uv as an index of its own."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def metadata(name: str, version: str, needs: Iterable[str] = (), extras: Iterable[str] = ()) -> str:
    """Return the METADATA of a distribution."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {line}" for line in needs]
    return "\n".join([*lines, ""])


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    *,
    needs: Iterable[str] = (),
    extras: Iterable[str] = (),
    more: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel with one module of the distribution's name that knows its version and tag; ``more`` instead of it."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    python, abi, platforms = tag.split("-")
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
    pure = "true" if platforms == "any" else "false"
    files = {
        **(more if more is not None else {f"{module}/__init__.py": f"VERSION = {version!r}\nTAG = {tag!r}\n"}),
        f"{info}/METADATA": metadata(name, version, needs, extras),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {pure}\n{tags}",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"])
    place = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return place


def sdist(folder: Path, name: str, version: str) -> Path:
    """Write a source distribution that nobody can build."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{name}-{version}.tar.gz"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path, text in {
            "PKG-INFO": metadata(name, version),
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "nothing"\n',
        }.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    place.write_bytes(gzip.compress(data.getvalue(), mtime=0))
    return place
