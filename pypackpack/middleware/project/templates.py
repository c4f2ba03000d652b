"""The files that a new project or package starts with, from ``data/templates``."""

from __future__ import annotations

from pathlib import Path

import pypackpack


def template(file: str, /, **words: str) -> str:
    """Return the text of ``data/templates/<file>`` with each ``{word}`` replaced."""
    path = Path(pypackpack.__file__).parent / "data" / "templates" / file
    text = path.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace("{" + word + "}", value)
    return text
