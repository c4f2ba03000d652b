"""The foreign Pythons that ``provide.py`` made: find them and run code on them.

    python = find("windows_amd64", (3, 12))
    done = python.run("import demo; print(demo.answer())", paths=[site_packages])

Every one is run in the same way: UTF-8 on all streams, no user site, no ``.pyc`` files left in the folders under
test, an environment of its own rather than the caller's.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogue import HERE, MANIFEST, default_root, load
from fetching import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WINE = Tool(("wine64", "wine"), "wine64", ("/usr/lib/wine/wine64",))
NODE = Tool(("node", "nodejs"), "nodejs")

SYSROOT = "root"
"""Folder, in that of a Debian Python, that stands for / of its system."""

_TIMEOUT = 300.0
_KEPT_VARIABLES = ("HOME", "LOGNAME", "PATH", "TMPDIR", "USER")
_FIRST_NODE_WITH_STACK_SWITCHING = 20
_STACK_SWITCHING_FLAGS = ("--experimental-wasm-jspi", "--experimental-wasm-stack-switching")


def qemu(processor: str) -> Tool:
    """QEMU's user mode emulator of a processor (QEMU's own name, as ``aarch64``)."""
    # Debian 13 dropped the suffix: there qemu-aarch64 is the static one.
    return Tool((f"qemu-{processor}-static", f"qemu-{processor}"), "qemu-user-static")


@dataclass(frozen=True)
class Headers:
    """Real headers of one target's CPython: folders for ``-I``, and the ``pyconfig.h`` among them.

    ``library`` is the target's libpython (its exported symbols are what a module can count on), when there is one.
    """

    name: str
    target: str
    version: tuple[int, int, int]
    include: tuple[Path, ...]
    pyconfig: Path
    library: Path | None


@dataclass(frozen=True)
class ForeignPython:
    """One Python of another platform that runs here.

    ``name`` is the entry in ``pins.json``, ``target`` the canonical target, ``kind`` how it runs: ``native``,
    ``qemu``, ``wine`` or ``pyodide``. ``command`` starts it (for Pyodide: node and the runner, which takes a job
    file) and ``environment`` is all that it gets of environment variables. ``platform`` is its
    ``sysconfig.get_platform()``; ``config_vars`` a JSON file of its ``sysconfig.get_config_vars()``.
    """

    name: str
    target: str
    version: tuple[int, int, int]
    kind: str
    folder: Path
    platform: str
    command: tuple[str, ...]
    config_vars: Path
    headers: Headers | None = None
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)

    def see(self, path: Path) -> str:
        """The name under which this Python sees a file or folder of this machine (Pyodide: if it is mounted)."""
        text = str(path.absolute())
        return "Z:" + text.replace("/", "\\") if self.kind == "wine" else text

    def run(
        self,
        code: str,
        *,
        paths: Sequence[Path] = (),
        args: Sequence[str] = (),
        timeout: float = _TIMEOUT,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run the Python source ``code`` with the folders ``paths`` at the front of ``sys.path``.

        ``timeout`` is in seconds; the working folder is an empty one unless ``cwd`` names another, ``env`` is added
        to the environment. Raises ``subprocess.TimeoutExpired``; an exit code other than 0 raises nothing.
        """
        with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
            file = Path(folder, "_foreign_code.py")
            file.write_text(code, encoding="utf-8")
            # The folder of the code is not the code's business; Python 3.10 knows no such switch and sees only the
            # one file there.
            extra = {"PYTHONSAFEPATH": "1", **(env or {})}
            return self._start(file, paths, args, timeout, cwd, extra, stdin)

    def run_script(self, path: Path, *, paths: Sequence[Path] = (), args: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run the Python file ``path`` as :meth:`run` does; as always its own folder comes first in ``sys.path``."""
        script = path.absolute()
        if self.kind == "pyodide":
            paths = [script.parent, *paths]
        return self._start(script, paths, args, _TIMEOUT, None, {}, "")

    def _start(
        self,
        script: Path,
        paths: Sequence[Path],
        args: Sequence[str],
        timeout: float,
        cwd: Path | None,
        env: Mapping[str, str],
        stdin: str,
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory(prefix="foreign-") as scratch:
            folder = cwd.absolute() if cwd else Path(scratch, "cwd")
            folder.mkdir(exist_ok=True)
            if self.kind == "pyodide":
                job = Path(scratch, "job.json")
                job.write_text(self._job(script, paths, args, folder, env), encoding="utf-8")
                return _run([*self.command, str(job)], folder, self.environment, stdin, timeout)
            environment = {**self.environment, **env}
            if paths:
                environment["PYTHONPATH"] = self._python_path(paths)
            return _run([*self.command, self.see(script), *args], folder, environment, stdin, timeout)

    def _python_path(self, paths: Sequence[Path]) -> str:
        separator = ";" if self.kind == "wine" else ":"
        for path in paths:
            if separator in str(path):
                message = f"PYTHONPATH cannot hold a folder with {separator!r} in its name: {path}"
                raise ValueError(message)
        return separator.join(self.see(path) for path in paths)

    def _job(self, script: Path, paths: Sequence[Path], args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
        # A folder inside one that is mounted is there already; sorted, the outer one comes first.
        mounts: list[Path] = []
        for folder in sorted({path.absolute() for path in (script.parent, cwd, *paths)}):
            if not any(folder.is_relative_to(mounted) for mounted in mounts):
                mounts.append(folder)
        job = {"file": str(script), "args": list(args), "paths": [self.see(path) for path in paths], "cwd": str(cwd)}
        task = {
            "pyodide": str(self.folder / "package"),
            "main": str(HERE / "pyodide_main.py"),
            "mounts": [[str(folder), str(folder.resolve())] for folder in mounts],
            "env": {**_python_settings(), **env},
            "job": job,
        }
        return json.dumps(task)

    def read_config_vars(self) -> dict[str, Any]:
        """What ``sysconfig.get_config_vars()`` says on this Python."""
        result: dict[str, Any] = json.loads(self.config_vars.read_text(encoding="utf-8"))
        return result


def _run(command: list[str], cwd: Path, env: Mapping[str, str], stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
    # Pipes on all three: wine gives a program other console behaviour on anything else. A session of its own, so
    # that what it started ends with it.
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=cwd, env=dict(env), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(stdin.encode(), timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, _text(out), _text(err))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _python_settings() -> dict[str, str]:
    return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # wine and node take the encoding of file names from the locale.
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **_python_settings(), **extra}


def wine_environment(prefix: Path) -> dict[str, str]:
    """Environment variables for wine with the prefix ``prefix``: quiet, and asking for nothing to be installed."""
    return _environment(
        {
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml=",
            "WINEPREFIX": str(prefix),
        }
    )


@functools.cache
def _node_flags(node: str) -> tuple[str, ...]:
    # asyncio.run in Pyodide needs WebAssembly's stack switching: in node 18 it crashes, later a flag switches it on,
    # whose name changed, and newer ones have it without.
    def ask(*args: str) -> str:
        done = subprocess.run([node, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        return done.stdout

    major = int(ask("--version").strip().lstrip("v").split(".")[0])
    if major < _FIRST_NODE_WITH_STACK_SWITCHING:
        return ()
    known = ask("--v8-options")
    return next(((flag,) for flag in _STACK_SWITCHING_FLAGS if flag in known), ())


def _command(kind: str, folder: Path, manifest: Mapping[str, Any], root: Path) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """How to start the Python in ``folder``, or None when the program that runs its kind is not on this machine."""
    executable = str(folder / manifest.get("python", ""))
    if kind == "native":
        # musl's loader is not at the place that programs for musl name, and need not be when it is called itself.
        loader = manifest.get("loader")
        return ((str(folder / loader), executable) if loader else (executable,)), _environment({})
    if kind == "qemu":
        emulator = qemu(manifest["emulator"]).find()
        # An archive that holds a Python and no C library is run with Debian's, which another entry brought.
        lender = manifest.get("sysroot_of")
        sysroot = (root / lender if lender else folder) / SYSROOT
        return ((emulator, "-L", str(sysroot), executable), _environment({})) if emulator else None
    if kind == "wine":
        prefix = root / "wine"
        if not (wine := WINE.find()) or not (prefix / MANIFEST).is_file():
            return None
        return (wine, "Z:" + executable.replace("/", "\\")), wine_environment(prefix / "prefix")
    if kind == "pyodide":
        if not (node := NODE.find()):
            return None
        return (node, *_node_flags(node), str(HERE / "pyodide_runner.mjs")), _environment({})
    return None


def _headers(folder: Path, manifest: Mapping[str, Any]) -> Headers | None:
    if not manifest.get("pyconfig"):
        return None
    library = manifest.get("library")
    major, minor, micro = manifest["version"]
    return Headers(
        name=manifest["name"],
        target=manifest["target"],
        version=(major, minor, micro),
        include=tuple(folder / path for path in manifest["include"]),
        pyconfig=folder / manifest["pyconfig"],
        library=folder / library if library else None,
    )


def open_folder(folder: Path, manifest: Mapping[str, Any], root: Path) -> ForeignPython | None:
    """The Python in a folder with this manifest; None when it is not one to run, or not on this machine.

    ``root`` is where the other folders are, of which some serve this one (wine's prefix, a C library).
    """
    kind = manifest["kind"]
    if not (how := _command(kind, folder, manifest, root)):
        return None
    command, environment = how
    major, minor, micro = manifest["version"]
    return ForeignPython(
        name=manifest["name"],
        target=manifest["target"],
        version=(major, minor, micro),
        kind=kind,
        folder=folder,
        platform=manifest["platform"],
        command=command,
        config_vars=folder / manifest["config_vars"],
        headers=_headers(folder, manifest),
        environment=environment,
    )


def _manifests(base: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Finished folders and their manifests, those made of other pins left out, the newest Python first."""
    entries = load().entries
    found = []
    for file in sorted(base.glob(f"*/{MANIFEST}")):
        manifest = json.loads(file.read_text(encoding="utf-8"))
        entry = entries.get(manifest["name"])
        if entry and entry.target and entry.stamp == manifest["stamp"]:
            found.append((file.parent, manifest))
    return sorted(found, key=lambda one: (one[1]["target"], *(-part for part in one[1]["version"]), one[1]["name"]))


def available(root: Path | None = None) -> list[ForeignPython]:
    """All foreign Pythons that are there and can run: by target, the newest first."""
    base = (root or default_root()).absolute()
    return [python for folder, manifest in _manifests(base) if (python := open_folder(folder, manifest, base))]


def find(target: str, python: tuple[int, int] | None = None, *, root: Path | None = None) -> ForeignPython | None:
    """The foreign Python of a target, and of X.Y if ``python`` is given, the newest if not; None if there is none."""
    return next(
        (one for one in available(root) if one.target == target and python in {None, one.version[:2]}),
        None,
    )


def real_headers(root: Path | None = None) -> list[Headers]:
    """All real headers that are there, those of Pythons that cannot run here included: by target, newest first."""
    base = (root or default_root()).absolute()
    return [headers for folder, manifest in _manifests(base) if (headers := _headers(folder, manifest))]


def real_pyconfig_headers(python: tuple[int, int] | None = None, *, root: Path | None = None) -> dict[str, Path]:
    """Real ``pyconfig.h`` files by target: of X.Y if ``python`` is given, else of the newest Python there is."""
    result: dict[str, Path] = {}
    for headers in real_headers(root):
        if python in {None, headers.version[:2]}:
            result.setdefault(headers.target, headers.pyconfig)
    return result
