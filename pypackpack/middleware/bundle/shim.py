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

SHIM_VERSION = "shim-5"
"""Part of the keys of fat wheels: raised when the same names make another text."""

_TEXT = '''\
"""{package} with all that it needs, in the folder {carried}: importing it imports the package from there."""


def _begin(name, spec, names, folders):
    # What else importlib and others have is not imported: it would cost a small program more than all of the rest.
    import importlib
    import importlib.machinery
    import os
    import sys

    def same(path):
        try:
            return os.path.normcase(os.path.realpath(path or os.curdir))
        except (OSError, ValueError):  # the working directory is gone, or that is no path
            return path

    beside = os.path.dirname(os.path.abspath(spec.origin))
    carried = os.path.join(beside, "{carried}")
    within, me, own = same(carried), same(spec.origin), same(os.path.dirname(beside))
    places = [os.path.normpath(os.path.join(carried, folder)) for folder in ("", *folders)]
    known = {{same(place) for place in places}}

    def leads_here(entry):
        if same(entry) == own:
            return True
        # An entry may be relative, and mean the folder that was the working directory when it was first looked at.
        found = importlib.machinery.PathFinder.find_spec(name, [entry])
        return found is not None and found.origin is not None and same(found.origin) == me

    def find():
        found = (finder.find_spec(name, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        return next((each for each in found if each is not None), None)

    while True:
        before = list(sys.path)
        after = [entry for entry in before if not isinstance(entry, str) or same(entry) not in known]
        at = next((at for at, entry in enumerate(after) if isinstance(entry, str) and leads_here(entry)), len(after))
        after[at:at] = places
        if sys.path == before:  # else another thread has changed it meanwhile, which must not be lost
            sys.path[:] = after
            break
    for other in names:
        there = getattr(sys.modules.get(other), "__file__", None)
        # Installers may link each file to one in a cache (uv's `--link-mode symlink`): its folder is what counts.
        if isinstance(there, str) and not (same(os.path.dirname(there)) + os.sep).startswith(within + os.sep):
            import warnings

            text = "{package} carries its own %s (in %s), and another one was imported before it: %s"
            warnings.warn(text % (other, carried, there), RuntimeWarning, stacklevel=3)
    shim = sys.modules.get(name)
    if shim is not None and getattr(shim, "__spec__", None) is not spec:
        return  # the package is there, and somebody has made a module of this one beside it
    sys.modules.pop(name, None)
    try:
        found = find()
        if found is None or found.origin is None or same(found.origin) == me:
            raise ImportError("%s is not whole: %s does not have it" % (name, carried), name=name, path=carried)
        importlib.import_module(name)
    except BaseException:
        if shim is not None:
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
