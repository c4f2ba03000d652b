"""The files that a new project or package starts with, from ``data/templates``."""

from __future__ import annotations

from pathlib import Path

import pypackpack


def template(file: str, /, **words: str) -> str:
    """Return the text of ``data/templates/<file>.template`` with each ``{word}`` replaced.

    They do not have the names of what they become: a tool that looks for a pyproject.toml would take one of these for it.
    """
    path = Path(pypackpack.__file__).parent / "data" / "templates" / f"{file}.template"
    text = path.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace("{" + word + "}", value)
    return text
