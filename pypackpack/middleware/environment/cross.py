"""Cross environments: a Python that runs here and reports the target, and everything that build tools want beside it.

``build/crossenv/<target>/cross-3.X``, made when it is first asked for. Builds of dependencies from their sdists stand on
`cross_environment`, and so does ``pypackpack env``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import cross_facts, cross_files
from pypackpack.middleware.environment.place import environment_folder, site_packages
from pypackpack.model.crossenv import CrossEnvironment
from pypackpack.model.errors import MissingToolError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

STAMP = "environment.json"
_VERSION = 1


def cross_folder(package: Package, target: Target, python: PythonVersion) -> Path:
    """Return the folder of a cross environment, whether or not it is there."""
    return environment_folder(package, target) / f"cross-{python[0]}.{python[1]}"


def cross_environment(
    project: Project,  # noqa: ARG001 - the settings of a project may come to matter; callers have it
    package: Package,
    target: Target,
    python: Interpreter,
    watcher: Watcher,
    *,
    interpreter: Path | None = None,
    offline: bool = False,
) -> CrossEnvironment:
    """Return the cross environment of a target, made first if it is not there or was made from something else.

    Args:
        project: The project.
        package: Whose environment.
        target: For which target.
        python: The Python that runs here, with headers; the environment is for the same X.Y.
        watcher: Told when something is made.
        interpreter: The target's own Python, for crossenv; None means `target_interpreter`.
        offline: Never touch the network.

    Raises:
        MissingToolError: A tool is not there, or there is no such environment.
        PyPackPackError: It cannot be made; what was there is gone, and the next call makes it anew.
    """
    folder = cross_folder(package, target, python.series)
    own = interpreter or target_interpreter(package, target, python.series)
    _check_interpreter(own, target, python)
    made = _plan(package, target, python, folder, own)
    key = _key(made, folder, python, own)
    if _stamp(folder) == key:
        return made
    name = filesystem.sha256_bytes(os.path.normcase(os.path.realpath(folder)))[:32]

    def waiting() -> None:
        watcher.note(f"another pypackpack makes the environment of {target.name}; waiting")

    with filesystem.lock(filesystem.cache_folder() / "locks" / f"{name}.lock", waiting=waiting):
        if _stamp(folder) != key:
            filesystem.remove_tree(folder)
            _make(made, target, python, own, watcher, offline=offline)
            filesystem.write_atomic(folder / STAMP, json.dumps({"key": key}))
    return made


def target_interpreter(package: Package, target: Target, python: PythonVersion) -> Path | None:
    """Return the target's own Python where there is one that crossenv can work with: of the settings, or fetched by uv."""
    named = package.interpreters.get(target.name)
    if named is not None:
        return named
    if target.os_name != "posix" or target.family == "emscripten" or sys.platform == "win32":
        return None
    from pypackpack.middleware.python.foreign import foreign_python  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target.table import host_target  # noqa: PLC0415 - import cost

    folder = None if target == host_target() else foreign_python(target, python)
    found = folder / "bin" / f"python{python[0]}.{python[1]}" if folder is not None else None
    return found if found is not None and found.is_file() else None


def _check_interpreter(interpreter: Path | None, target: Target, python: Interpreter) -> None:
    if interpreter is None:
        return
    if target.os_name != "posix" or sys.platform == "win32":
        where = "on Windows" if sys.platform == "win32" else f"for {target.name}"
        msg = f"an environment of the target's own Python cannot be made {where}: crossenv is for POSIX systems"
        raise UsageError(msg, hint="Name no interpreter: then the environment is made without it.")
    if not interpreter.is_file():
        msg = f"there is no Python at {interpreter}"
        raise MissingToolError(msg, hint=f"Correct tool.pypackpack.target.{target.name}.interpreter, or --interpreter.")
    series = f"{python.series[0]}.{python.series[1]}"
    if not (interpreter.parent.parent / "lib" / f"python{series}").is_dir():
        msg = f"{interpreter} is no Python {series}: {interpreter.parent.parent / 'lib'} has no python{series}"
        raise UsageError(
            msg, hint="The target's Python and the one that runs here have to be of the same X.Y; choose with --python."
        )


def _stamp(folder: Path) -> str:
    try:
        return str(json.loads((folder / STAMP).read_bytes())["key"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _key(made: CrossEnvironment, folder: Path, python: Interpreter, interpreter: Path | None) -> str:
    import pypackpack  # noqa: PLC0415 - for its version only
    from pypackpack.backend.tools import cross_python, zig  # noqa: PLC0415 - import cost

    state = interpreter.stat() if interpreter is not None else None
    facts = [
        *(_VERSION, pypackpack.__version__, zig.pinned_version(), cross_python.tools_digest(), sys.executable, os.fspath(folder)),
        *(made.kind, made.target, os.fspath(python.executable), python.version, os.fspath(python.include)),
        *((os.fspath(interpreter), state.st_size, state.st_mtime_ns) if interpreter is not None and state is not None else ()),
    ]
    return filesystem.sha256_bytes(json.dumps(facts))


def _plan(package: Package, target: Target, python: Interpreter, folder: Path, interpreter: Path | None) -> CrossEnvironment:
    """Return the environment as it will be."""
    from pypackpack.backend.tools import cross_python, crossenv  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target.table import host_target  # noqa: PLC0415 - import cost

    if not target.triple:
        msg = f"{target.name} is put together from others and has no environment of its own"
        raise MissingToolError(msg, hint=f"Use one of its parts: {', '.join(target.parts)}.")
    if target.toolchain == "xcode":
        msg = f"there is no environment of {target.name} yet: what is compiled for it needs Xcode"
        raise MissingToolError(msg, hint="Its dependencies are installed all the same: `pypackpack <package> sync`.")
    host = target == host_target()
    kind = "host" if host else "crossenv" if interpreter is not None else "facts"
    venv, build = cross_python.venv_python(folder), cross_python.build_python(folder)
    if kind == "crossenv":
        venv, build = crossenv.cross_python(folder), crossenv.build_python(folder)
    path = [venv.parent] if host else [folder / "bin", venv.parent, *([build.parent] if kind == "crossenv" else [])]
    variables = {"PATH": os.pathsep.join(map(os.fspath, path)), "VIRTUAL_ENV": os.fspath(venv.parent.parent)}
    if not host:
        tools = {name: cross_python.command_line(words) for name, words in cross_python.tool_words(folder).items()}
        include = folder / "include" / f"python{python.series[0]}.{python.series[1]}"
        variables |= {
            **tools,
            "LDSHARED": f"{tools['CC']} -shared",
            "LDCXXSHARED": f"{tools['CXX']} -shared",
            **dict.fromkeys(("CFLAGS", "CXXFLAGS"), f"{cross_facts.FLAGS} -I{cross_python.command_line([os.fspath(include)])}"),
            "LDFLAGS": f"-L{cross_python.command_line([os.fspath(folder / 'libs')])}",
            "PYTHONPATH": os.fspath(folder / "startup"),
            "CMAKE_TOOLCHAIN_FILE": os.fspath(folder / "toolchain.cmake"),
            "CMAKE_GENERATOR": "Ninja",
            "PYPACKPACK_TARGET": target.name,
        }
        if target.family == "macos":
            variables["MACOSX_DEPLOYMENT_TARGET"] = cross_facts.platform_level(target)
    return CrossEnvironment(
        package=package.name,
        target=target.name,
        python_version=python.series,
        kind=kind,
        folder=folder,
        python=venv,
        build_python=venv if host else build,
        site_packages=site_packages(package, target, python.series),
        variables=variables,
        meson_cross_file=None if host else folder / "meson.ini",
        cmake_toolchain=None if host else folder / "toolchain.cmake",
    )


def _make(
    made: CrossEnvironment, target: Target, python: Interpreter, interpreter: Path | None, watcher: Watcher, *, offline: bool
) -> None:
    from pypackpack.backend.tools import cross_python, crossenv  # noqa: PLC0415 - import cost

    folder = made.folder
    watcher.note(f"making the environment of {target.name}, once")
    if made.kind == "host":
        cross_python.make_venv(folder, python.executable)
        _add_pip(made.python, watcher, offline=offline)
        filesystem.fill_file(cross_python.site_of(folder) / "_pypackpack_target.pth", f"{made.site_packages}\n".encode())
        return
    include = _make_compiler(folder, target, python, interpreter, watcher, offline=offline)
    words = cross_python.tool_words(folder)
    lines = {name: cross_python.command_line(each) for name, each in words.items()}
    base_prefix, base_executable = cross_python.base_of(python.executable)
    facts: dict[str, Any] = {
        **cross_facts.cross_facts(
            target, python.series, tools=lines, include=os.fspath(include), libs=os.fspath(folder / "libs")
        ),
        "base_prefix": base_prefix,
        "base_executable": base_executable,
        "base": os.fspath(folder.parent),
        "site": os.fspath(made.site_packages),
        "meson": os.fspath(folder / "meson.ini"),
    }
    meson = cross_files.meson_cross_file(target, tools=words, python=made.python)
    filesystem.fill_file(folder / "meson.ini", meson.encode())
    cmake = cross_files.cmake_toolchain(
        target,
        python.series,
        tools=words,
        python=made.python,
        include=include,
        libs=folder / "libs",
        modules=folder / "cmake",
    )
    filesystem.fill_file(folder / "toolchain.cmake", cmake.encode())
    if target.family == "emscripten":
        name, text = cross_files.CMAKE_PLATFORM
        filesystem.fill_file(folder / "cmake" / name, text.encode())
    cross_python.write_programs(folder, made.python, made.build_python if interpreter is not None else None)
    if interpreter is not None:
        ours = ("INCLUDEPY", "CONFINCLUDEPY", "LIBDIR", "LIBPYTHON", "LDSHARED", "LDCXXSHARED", "BLDSHARED", "CFLAGS", "RANLIB")
        crossenv.make(
            folder,
            python.executable,
            interpreter,
            tools=words,
            variables={name: facts["config_vars"][name] for name in ours},
            tags=facts["platform_tags"],
            machine=facts["uname"]["machine"],
            meson=folder / "meson.ini",
            isolated=cross_python.venv_python(folder),
            site=made.site_packages,
        )
        _add_pip(made.build_python, watcher, offline=offline)
        said = crossenv.reported(folder)
        facts |= {**said, "config_vars": {**facts["config_vars"], **said["config_vars"]}}
        cross_python.write_startup(folder, facts, crossenv.site_of(folder), "start_beside()")
    # Beside crossenv's, for isolated builds: crossenv does not reach into those.
    cross_python.make_venv(folder, python.executable)
    if interpreter is None:
        _add_pip(made.python, watcher, offline=offline)
    cross_python.write_startup(folder, facts, cross_python.site_of(folder), "start(True)")


def _add_pip(python: Path, watcher: Watcher, *, offline: bool) -> None:
    from pypackpack.backend.tools import cross_python  # noqa: PLC0415 - import cost

    why_not = cross_python.add_pip(python, offline=offline)
    if why_not:
        watcher.note(f"the environment has no pip: {why_not}")


def _make_compiler(
    folder: Path, target: Target, python: Interpreter, interpreter: Path | None, watcher: Watcher, *, offline: bool
) -> Path:
    """Make what compiles for the target, and return the folder of its headers."""
    from pypackpack.backend.tools import cross_python, headers, zig  # noqa: PLC0415 - import cost
    from pypackpack.middleware.compile.pyconfig import pyconfig_header  # noqa: PLC0415 - import cost

    cache = filesystem.cache_folder()
    series = f"{python.series[0]}.{python.series[1]}"
    tool = zig.ensure(cache, offline=offline, watcher=watcher)
    include = folder / "include" / f"python{series}"
    real = cross_python.real_headers(interpreter, series) if interpreter is not None else None
    if real is None:
        real = headers.python_headers(python, cache).path, pyconfig_header(target.name, python.series).encode()
    cross_python.copy_headers([real[0]], include)
    filesystem.fill_file(include / "pyconfig.h", real[1])
    extra = [headers.text_folder(headers.emscripten_overlay(), cache).path] if target.object_format == "wasm" else []
    number = f"{python.series[0]}{python.series[1]}"
    cross_python.write_compiler(folder, target, tool, [*extra, include], f"python{number}")
    if target.family == "windows":
        cross_python.write_import_libraries(folder, include, target, number, tool)
    else:
        filesystem.fill_file(folder / "libs" / ".keep", b"")
    return include
