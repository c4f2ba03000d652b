"""The package's own module."""

import sys

from whole.first import Point, one
from whole.sub import two

__all__ = ["Point", "late", "one", "two"]

NAME = __name__
FILE = __file__
PATH = [*__path__]
SPEC = __spec__.name
IN_MODULES = "whole" in sys.modules


def answer_names():
    return NAME, len(PATH), SPEC, IN_MODULES, __doc__, __package__


def answer_star():
    names = {}
    exec("from whole import *", names)
    return sorted(name for name in names if not name.startswith("__")), names["late"].__name__
