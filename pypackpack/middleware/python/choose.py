"""Which Pythons a project works with and a package is built for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.model.errors import MissingToolError, PyPackPackError, UsageError
from pypackpack.model.interpreter import NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.model.build import Level, Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion

VERSION_FILE = ".python-version"
SUPPORTED = f">={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"
"""What uv is asked for when nobody said which Python."""

_WORD = re.compile(r"(?:cpython[-@]?|python)?(?P<major>\d+)\.(?P<minor>\d+)(?:\.\d+)?(?P<threads>t|\+freethreaded)?")


def check_version(word: str) -> PythonVersion:
    """Return the X.Y of a Python version as a person types it: ``3.12``, ``3.12.4``, ``cpython3.12``.

    Raises:
        UsageError: It is no version, or one that packages are not built for.
    """
    found = _WORD.fullmatch(word.strip().lower())
    if found is None:
        msg = f'"{word}" is not a Python version'
        raise UsageError(msg, hint="Write it as 3.12 or 3.12.4; only CPython is built for.")
    if found["threads"]:
        msg = f"Python {word} is free-threaded; PyPackPack does not build for free-threaded Pythons"
        raise UsageError(msg, hint=f"Use {found['major']}.{found['minor']}.")
    series = (int(found["major"]), int(found["minor"]))
    _check_series(series, word)
    return series


def _check_series(series: PythonVersion, shown: str) -> None:
    if not OLDEST <= series <= NEWEST:
        msg = f"Python {shown} is not supported: packages are built for {_text(OLDEST)} to {_text(NEWEST)}"
        raise UsageError(msg, hint="Choose one of these.")


def _text(series: PythonVersion) -> str:
    return f"{series[0]}.{series[1]}"


def accepted(python: Interpreter) -> Interpreter:
    """Return the interpreter if packages can be built for it.

    Raises:
        UsageError: It is free-threaded, another implementation than CPython, too old or too new.
    """
    version = ".".join(map(str, python.version))
    if python.implementation != "cpython":
        msg = f"{python.executable} is {python.implementation} {version}; PyPackPack builds for CPython only"
        raise UsageError(msg, hint="Choose a CPython.")
    if python.free_threaded:
        msg = f"{python.executable} is a free-threaded Python {version}; PyPackPack does not build for free-threaded Pythons"
        raise UsageError(msg, hint=f"Choose a plain one; `pypackpack python install {_text(python.series)}` brings one.")
    _check_series(python.series, f"{version} ({python.executable})")
    return python


def project_python(project: Project, *, offline: bool = False, watcher: Watcher | None = None) -> Interpreter:
    """Return the project's own Python: that of ``.venv``, else of ``.python-version``, else of ``requires-python``.

    Raises:
        UsageError: Packages cannot be built for it.
        MissingToolError: It is not there, and cannot be fetched.
    """
    from pypackpack.backend.tools import python, uv, venv  # noqa: PLC0415 - import cost

    if venv.is_venv(project.venv):
        base = venv.base_python(project.venv)
        if base is None:
            msg = f"the Python that {project.venv} was made from is gone"
            raise MissingToolError(msg, hint="Remove that folder: then the version in .python-version is used.")
        return accepted(python.inspect_interpreter(base))
    wanted = pinned_version(project.root) or project.requires_python or SUPPORTED
    return accepted(plain(wanted, uv.find_python(wanted, offline=offline, watcher=watcher)))


def pinned_version(root: Path) -> str | None:
    """Return the first version of ``.python-version``, the file that uv and pyenv read too, or None.

    Raises:
        UsageError: What stands there is no version, and nothing else that uv takes for one.
    """
    from pypackpack.backend import filesystem  # noqa: PLC0415 - import cost

    path = root / VERSION_FILE
    if not path.is_file():
        return None
    lines = (line.partition("#")[0].strip() for line in filesystem.read_bytes(path).decode(errors="replace").splitlines())
    word = next((line for line in lines if line), None)
    if word is not None and not _means_a_python(word, root):
        msg = f'{path}: "{word[:40]}" is not a Python version'
        raise UsageError(msg, hint="Write it as 3.12 or 3.12.4, or run `pypackpack python use <version>`.")
    return word


def _means_a_python(word: str, root: Path) -> bool:
    """Tell whether uv could take a word for a Python: a version, a range, a path, a key (``cpython-3.12-linux-x86_64-gnu``)."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - import cost

    if (
        re.fullmatch(r"(?:[a-z]+[-@]?)?\d+(?:\.\d+)*(?:[a-z]+\d*)?(?:\+\w+)?(?:-\w+)*", word, re.IGNORECASE)
        or (root / word).exists()
    ):
        return True
    try:
        return bool(SpecifierSet(word))
    except InvalidSpecifier:
        return False


def pythons_for(
    project: Project,
    package: Package,
    words: Sequence[str] = (),
    *,
    headers: bool = False,
    offline: bool = False,
    watcher: Watcher | None = None,
) -> tuple[Interpreter, ...]:
    """Return the Pythons that a package is built for.

    Args:
        project: The project.
        package: The package.
        words: Versions as typed after ``--python``; none means those of the settings, else the project's own.
        headers: Whether C is compiled: then each needs its headers.
        offline: Never touch the network.
        watcher: Gets a note about what is fetched or borrowed.

    Raises:
        UsageError: A word is no version, a version is not supported, is there twice, or is excluded by ``requires-python``.
        MissingToolError: One of the Pythons, or its headers, is not there; all that are missing are named.
    """
    asked = _distinct(words) if words else [_text(series) for series in package.pythons]
    if not asked:
        own = project_python(project, offline=offline, watcher=watcher)
        _check_required(package, own.series, f"the project's own Python, {_text(own.series)},")
        found: tuple[Interpreter, ...] = (own,)
    else:
        for word in asked:
            _check_required(package, check_version(word), f"Python {word}")
        found = tuple(accepted(python) for python in _found(asked, offline=offline, watcher=watcher))
    return tuple(with_headers(python, watcher) for python in found) if headers else found


def _distinct(words: Iterable[str]) -> list[str]:
    """Return the words without repetitions; two micro versions of one series would make the same wheel twice."""
    result: dict[PythonVersion, str] = {}
    for word in words:
        series = check_version(word)
        if result.setdefault(series, word) != word:
            msg = f"--python {result[series]} and {word} are the same series, {_text(series)}"
            raise UsageError(msg, hint="Name one of them: a wheel serves every micro version of its series.")
    return list(result.values())


def _check_required(package: Package, series: PythonVersion, shown: str) -> None:
    if not package.requires_python:
        return
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    allowed = SpecifierSet(package.requires_python)
    if not any(allowed.contains(f"{_text(series)}.{micro}", prereleases=True) for micro in (0, 1, 50, 99)):
        msg = f'{shown} is excluded by requires-python = "{package.requires_python}" of {package.name}'
        raise UsageError(msg, hint="Choose another version with --python, or change requires-python.")


def _found(words: Iterable[str], *, offline: bool, watcher: Watcher | None) -> list[Interpreter]:
    """Find each through uv; what is missing is said in one error."""
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost

    result: list[Interpreter] = []
    missing: list[tuple[str, MissingToolError]] = []
    for word in words:
        try:
            result.append(plain(word, uv.find_python(word, offline=offline, watcher=watcher)))
        except MissingToolError as error:  # noqa: PERF203 - all that are missing are said at once
            missing.append((word, error))
    if len(missing) == 1:
        raise missing[0][1]
    if missing:
        names = ", ".join(word for word, _ in missing)
        msg = f"these Pythons are not on this machine: {names}"
        details = "\n".join(f"{word}: {error.message}" for word, error in missing)
        raise MissingToolError(msg, hint=missing[0][1].hint, details=details)
    return result


def the_python(executable: Path, level: Level, watcher: Watcher | None = None) -> Interpreter:
    """Return one given interpreter, which is asked for by its path and not chosen.

    Args:
        executable: The path that starts it.
        level: What is built: files of level instant belong to no Python, so that any will do.
        watcher: Gets a note about headers that are borrowed.

    Raises:
        UsageError: Packages cannot be built for it.
        MissingToolError: It cannot be started, or it has no C headers and they are needed.
    """
    from pypackpack.backend.tools import python  # noqa: PLC0415 - import cost
    from pypackpack.model.build import Level  # noqa: PLC0415 - import cost

    found = python.inspect_interpreter(executable)
    if level is Level.INSTANT:
        return found
    return with_headers(accepted(found), watcher) if level is Level.NATIVE else accepted(found)


def with_headers(python: Interpreter, watcher: Watcher | None = None) -> Interpreter:
    """Return the interpreter with C headers: its own, else those of another Python of the same X.Y on this machine.

    CPython's headers of one X.Y are the same but for ``pyconfig.h``, which is made for each target anyway.

    Raises:
        MissingToolError: No Python of that series here has headers; the hint says how to get them.
    """
    if python.has_headers:
        return python
    series = _text(python.series)
    for other in installed(series):
        if other.has_headers and other.series == python.series and not other.free_threaded and other.implementation == "cpython":
            if watcher is not None:
                watcher.note(f"{python.executable} has no C headers; those of {other.executable} are used")
            return replace(python, include=other.include, has_headers=True)
    msg = f"{python.executable} has no C headers (Python.h), which level native needs"
    hint = (
        f"Install the package python{series}-dev (Debian, Ubuntu) or python{series}-devel (Fedora, SUSE), "
        f"or run `pypackpack python install {series}`: uv's Pythons have them."
    )
    raise MissingToolError(msg, hint=hint)


def preferred(spec: str, found: Interpreter, watcher: Watcher | None = None) -> Interpreter:
    """Return a Python for a new project: ``found``, or one of the same version that has C headers, fetched if need be.

    A system's own Python often has none, and then nothing could be built natively. Where none can be had, ``found`` it is.
    """
    if found.has_headers:
        return found
    for other in installed(spec):
        if other.has_headers and other.implementation == "cpython" and not other.free_threaded:
            return other
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost

    try:
        uv.install_python(_text(found.series), watcher=watcher)
        fetched = uv.find_python(_text(found.series), offline=True)
    except MissingToolError:
        fetched = found
    if watcher is not None and not fetched.has_headers:
        series = _text(found.series)
        watcher.note(f"{found.executable} has no C headers; level native will want python{series}-dev (your system's package)")
    return fetched


def plain(spec: str, found: Interpreter) -> Interpreter:
    """Return ``found``, or where it is free-threaded another Python of this machine that ``spec`` means and that is not.

    From 3.14 on, uv takes the first of the search path for "3.14", whichever of the two it is.
    """
    if not found.free_threaded:
        return found
    others = (other for other in installed(spec) if other.implementation == "cpython" and not other.free_threaded)
    return next(others, found)


def installed(spec: str) -> tuple[Interpreter, ...]:
    """Return the Pythons of a version that uv finds on this machine, in its order; those that do not start are passed over."""
    from pypackpack.backend.tools import python, uv  # noqa: PLC0415 - import cost

    words = ["python", "list", "--only-installed", "--output-format", "json", "--no-python-downloads", spec]
    result: list[Interpreter] = []
    for entry in json.loads(uv.run(words, f"listing the Pythons of version {spec}").stdout or "[]"):
        try:
            result.append(python.inspect_interpreter(Path(entry["path"])))
        except (PyPackPackError, KeyError, TypeError):  # noqa: PERF203 - one broken Python hides none of the others
            continue
    return tuple(result)
