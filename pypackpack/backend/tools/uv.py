"""uv: Pythons, virtual environments, resolution and installation.

Every call is made hermetic where it matters: no activated environment, no project and no setting of a single run leaks in,
while what a person configured for indexes (variables, ``uv.toml``, netrc, keyring) passes through as uv reads it. uv's own
words are kept in the error's ``details``.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.host import find_program
from pypackpack.backend.tools import venv
from pypackpack.backend.tools.python import inspect_interpreter
from pypackpack.model.errors import MissingToolError, ToolError, WorkError
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.backend.process import Completed
    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter

FIND_SECONDS = 120
LAST_LINES = 60
OLDEST = (3, 10)

# What would make uv work on another environment, project or Python than the one we name, or weaken what we ask for.
_LEFT_OUT = (
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "PYTHONHOME",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_COMPILE_BYTECODE",
    "UV_CONSTRAINT",
    "UV_EXCLUDE",
    "UV_FROZEN",
    "UV_ISOLATED",
    "UV_LOCKED",
    "UV_NO_BINARY",
    "UV_NO_BINARY_PACKAGE",
    "UV_NO_BUILD",
    "UV_NO_DEFAULT_GROUPS",
    "UV_NO_EDITABLE",
    "UV_NO_GROUP",
    "UV_NO_INSTALL_LOCAL",
    "UV_NO_INSTALL_PROJECT",
    "UV_NO_INSTALL_WORKSPACE",
    "UV_NO_PROJECT",
    "UV_NO_SOURCES",
    "UV_NO_SOURCES_PACKAGE",
    "UV_NO_SYNC",
    "UV_NO_VERIFY_HASHES",
    "UV_ONLY_INSTALL_LOCAL",
    "UV_ONLY_INSTALL_PROJECT",
    "UV_ONLY_INSTALL_WORKSPACE",
    "UV_OVERRIDE",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_VENV_CLEAR",
    "UV_VENV_RELOCATABLE",
    "UV_VENV_SEED",
    "UV_WORKING_DIR",
    "UV_WORKING_DIRECTORY",
    "VIRTUAL_ENV",
)


def install_command() -> str:
    """Return the command that installs the newest uv on this system (uv's own documentation, "Installing uv")."""
    if sys.platform == "win32":
        return 'powershell -ExecutionPolicy ByPass -c "irm https://astral.sh/uv/install.ps1 | iex"'
    return "curl -LsSf https://astral.sh/uv/install.sh | sh"


@functools.lru_cache(maxsize=1)
def executable() -> Path:
    """Return the uv to use: the one that pypackpack was installed with, else the one on PATH.

    Raises:
        MissingToolError: There is none.
    """
    try:
        import uv  # noqa: PLC0415 - only where uv is needed

        return Path(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = find_program(["uv"])
    if found is None:
        raise _missing("uv is not on this machine")
    return found


def _missing(message: str, details: str = "") -> MissingToolError:
    return MissingToolError(message, hint=f"Install the newest uv with: {install_command()}", details=details)


@functools.lru_cache(maxsize=1)
def version() -> str:
    """Return uv's version, such as ``0.13.8``.

    Raises:
        MissingToolError: There is no uv, or it does not run here.
    """
    try:
        import uv  # noqa: PLC0415 - only where uv is needed

        # The wheel's folder says it without starting a process: `pypackpack --version` is to be quick.
        for entry in Path(uv.__file__).parent.parent.glob("uv-*.dist-info"):
            return entry.name[len("uv-") : -len(".dist-info")]
    except ImportError:
        pass
    words = run(["--version"], "asking uv for its version").stdout.split()
    return words[1] if len(words) > 1 else "unknown"


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return the environment that uv runs in: ours without what leaks in, with ``changes`` (None removes a variable)."""
    from pypackpack.backend import process  # noqa: PLC0415 - import cost

    fixed: dict[str, str | None] = dict.fromkeys(_LEFT_OUT)
    fixed["PATH"] = search_path()
    return process.environment({**fixed, **(changes or {})})


def search_path() -> str:
    """Return PATH as uv should see it when it looks for Pythons.

    pyenv's shims are left out, because uv stops at one whose version is not switched on; instead the Pythons that pyenv
    has come last.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    shims = {os.path.normcase(root / "shims"), os.path.normcase(root / "pyenv-win" / "shims")}
    words = [
        word for word in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.normcase(word.rstrip("/\\")) not in shims
    ]
    for versions in (root / "versions", root / "pyenv-win" / "versions"):
        try:
            found = sorted(filter(_new_enough, versions.iterdir()), key=_pyenv_number, reverse=True)
        except OSError:
            continue
        words += [os.fspath(folder if sys.platform == "win32" else folder / "bin") for folder in found]
    return os.pathsep.join(dict.fromkeys(word for word in words if word))


def _pyenv_number(folder: Path) -> tuple[int, ...]:
    """Return the version that a folder of pyenv is named by; what is no version (``pypy3.10-7.3``) has none."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", folder.name)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _new_enough(folder: Path) -> bool:
    # Python 2 makes uv talk about options that it does not know, in the place where its real words should stand.
    return _pyenv_number(folder) >= OLDEST


def run(
    words: Sequence[str | Path],
    what: str,
    *,
    cwd: Path | None = None,
    changes: Mapping[str, str | None] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run uv and return what it wrote.

    Args:
        words: Command and options.
        what: The work, for the error: ``resolving the dependencies of app``.
        cwd: Folder to run in; uv reads its project settings there.
        changes: Changes to `environment`.
        timeout: Seconds until it is ended.

    Raises:
        MissingToolError: There is no uv, or it does not run here.
        ToolError: uv ended with an error; its words, without credentials, are in ``details``.
    """
    from pypackpack.backend import process  # noqa: PLC0415 - import cost

    # uv breaks its sentences at the width of the person's terminal (COLUMNS), and we read and show them whole.
    wide = {"COLUMNS": "10000", "LINES": None}
    env = environment({"NO_COLOR": "1", "FORCE_COLOR": None, "CLICOLOR_FORCE": None, **wide, **(changes or {})})
    try:
        done = process.run([executable(), "--no-progress", *words], cwd=cwd, env=env, timeout=timeout)
    except (ToolError, MissingToolError):
        raise
    except WorkError as error:
        msg = f"uv does not run here: {error.message}"
        raise _missing(msg) from error
    if done.code != 0:
        said = masked(done.stderr.strip() or done.stdout.strip()).splitlines()
        # Which Python serves uv as calculator is nothing that a person asked about.
        lines = [line for line in said if not line.startswith("Using CPython ")]
        msg = f"{what} failed (uv ended with exit code {done.code})"
        raise ToolError(msg, details="\n".join(lines[-LAST_LINES:]))
    return done


def run_attached(words: Sequence[str | Path], *, cwd: Path | None = None, changes: Mapping[str, str | None] | None = None) -> int:
    """Run uv on our own terminal, with its progress bars, and return its exit code.

    Raises:
        MissingToolError: There is no uv, or it does not run here.
    """
    from pypackpack.backend import process  # noqa: PLC0415 - import cost

    try:
        return process.run_attached([executable(), *words], cwd=cwd, env=environment(changes))
    except MissingToolError:
        raise
    except WorkError as error:
        msg = f"uv does not run here: {error.message}"
        raise _missing(msg) from error


def out_of_reach(words: str) -> bool:
    """Tell whether uv's words mean that a server could not be reached, rather than that it said no."""
    return bool(
        re.search(
            r"error sending request|dns error|failed to lookup address|connection refused|connect error|tcp connect|timed out|"
            r"network (is )?unreachable|network connectivity is disabled|connection (was )?reset|client error \(connect\)",
            words,
            re.IGNORECASE,
        )
    )


def find_python(spec: str | None = None, *, offline: bool = False, watcher: Watcher | None = None) -> Interpreter:
    """Find a Python on this machine; what is not here is fetched by uv.

    Args:
        spec: A version (``3.12``, ``3.12.4``, ``>=3.11``), the path of an interpreter or of a virtual environment, or None for
            uv's own choice.
        offline: Never touch the network.
        watcher: Gets a note when a Python is fetched.

    Raises:
        MissingToolError: There is no such Python here, and it cannot be fetched.
    """
    if spec is not None:
        direct = _as_path(spec)
        if direct is not None:
            return inspect_interpreter(direct)
    words = ["python", "find", "--no-project", "--system", "--no-python-downloads", *([spec] if spec else [])]
    wanted = f"Python {spec}" if spec else "a Python"
    try:
        done = run(words, f"looking for {wanted}", timeout=FIND_SECONDS)
    except ToolError as error:
        if offline:
            msg = f"{wanted} is not on this machine"
            raise MissingToolError(
                msg, hint="Run the same command once while online; pypackpack fetches it then.", details=error.details
            ) from error
        install_python(spec, watcher=watcher)
        done = run(words, f"looking for {wanted}", timeout=FIND_SECONDS)
    return inspect_interpreter(Path(done.stdout.strip().splitlines()[-1]))


def _as_path(spec: str) -> Path | None:
    """Return the interpreter that a path means, or None when ``spec`` is no path of something that is there."""
    if not any(mark in spec for mark in (os.sep, "/")):
        return None
    path = Path(spec)
    if path.is_dir():
        return venv.interpreter(path)
    return path if path.exists() else None


def install_python(
    spec: str | None = None, *, options: Sequence[str] = (), offline: bool = False, watcher: Watcher | None = None
) -> None:
    """Fetch a Python through uv (``UV_PYTHON_INSTALL_MIRROR`` and the like pass through).

    Args:
        spec: A version; None for uv's own choice.
        options: More options of ``uv python install``.
        offline: Never touch the network.
        watcher: Gets a note.

    Raises:
        MissingToolError: There is no such Python to fetch, or its server is out of reach; uv's words are in ``details``.
    """
    wanted = f"Python {spec}" if spec else "Python"
    if watcher is not None:
        watcher.note(f"fetching {wanted}, once")
    # --no-bin: a `python3.X` in the person's ~/.local/bin is nothing that we were asked for.
    words = ["python", "install", "--no-bin", *(["--offline"] if offline else []), *options, *([spec] if spec else [])]
    try:
        run(words, f"fetching {wanted}")
    except ToolError as error:
        raise _not_fetched(
            error,
            away=f"{wanted} is not on this machine, and the server that uv fetches it from is out of reach",
            mirror="Try while online, set UV_PYTHON_INSTALL_MIRROR, or use a version that is here (`pypackpack python list`).",
            other=(
                f"{wanted} is not on this machine, and uv cannot fetch it",
                "See which versions there are with `pypackpack python list`.",
            ),
        ) from error


def _not_fetched(error: ToolError, *, away: str, mirror: str, other: tuple[str, str]) -> MissingToolError:
    """Return the error for what could not be had: with one message and hint when a server is out of reach, else with another."""
    message, hint = (away, mirror) if out_of_reach(error.details) else other
    return MissingToolError(message, hint=hint, details=error.details)


def install_foreign_python(
    key: str, folder: Path, options: Sequence[str] = (), *, offline: bool = False, watcher: Watcher | None = None
) -> None:
    """Fetch a Python of another platform into ``folder/<key with its whole version>``; one that is there stays.

    Args:
        key: uv's full name, such as ``cpython-3.13-windows-x86_64-none``.
        folder: Where Pythons of other platforms lie.
        options: More options of ``uv python install``.
        offline: Never touch the network.
        watcher: Gets a note.

    Raises:
        MissingToolError: There is no such Python to fetch, or its server is out of reach; uv's words are in ``details``.
    """
    if watcher is not None:
        watcher.note(f"fetching {key}, once")
    # --no-bin and --no-registry: it does not run here, so nothing here may start it.
    words: list[str | Path] = ["python", "install", "--no-bin", "--no-registry", "--install-dir", folder, *options, key]
    words += ["--offline"] if offline else []
    try:
        run(words, f"fetching {key}")
    except ToolError as error:
        absent = "No download found" in error.details
        raise _not_fetched(
            error,
            away=f"the server that uv fetches {key} from is out of reach",
            mirror="Try while online, or set UV_PYTHON_INSTALL_MIRROR.",
            other=(
                f"there is no {key} that uv could fetch" if absent else f"uv cannot fetch {key}",
                "`pypackpack python list --all-platforms --all-arches` shows what there is." if absent else "uv's words say why.",
            ),
        ) from error


def make_venv(folder: Path, python: Path, *, prompt: str = "", clear: bool = False, relocatable: bool = False) -> None:
    """Make a virtual environment.

    Args:
        folder: Where; must not be there, unless ``clear``.
        python: The interpreter to make it from.
        prompt: Name to show when it is activated.
        clear: Remove what is there first.
        relocatable: Let it work after its folder was moved.

    Raises:
        ToolError: uv could not make it.
    """
    words: list[str | Path] = ["venv", "--no-project", "--no-python-downloads", "--python", python]
    words += ["--prompt", prompt] if prompt else []
    words += ["--clear"] if clear else []
    words += ["--relocatable"] if relocatable else []
    run([*words, Path(os.path.abspath(folder))], f"making the environment {folder}")  # noqa: PTH100 - links stay as typed


def install_tool(
    name: str,
    version: str,
    hashes: Sequence[str],
    into: Path,
    *,
    offline: bool = False,
    size: int = 0,
    watcher: Watcher | None = None,
    wheel: Path | None = None,
) -> None:
    """Install the wheel of one tool for this machine from the package index into a folder of its own.

    The folder appears whole or not at all; of several who ask at the same time one fetches and the others wait.

    Args:
        name: Name of the distribution.
        version: Its exact version.
        hashes: SHA-256 digests (hex) of the wheels that are accepted; one per platform.
        into: The folder; when it is there already, nothing is done.
        offline: Never touch the network: only uv's own cache may have it.
        size: Bytes to download, for the note.
        watcher: Gets the note when there is no terminal that uv could show its progress on.
        wheel: Its wheel, where that is on this machine.

    Raises:
        MissingToolError: It cannot be had: offline, out of reach, or no wheel for this system.
    """
    if into.is_dir():
        return
    with filesystem.lock(into.parent / f".{into.name}.lock"):
        if into.is_dir():
            return
        with filesystem.scratch_folder(into.parent) as scratch:
            wanted = scratch / "requirements.txt"
            what = f"{name} @ {wheel.absolute().as_uri()}" if wheel is not None else f"{name}=={version}"
            filesystem.write_atomic(wanted, f"{what} {' '.join(f'--hash=sha256:{item}' for item in hashes)}\n")
            words: list[str | Path] = ["pip", "install", "--python", sys.executable, "--target", scratch / "tool"]
            words += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-python-downloads", "-r", wanted]
            _fetch(name, version, words, offline=offline, size=size, watcher=watcher)
            filesystem.make_once(into, scratch / "tool")


def _fetch(name: str, version: str, words: Sequence[str | Path], *, offline: bool, size: int, watcher: Watcher | None) -> None:
    label = f"{name} {version}"
    try:
        # uv's cache may have it, and then nothing has to be said and nobody has to be asked.
        run(["--offline", *words], f"installing {label}")
    except ToolError as error:
        if "hash mismatch" in error.details.lower():
            msg = f"what is here as {label} is not what pypackpack expects; nothing was installed"
            hint = "If it comes from vendor/, `pypackpack vendor` fetches it again; else empty uv's cache (`uv cache clean`)."
            raise MissingToolError(msg, hint=hint, details=error.details) from error
        if offline:
            msg = f"{label} is not on this machine, and --offline keeps pypackpack from fetching it"
            raise MissingToolError(
                msg, hint="Run the same command once without --offline, while online.", details=error.details
            ) from error
    else:
        return
    how_much = f" ({size / 1e6:.0f} MB)" if size else ""
    if watcher is not None:
        watcher.note(f"fetching {label}{how_much}, once")
    if sys.stderr is not None and sys.stderr.isatty() and run_attached(words) == 0:
        return
    try:
        run(words, f"fetching {label}")
    except ToolError as error:
        if "hash" in error.details.lower():
            other = (
                f"what the package index has as {label} is not what pypackpack expects",
                "Check the index that you use (UV_DEFAULT_INDEX, uv.toml); nothing was installed.",
            )
        else:
            other = (
                f"{label} cannot be installed on this system",
                "uv's words say why; on systems without a wheel of it, build on one of those that have it.",
            )
        raise _not_fetched(
            error,
            away=f"{label} is not on this machine, and the package index is out of reach",
            mirror="Run the same command once while online.",
            other=other,
        ) from error
