"""How keys and choices are written in messages about settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def dotted(key: Iterable[str | int]) -> str:
    """Write a key as TOML does: ``a.b[0]."c.d"``."""
    text = ""
    for step in key:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = step.replace("-", "").replace("_", "")
            word = step if plain.isascii() and plain.isalnum() else json.dumps(step, ensure_ascii=False)
            text += f".{word}" if text else word
    return text


def nearest(word: str, right: Iterable[str]) -> str:
    """Return ``; did you mean …?`` with the nearest right word, or nothing."""
    import difflib  # noqa: PLC0415 - import cost, only errors need it

    candidates = {name.lower().replace("_", "-"): name for name in right}
    found = difflib.get_close_matches(word.lower().replace("_", "-"), candidates, n=1, cutoff=0.6)
    return f'; did you mean "{candidates[found[0]]}"?' if found else ""


def either(words: Sequence[str]) -> str:
    """Return ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
