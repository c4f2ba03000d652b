"""crossenv: a Python that runs here and reports the platform of another one, whose files are on this machine.

It reads what that Python was built with (``_sysconfigdata``, ``Makefile``), so it needs no table of ours. It runs in the Python
that the environment is made from, which has to be of the same X.Y, on POSIX systems only.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem, process
from pypackpack.model.errors import MissingToolError, ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "crossenv"
"""Name of its folder in an environment."""

# Runs in the Python that the environment is made from. Only crossenv itself is to be found in our folder, nothing beside it.
_START = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import crossenv
sys.path.pop(0)
crossenv.main()
"""

# Put into the script that starts the cross Python, which runs before that Python knows what it is to report. What crossenv does
# not carry into an isolated build, the other Python of the environment does, which reports the same by our own means.
_HOOK = """
name = os.path.basename(sys.argv[1]) if len(sys.argv) > 2 else ""
isolated = "pip-build-env-" in os.environ.get("PYTHONPATH", "")
if (name == "__pip-runner__.py" and "--ignore-installed" in sys.argv) or isolated or "get_interpreter_info" in " ".join(sys.argv):
    os.execv({isolated!r}, [{isolated!r}, *sys.argv[1:]])
if name in ("meson", "meson.py"):
    if sys.argv[2] == "setup" and not any(word.startswith("--cross-file") for word in sys.argv):
        sys.argv[3:3] = ["--cross-file", {meson!r}]
    os.environ["PYPACKPACK_CROSS"] = "off"  # Meson works on this machine; what it compiles for stands in the file
    os.execv({build!r}, [{build!r}, *sys.argv[1:]])
"""

# What the target's Python says of itself; paths of an installation are the environment's own.
_ASK = """
import json, sys, sysconfig
own = set(%r)
variables = {name: value for name, value in sysconfig.get_config_vars().items() if name not in own}
print(json.dumps({
    "config_vars": {name: value for name, value in variables.items() if isinstance(value, (str, int)) or value is None},
    "multiarch": getattr(sys.implementation, "_multiarch", None) or "",
    "platform": sysconfig.get_platform(),
}))
"""
_OWN = (
    *("prefix", "exec_prefix", "py_version", "py_version_short", "py_version_nodot", "installed_base", "base", "platbase"),
    *("installed_platbase", "projectbase", "platlibdir", "userbase", "py_version_nodot_plat", "implementation", "srcdir"),
    *("implementation_lower", "abi_thread", "TZPATH"),
)


def cross_python(folder: Path) -> Path:
    """Return the interpreter that reports the target, whether or not it is there."""
    return folder / FOLDER / "cross" / "bin" / "python"


def build_python(folder: Path) -> Path:
    """Return the interpreter that reports this machine, whether or not it is there."""
    return folder / FOLDER / "build" / "bin" / "python"


def site_of(folder: Path) -> Path:
    """Return the site-packages of the interpreter that reports the target."""
    found = sorted((folder / FOLDER / "cross" / "lib").glob("python3*/site-packages"))
    if not found:
        msg = f"{folder / FOLDER} has no site-packages"
        raise ToolError(msg)
    return found[0]


def make(
    folder: Path,
    python: Path,
    target_python: Path,
    *,
    tools: Mapping[str, Sequence[str]],
    variables: Mapping[str, str],
    tags: Sequence[str],
    machine: str,
    meson: Path,
    isolated: Path,
    site: Path,
) -> None:
    """Make the environment's Pythons.

    Args:
        folder: The environment's folder.
        python: The interpreter that it is made from, which runs here.
        target_python: The target's, which need not.
        tools: ``CC``, ``CXX`` and ``AR`` as words.
        variables: Values of ``sysconfig`` that win over those of the target's Python.
        tags: Platform tags of wheels that may be installed.
        machine: ``platform.machine()`` of the target.
        meson: The cross file.
        isolated: The Python that reports the target in isolated builds; it need not be there yet.
        site: The target's dependencies.

    Raises:
        MissingToolError: crossenv is not installed, or cannot work with these Pythons; its words are in ``details``.
    """
    spec = importlib.util.find_spec("crossenv")
    if spec is None or not spec.submodule_search_locations:
        msg = "crossenv is not installed beside pypackpack"
        raise MissingToolError(msg, hint="Install pypackpack again, with its dependencies.")
    place = Path(next(iter(spec.submodule_search_locations))).parent
    words: list[str | Path] = [python, "-I", "-c", _START, place, "--without-pip", "--machine", machine]
    words += ["--cc", shlex.join(tools["CC"]), "--cxx", shlex.join(tools["CXX"]), "--ar", shlex.join(tools["AR"])]
    words += [word for name, value in variables.items() for word in ("--config-var", f"{name}={value}")]
    words += [word for tag in tags for word in ("--platform-tag", tag)]
    words += _sysconfigdata(target_python)
    env = process.environment({"PYTHONHOME": None, "PYTHONPATH": None, "PYTHONUTF8": "1"})
    done = process.run([*words, target_python, folder / FOLDER], env=env)
    made = cross_python(folder)
    if done.code != 0 or not made.is_file():
        msg = f"crossenv cannot make an environment of {target_python} (exit code {done.code})"
        hint = "Name the right Python with --interpreter, or none: then the environment is made without it."
        raise MissingToolError(msg, hint=hint, details=(done.stderr.strip() or done.stdout.strip())[-4000:])
    _hook(made, build_python(folder), isolated, meson)
    filesystem.fill_file(site_of(folder) / "_pypackpack_target.pth", f"{site}\n".encode())


def reported(folder: Path) -> dict[str, Any]:
    """Return what the environment's Python says of the target, by the names that ``facts.json`` has for it."""
    words: list[str | Path] = [cross_python(folder), "-c", _ASK % (_OWN,)]
    env = process.environment({"PYTHONHOME": None, "PYTHONPATH": None, "PYTHONUTF8": "1"})
    done = process.checked(words, "asking the Python that crossenv made", env=env, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _sysconfigdata(target_python: Path) -> list[str | Path]:
    """Choose among several ``_sysconfigdata*.py`` that say the same but for their name, as Debian has them."""
    found = sorted(target_python.parent.parent.glob("lib/python3*/_sysconfigdata*.py"))
    return ["--sysconfigdata-file", found[0]] if len(found) > 1 else []


def _hook(python: Path, build: Path, isolated: Path, meson: Path) -> None:
    script = python.resolve()
    text = filesystem.read_bytes(script).decode()
    head, mark, rest = text.partition("import sys\n")
    if not mark:
        msg = f"{script} is not the script that crossenv writes"
        raise ToolError(msg)
    hook = _HOOK.format(build=os.fspath(build), meson=os.fspath(meson), isolated=os.fspath(isolated))
    filesystem.fill_file(script, f"{head}{mark}{hook}{rest}".encode())
