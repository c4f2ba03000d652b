"""One package for all Pythons."""

import sys
from importlib import resources

from . import flow, records
from .records import Tide

__all__ = ["Tide", "flow", "records"]


def answer_modules():
    return sorted(name for name in sys.modules if name.startswith("eras."))


def answer_data():
    return resources.files(__name__).joinpath("data", "note.txt").read_text(encoding="utf-8")


def answer_names():
    return [__name__, __package__, __spec__.name, answer_names.__module__, answer_names.__qualname__, Tide.__module__]


def answer_series():
    return list(sys.version_info[:2])
