"""What the packages of tests/packages/native answer, wherever they run."""

from __future__ import annotations

import json
from typing import Any

from tests.builds import PACKAGES

PROJECT = PACKAGES / "native"
RUNNER = PROJECT / "ask.py"

MIXTURE: dict[str, Any] = {
    "c": 42,
    "helper": 2349395587,
    "written": [26, "1.500|12345", 16, "-7 seven", 11, "0000beef q%", 0],
    "names": ["mixture.speedups", "mixture.fast", "mixture.wave.table", "mixture.wave"],
    "here": "elsewhere",
    "cython": 45,
    "cimported": 42,
    "typed": 1.5,
    "class": 7,
    "type error": "TypeError",
    "raised": "not 7",
}
LEDGER: dict[str, Any] = {
    "map": 3,
    "again": 7,
    "cast": "credit 1",
    "caught": ["ValueError", "no entry 9"],
    "unknown": ["KeyError", "'no such account'"],
    "cython": [1, 3],
    "translated": True,
}
TYPED: dict[str, Any] = {
    "total": 285,
    "scaled": 42,
    "norm": 25,
    "extension type": True,
    "typed": True,
    "hidden": True,
    "cimported": 60,
    "of a type": 25,
}
ARRAYS: dict[str, Any] = {"cimported": 15.0, "included": [6, 2], "refused": "no array", "pure": 15.0}


def expected(package: str, target: str) -> dict[str, Any]:
    """Return what a package answers on a target."""
    if package != "mixture":
        return {"ledger": LEDGER, "typed": TYPED, "arrays": ARRAYS}[package]
    return {**MIXTURE, "here": "windows"} if target.startswith("windows") else MIXTURE


def parse(text: str) -> dict[str, Any]:
    """Return the answers that the runner printed."""
    found: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return found
