"""The one module of a fat wheel that everybody sees: it gives way to the package that the wheel carries.

A fat wheel holds ``<package>/__init__.py``, which is this, and ``<package>/_carried/``, which is the package and all it needs as
they lie in a binary. The shim puts that folder on ``sys.path``, directly before the entry that it was found in itself, takes
itself out of ``sys.modules`` and imports the package once more. Whoever asked gets what then stands in ``sys.modules``, as
https://docs.python.org/3/reference/import.html#loading says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CARRIED = "_carried"
"""The folder below the package that holds everything."""

SHIM_VERSION = "shim-1"
"""Part of the keys of fat wheels: raised when the same names make another text."""

_TEXT = '''\
"""{package} with all that it needs, in the folder {carried}: importing it imports the package from there."""


def _begin(name, spec, names, folders):
    import importlib.util
    import os
    import sys
    import warnings

    def same(path):
        return os.path.normcase(os.path.realpath(path or os.curdir))

    beside = os.path.dirname(os.path.abspath(spec.origin))
    carried = os.path.join(beside, "{carried}")
    within = same(carried)
    places = [os.path.normpath(os.path.join(carried, folder)) for folder in ("", *folders)]
    known = {{same(place) for place in places}}
    sys.path[:] = [entry for entry in sys.path if not isinstance(entry, str) or same(entry) not in known]
    own = same(os.path.dirname(beside))
    at = next((at for at, entry in enumerate(sys.path) if isinstance(entry, str) and same(entry) == own), len(sys.path))
    sys.path[at:at] = places
    for other in names:
        there = getattr(sys.modules.get(other), "__file__", None)
        if isinstance(there, str) and not same(there).startswith(within + os.sep):
            text = "{package} carries its own %s (in %s), and another one was imported before it: %s"
            warnings.warn(text % (other, carried, there), RuntimeWarning, stacklevel=3)
    shim = sys.modules.pop(name)
    try:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None or same(found.origin) == same(spec.origin):
            raise ImportError("%s is not whole: %s does not have it" % (name, carried), name=name, path=carried)
        importlib.import_module(name)
    except BaseException:
        sys.modules.setdefault(name, shim)  # the import system takes it out again, and wants to find it
        raise


def __getattr__(attribute):
    # For a thread that got hold of this module while another one was importing it.
    import sys

    real = sys.modules.get(__name__)
    if real is None or getattr(real, "__spec__", None) is __spec__:
        raise AttributeError("module %r has no attribute %r" % (__name__, attribute))
    return getattr(real, attribute)


_begin(__name__, __spec__, {names}, {folders})
'''


def shim_text(package: str, names: Sequence[str], folders: Sequence[str] = ()) -> str:
    """Return the text of the shim; it runs on every Python that we build for.

    Args:
        package: The import package.
        names: Modules and packages at the top of what is carried besides it.
        folders: Folders below the carried one that go on ``sys.path``, too.
    """
    return _TEXT.format(package=package, carried=CARRIED, names=repr(tuple(sorted(names))), folders=repr(tuple(folders)))
