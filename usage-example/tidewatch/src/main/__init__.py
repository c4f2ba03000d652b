"""Watches the water at several harbours and says when to move the boats."""

from __future__ import annotations

__version__ = "1.2.0"


def __getattr__(name: str) -> object:
    # The program is not loaded for those who want the rules only.
    if name == "main":
        from tidewatch.cli import main

        return main
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
