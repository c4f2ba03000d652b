"""A package inside, with names from beside and above."""

from . import leaf
from .. import __version__ as version
from ..place import HERE as above
from .leaf import *  # noqa: F403
from .leaf import _hidden as shown

__all__ = ["leaf", "version"]
