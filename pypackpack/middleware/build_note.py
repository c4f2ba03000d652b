"""The short way of a build that has nothing to do: a note of what everything looked like when all was as it should be.

``build/packpack/notes/`` of a package has one note per call (its words, after ``build``). A note holds the marks of every file
and folder that decides the result, of the artifacts themselves, and what the call answered. As long as all marks are the
same, nothing has to be read, planned or imported: one ``stat`` per file.

A note is written only after a build in which nothing ran, and only if nothing that it marks changed within the last seconds: what
changes within the clock's resolution could change again and look the same.

The reading half imports nothing but light modules.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

from pypackpack import __version__
from pypackpack.backend.marks import RACY_NANOSECONDS, LinkedError, Marks
from pypackpack.backend.treestate import nearest_with

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.middleware.build import Order
    from pypackpack.model.build import BuildResult

FOLDER = os.path.join("build", "packpack", "notes")
_FORMAT = 2
_TEXTS_KEPT = 8
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_VARIABLES = ("SOURCE_DATE_EPOCH", "PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME")
_PREFIXES = ("UV_", "PYPACKPACK_", "PIP_", "PYTHON", "XDG_")
_CACHES = frozenset({"__pycache__"})


_SECRETS = ("PASSWORD", "TOKEN", "KEY", "SECRET", "USERNAME", "USER")
"""Ends of names of variables that decide nothing, and whose values could be guessed from a digest."""


class Known:
    """What a note says.

    Attributes:
        text: What the build answers that has nothing to do; None when that is not certain.
        changed: What kind of thing is not as it was any more (``sources``), as far as that is known; else empty.
        compilers: What compiles the package's modules, where something has changed.
    """

    __slots__ = ("changed", "compilers", "text")  # a dataclass would cost an import that the fast path does without

    def __init__(self, text: str | None, changed: str = "", compilers: Sequence[str] = ()) -> None:
        self.text = text
        self.changed = changed
        self.compilers = tuple(compilers)


_NOTHING = Known(None)


def known_answer(start: str, words: Sequence[str], face: str) -> Known:
    """Return what is known of a build that may have nothing to do.

    Args:
        start: The folder that the person stands in.
        words: The call without ``build``; the first is the package.
        face: What the form of the answer depends on, such as the width of the terminal.
    """
    try:
        name = os.path.join(words[0], FOLDER, _name(words))
        root = nearest_with(os.path.realpath(start), name)
        if root is None:
            return _NOTHING
        with open(os.path.join(root, name), encoding="utf-8") as stream:
            content = json.load(stream)
        if content["head"] != _head():
            return _NOTHING
        text = content["texts"].get(f"{os.path.realpath(start)}|{face}")
        if not isinstance(text, str):
            return _NOTHING
        marks = Marks()
        for kind, path, mark in content["marks"]:
            if _mark(marks, kind, os.path.join(root, path)) != mark:
                return Known(None, str(kind), content["compilers"])
    except (OSError, ValueError, KeyError, TypeError, LinkedError, RecursionError):
        return _NOTHING
    return Known(text)


def _mark(marks: Marks, kind: str, path: str) -> str:
    """Return the mark of what the kind says: a file, a folder's entry, its names, or all that is in it."""
    if kind == "file":
        return marks.file(path)
    if kind == "place":
        return marks.place(path)
    if kind == "names":
        return marks.names(path)
    return marks.tree(path, frozenset() if kind == "artifact" else _CACHES)


def _name(words: Sequence[str]) -> str:
    return f"{hashlib.sha256(json.dumps(list(words)).encode()).hexdigest()[:32]}.json"


def _head() -> str:
    """Return what must be the same besides files: ourselves, the Python that we run on, and what the environment says."""
    said = {
        name: value.rpartition("@")[2]  # what stands before it in a url is a login
        for name, value in os.environ.items()
        if (name in _VARIABLES or name.startswith(_PREFIXES)) and not name.endswith(_SECRETS)
    }
    facts = [_FORMAT, __version__, sys.version, sys.executable, sorted(said.items())]
    return hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogateescape")).hexdigest()


def remember(words: Sequence[str], start: str, face: str, order: Order, result: BuildResult, text: str) -> None:
    """Note that a call has nothing to do, if that is certain.

    Args:
        words: The call without ``build``.
        start: The folder that the person stands in.
        face: What the form of the answer depends on.
        order: What was built.
        result: What came of it.
        text: What the call answered.
    """
    from pypackpack.backend import filesystem  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.build import is_still  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.build_environments import including  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.bundle.metadata import metadata_sources  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.environment.path_sources import source_folders  # noqa: PLC0415 - not for the reading half
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - not for the reading half

    package, root = order.package, os.fspath(order.project.root)
    if asks_the_machine(order):
        return  # a compiler of the machine may become another one, and lies in no folder that has marks
    plain = result.tasks_run == 0 and all(artifact.cached for artifact in result.artifacts)
    if not plain or list(words[:1]) != [package.root.name] or os.fspath(package.root.parent) != root:
        return
    if sys.platform == "win32" and not _is_settled(order):
        return  # uv also looks into the registry, which has no marks
    marks = Marks()
    try:
        if any("/" in pattern for member in order.members for pattern in metadata_sources(member, order.project)[1]):
            return  # a new licence in a folder below would not be seen
        looked_into = [package] if order.request.bundle.carries else []
        looked_into += [each for each, _ in including(order)]
        if any(source_folders(order.project, each) for each in looked_into):
            return  # dependencies in folders that other tools build from: what matters there is theirs to say
        found = [(kind, os.path.relpath(path, root), _mark(marks, kind, path)) for kind, path in _watched(order, result)]
        if marks.newest > order.began - RACY_NANOSECONDS or not is_still(order):
            return
        place = package.root / FOLDER / _name(words)
        texts = {f"{os.path.realpath(start)}|{face}": text}
        known = _texts(place, found)
        kept = dict([*((key, value) for key, value in known.items() if key not in texts), *texts.items()][-_TEXTS_KEPT:])
        content = {"head": _head(), "marks": found, "texts": kept, "compilers": _compilers(order)}
        filesystem.write_atomic(place, json.dumps(content), durable=False)
    except (OSError, LinkedError, PyPackPackError):
        return  # it only saves time


def _texts(place: os.PathLike[str], marks: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Return the answers in other forms that an older note has, if it holds for the same state."""
    try:
        with open(place, encoding="utf-8") as stream:
            content = json.load(stream)
        if content["head"] == _head() and [tuple(each) for each in content["marks"]] == list(marks):
            return {str(key): str(value) for key, value in content["texts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return {}


def _watched(order: Order, result: BuildResult) -> list[tuple[str, str]]:
    """Return every file and folder that decides what the build makes, and what it made."""
    from pypackpack.backend import distributions  # noqa: PLC0415 - not for the reading half
    from pypackpack.backend.tools import cython  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.build_environments import including  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.bundle.artifacts import METADATA_WRITERS  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.bundle.current import note_of  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.bundle.metadata import metadata_sources  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.environment.place import site_packages  # noqa: PLC0415 - not for the reading half
    from pypackpack.model.build import Bundle  # noqa: PLC0415 - not for the reading half

    project = order.project
    root = os.fspath(project.root)
    found = [
        ("names", root),
        ("file", os.path.join(root, ".python-version")),
        ("file", os.path.join(root, ".venv", "pyvenv.cfg")),
        ("installed", _OWN_FOLDER),
        ("file", cython.installed_at()),
        *(("file", distributions.record_of(name)) for name in _tools(order)),
        *(("file", distributions.record_of(name)) for name in METADATA_WRITERS),
    ]
    for each in project.packages:
        found.append(("file", os.path.join(each.root, "pyproject.toml")))
        if each in order.members:
            own = os.fspath(each.root)
            found += [("names", own), ("sources", os.path.join(own, "src")), ("file", os.path.join(own, "pyproject.lock"))]
            found += [("file", os.fspath(path)) for path in metadata_sources(each, project)[0]]
    for python in order.pythons:
        found += [("file", os.path.realpath(python.executable)), ("file", os.path.join(python.include, "patchlevel.h"))]
    if order.request.bundle in (Bundle.SINGLE, Bundle.PATCH, Bundle.FAT):
        # Another build may have superseded these wheels, and a wheel that somebody put beside them is to be superseded by them.
        found += [("file", os.fspath(note_of(order.folder))), ("names", os.fspath(order.folder))]
    for artifact in result.artifacts:
        found.append(("artifact" if artifact.kind == "folder" else "file", os.fspath(artifact.path)))
    if not _is_settled(order):
        found += [("place", place) for place in _python_places()]
    if order.request.bundle.carries:
        sites = [site_packages(order.package, target, python.series) for target in order.targets for python in order.pythons]
        found += [("installed", os.fspath(site)) for site in sites]
    for package, targets in including(order):
        sites = [site_packages(package, target, python.series) for target in targets for python in order.pythons]
        found += [("installed", os.fspath(site)) for site in sites]
    return list(dict.fromkeys(found))


def asks_the_machine(order: Order) -> bool:
    """Tell whether something was compiled, or left out, by another toolchain than zig, which is pinned.

    A target that was left out since its toolchain is missing counts, unless no machine of this system can have that.
    """
    from pypackpack.middleware.compile.toolchains import HOSTS, choices  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.target import table  # noqa: PLC0415 - not for the reading half

    targets = [*(order.targets if order.compiles else ()), *(table.find(name) for name, _ in order.left_out)]
    pairs = [(target, member.settings(target)) for target in targets for member in order.members]
    names = {choice.found.name for target, settings in pairs for choice in choices(target, settings)}
    return any(HOSTS.get(name, sys.platform) == sys.platform for name in names - {"zig"})


def _is_settled(order: Order) -> bool:
    """Tell whether ``.venv`` says which Python is meant; otherwise uv looks for one."""
    return not order.request.pythons and not order.package.pythons and (order.project.venv / "pyvenv.cfg").is_file()


def _python_places() -> list[str]:
    """Return the folders that uv looks for Pythons in: another Python there may be the one to take."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    managed = os.environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python")
    return [managed, *(os.path.abspath(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)]


def _compilers(order: Order) -> list[str]:
    """Return the compilers that the settings name, if anything is compiled."""
    named = {settings.compiler for member in order.members for settings in member.build.values()}
    return sorted(named) if order.compiles else []


def _tools(order: Order) -> list[str]:
    """Return the distributions that the build makes use of besides Cython."""
    from pypackpack.model.build import Bundle  # noqa: PLC0415 - not for the reading half

    if order.request.bundle is Bundle.RESOURCE:
        return ["pyfastcdc", "deflate"]
    every = [settings for member in order.members for settings in member.build.values()]
    minifier = ["python-minifier"] if any(settings.minify is not None for settings in every) else []
    audit = ["abi3info"] if order.request.audits and order.compiles else []
    named = (tool for name, tool in (("nuitka", "nuitka"), ("mypyc", "mypy")) if name in _compilers(order))
    return [*minifier, *audit, *named]
