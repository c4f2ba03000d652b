"""A package in the package, with data."""

from importlib import resources

from .. import first as _outer
from .first import two

__all__ = ["two"]

OUTER = _outer.__name__


def answer_resources():
    import whole

    found = sorted(each.name for each in resources.files(__name__).iterdir() if each.name.endswith(".txt"))
    texts = [resources.files(package).joinpath("data.txt").read_text(encoding="utf-8") for package in (__name__, whole)]
    return found, texts


def answer_outer():
    return OUTER
