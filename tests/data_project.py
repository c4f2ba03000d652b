"""A project with one package that has data files, for tests of what is made of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = ("linux_x86_64", "windows_amd64", "windows_arm64", "emscripten_wasm32")


def noise(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)  # noqa: S311 - no secret


FILES = {
    "main/__init__.py": b"",
    "main/mod.py": b"X = 1\n",
    "main/mod.pyi": b"X: int\n",
    "main/py.typed": b"",
    "main/data/big.bin": noise(300_000),
    "main/data/same.bin": noise(300_000),
    "main/data/words.txt": b"".join(b"%d words\n" % number for number in range(9000)),
    "main/data/not-a-module.py": b"print()\n",
    "main/data/one.txt": b"1",
    "main/data/empty": b"",
    "test/test_data.txt": b"never",
}


def project(folder: Path, files: dict[str, bytes] | None = None, *, settings: str = "", targets: tuple[str, ...] = TARGETS) -> Path:
    root = folder / "project"
    package = root / "small"
    for place, content in (FILES if files is None else files).items():
        path = package / "src" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    listed = ", ".join(f'"{target}"' for target in targets)
    (package / "pyproject.toml").write_text(
        f'[project]\nname = "small"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = [{listed}]\n{settings}', encoding="utf-8"
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n[tool.pypackpack]\npackages = ["small"]\n',
        encoding="utf-8",
    )
    return root
