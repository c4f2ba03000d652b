"""uv as resolver and installer: a lock for all targets at once, an export of it, and an installation for one target.

None of these calls builds anything or runs code of a dependency: only wheels are looked at, and a Python of this machine
serves as calculator for every Python version and platform.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv, uv_options
from pypackpack.model.errors import ToolError, UsageError
from pypackpack.model.secrets import masked

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pypackpack.model.target import PythonVersion

LOCK = "uv.lock"
_HERE: tuple[str, ...] = ("--python", sys.executable, "--no-python-downloads")


# What we tell uv ourselves for every target, or what would make it work on something else, or do nothing.
_REFUSED = frozenset(
    [
        *("--all-extras", "--all-groups", "--all-packages", "--allow-empty-requirements", "--annotation-style"),
        *("--break-system-packages", "--check", "--check-exists", "--color", "--compile-bytecode", "--custom-compile-command"),
        *("--directory", "--dry-run", "--extra", "--format", "--frozen", "--generate-hashes", "--group", "--help", "-h"),
        *("--link-mode", "--locked", "--managed-python", "--no-allow-empty-requirements", "--no-annotate", "--no-binary"),
        *("--no-binary-package", "--no-break-system-packages", "--no-build", "--no-build-package", "--no-deps", "--no-header"),
        *("--no-managed-python", "--no-progress", "--no-python-downloads", "--no-strip-extras", "--no-strip-markers"),
        *("--no-verify-hashes", "--only-binary", "--output-file", "-o", "--output-format", "--prefix", "--project", "--python"),
        *("-p", "--python-platform", "--python-version", "--quiet", "-q", "--script", "--system", "--target", "-t"),
        *("--universal", "--upgrade-group", "--verbose", "-v"),
    ]
)
_NO_CHANGE = frozenset({"--check", "--check-exists", "--dry-run", "--frozen", "--locked"})
_ONLY_LOCK = frozenset({"--upgrade", "-U", "--upgrade-package", "-P"})
_STEPS = {"lock": "lock", "install": "pip sync", "choose": "pip compile"}


@dataclass(frozen=True)
class StepOptions:
    """What a person told uv besides what we tell it, by the call of uv that it goes to.

    Attributes:
        lock: For the resolution of all targets.
        install: For the installation for one target.
        choose: For the resolution for one target that finds a version with a wheel.
    """

    lock: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    choose: tuple[str, ...] = ()

    @property
    def upgrades(self) -> bool:
        """Whether versions that are locked may change although they still fit."""
        return any(word.partition("=")[0] in _ONLY_LOCK for word in self.lock)

    @property
    def reinstalls(self) -> bool:
        """Whether what is installed is to be installed again although it is as it should be."""
        return any(word.startswith("--reinstall") for word in self.install)


def step_options(words: Sequence[str]) -> StepOptions:
    """Return which of uv's calls take which of the options that a person typed; uv's own help says what each knows.

    Args:
        words: Options, with their values as words of their own or after ``=``.

    Raises:
        UsageError: No call takes one of them, or it would undo what a target's environment is.
        MissingToolError: There is no uv.
    """
    if not words:
        return StepOptions()
    known = {step: uv_options.options(command) for step, command in _STEPS.items()}
    found: dict[str, list[str]] = {step: [] for step in _STEPS}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        steps = [step for step, options in known.items() if name in options and (step == "lock" or name not in _ONLY_LOCK)]
        if not steps or name in _REFUSED:
            why = "what it sets differs by target" if steps else "uv knows it neither for resolving nor for installing"
            msg = f"{masked(word)} cannot be used for the environments of a package's targets: {why}"
            hint = "`uv lock --help` and `uv pip sync --help` show the options that are handed on."
            if name in _NO_CHANGE:
                msg = f"{name} cannot be used here: a package's settings, lock and environments change together"
                hint = "`pypackpack <package> sync --check` says whether everything is as the lock says, and changes nothing."
            raise UsageError(msg, hint=hint)
        piece = [word]
        if known[steps[0]][name] and not equals:
            if not rest:
                msg = f"{name} needs a value"
                raise UsageError(msg)
            value = rest.pop(0)
            # Behind `=` a value cannot be taken for an option; the short ones do not have that form.
            piece = [f"{name}={value}"] if name.startswith("--") else [name, value]
        for step in steps:
            found[step] += piece
    return StepOptions(**{step: tuple(options) for step, options in found.items()})


def lock_project(folder: Path, options: Sequence[str] = (), *, offline: bool = False, build: bool = False) -> str:
    """Resolve the project in a folder and return the text of its ``uv.lock``; one that is there keeps its versions.

    Args:
        folder: Holds ``pyproject.toml``, and perhaps an older ``uv.lock``.
        options: More options of ``uv lock``.
        offline: Never touch the network.
        build: Let uv build what has only sources, to learn its metadata.

    Raises:
        ToolError: There is no solution, or the index is out of reach; uv's words are in ``details``.
    """
    words = ["lock", *_HERE, *([] if build else ["--no-build"]), *(["--offline"] if offline else []), *options]
    uv.run(words, "resolving the dependencies", cwd=folder)
    return filesystem.read_bytes(folder / LOCK).decode()


@dataclass(frozen=True)
class Offered:
    """What the index has of one version of a distribution, for one Python.

    Attributes:
        version: The version.
        wheels: File names of its wheels.
        source: Whether its source is there.
    """

    version: str
    wheels: tuple[str, ...]
    source: bool


def offered(folder: Path, project: str, name: str, *, offline: bool = False) -> Offered | None:
    """Return what the index has of a distribution, or None when uv cannot say.

    Args:
        folder: An empty folder.
        project: The ``pyproject.toml`` of a project that asks for it, for one Python and every platform.
        name: Its normalised name.
        offline: Never touch the network.
    """
    filesystem.fill_file(folder / "pyproject.toml", project.encode())
    words = ["lock", *_HERE, "--no-build", *(["--offline"] if offline else [])]
    try:
        uv.run(words, f"asking what there is of {name}", cwd=folder)
    except ToolError as error:
        # "Wheels are required": there is something to build; "Wheels are available": there are some, for other Pythons.
        only_source = "Wheels are required for" in error.details and "Wheels are available" not in error.details
        return Offered("", (), source=True) if only_source else None
    for item in tomllib.loads(filesystem.read_bytes(folder / LOCK).decode()).get("package", []):
        if item["name"] == name:
            # An entry names its file by url, path or (of a folder of wheels) by name.
            files = [str(wheel.get("url") or wheel.get("path") or wheel.get("filename")) for wheel in item.get("wheels", [])]
            wheels = tuple(_unquoted(file.split("#")[0].rsplit("/", 1)[-1]) for file in files)
            return Offered(item.get("version", ""), wheels, "sdist" in item)
    return None


def _unquoted(name: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), name)


def export_lock(folder: Path, groups: Sequence[str] = ()) -> str:
    """Return the lock of the project in a folder as the text of a ``pylock.toml`` (PEP 751), with some of its groups.

    Raises:
        ToolError: uv does not take the lock; its words are in ``details``.
    """
    words = [
        "export",
        "--frozen",
        "--quiet",
        "--format",
        "pylock.toml",
        "--no-emit-project",
        "--no-default-groups",
        "--no-header",
        *_HERE,
    ]
    for group in groups:
        words += ["--group", group]
    return uv.run(words, "exporting the lock", cwd=folder).stdout


def install_locked(
    pylock: Path,
    into: Path,
    *,
    platform: str,
    python: PythonVersion,
    settings: Mapping[str, str],
    options: Sequence[str] = (),
    offline: bool = False,
) -> None:
    """Install what a ``pylock.toml`` has for one platform and Python into a folder, which then holds exactly that.

    Args:
        pylock: The file; uv reads its index settings from the project beside it.
        into: The folder; made if it is not there.
        platform: uv's ``--python-platform``; empty when the file has only wheels that run anywhere.
        python: The Python version.
        settings: What uv has to be told of the platform, as environment variables.
        options: More options of the call.
        offline: Never touch the network.

    Raises:
        ToolError: Something has no wheel there, or the index is out of reach; uv's words are in ``details``.
    """
    words: list[str | Path] = ["pip", "sync", "--preview-features", "pylock", pylock, "--target", into, *_HERE]
    words += _platform(platform, python)
    # Copies: uv's default shares the files with its cache, and who edits one in an environment would spoil all others. Where
    # the file system can, a copy shares its blocks anyway.
    words += ["--allow-empty-requirements", "--link-mode", "copy", *(["--offline"] if offline else []), *options]
    uv.run(words, f"installing into {into}", cwd=pylock.parent, changes=settings)


def install_source(
    requirement: str, into: Path, *, python: PythonVersion, options: Sequence[str] = (), offline: bool = False, cwd: Path
) -> None:
    """Make a wheel of a source on this machine and install it into a folder, without what it needs.

    Args:
        requirement: A PEP 508 string with a url: of a folder, a repository at a commit, or an archive with its hash.
        into: The folder; what is in it stays.
        python: The Python version.
        options: More options of the call.
        offline: Never touch the network.
        cwd: Holds the ``pyproject.toml`` with the index settings, for what the build needs.

    Raises:
        ToolError: It could not be built or fetched; uv's words are in ``details``.
    """
    words: list[str | Path] = ["pip", "install", "--target", into, "--no-deps", *_HERE]
    words += [
        "--python-version",
        f"{python[0]}.{python[1]}",
        "--link-mode",
        "copy",
        *(["--offline"] if offline else []),
        *options,
    ]
    uv.run([*words, requirement], f"building {requirement.partition(' ')[0]} from its source", cwd=cwd)


def build_wheel(requirement: str, name: str, scratch: Path, *, python: Path | None, series: PythonVersion, settings: str) -> Path:
    """Make a wheel of a source on this machine, and return where it lies in ``scratch``.

    uv fetches, checks and builds as it does for an installation, with its own credentials; the wheel is the one that it keeps in
    its cache, which is one of its own here.

    Args:
        requirement: A PEP 508 string with a url: of a folder, a repository at a commit, or an archive with its hash.
        name: The distribution.
        scratch: A folder aside, used for nothing else.
        python: The Python to build with; None takes the one that we run on.
        series: The Python version that the wheel is for.
        settings: What ``uv.toml`` is to say, for what the build needs; paths in it are absolute.

    Raises:
        ToolError: It could not be built or fetched; uv's words are in ``details``.
    """
    filesystem.write_scratch(scratch / "uv.toml", settings.encode())
    here: tuple[str | Path, ...] = ("--python", python, "--no-python-downloads") if python is not None else _HERE
    words: list[str | Path] = ["pip", "install", "--target", scratch / "out", "--no-deps", *here]
    words += ["--python-version", f"{series[0]}.{series[1]}", "--cache-dir", scratch / "cache"]
    uv.run([*words, requirement], f"building {name} from its source", cwd=scratch)
    wanted = re.sub(r"[-_.]+", "_", name).lower()
    found = [path for path in sorted((scratch / "cache").rglob("*.whl")) if path.is_file() and _built_of(path) == wanted]
    if len(found) != 1:
        msg = f"uv {uv.version()} keeps the wheel that it has built of {name} where pypackpack does not look"
        raise ToolError(msg, hint="Report it with the version of uv.")
    return found[0]


def _built_of(path: Path) -> str:
    return re.sub(r"[-_.]+", "_", path.name.partition("-")[0]).lower()


def resolve_for_platform(
    requirements: Path,
    preferred: Mapping[str, str],
    *,
    platform: str,
    python: PythonVersion,
    settings: Mapping[str, str],
    options: Sequence[str] = (),
    offline: bool = False,
) -> dict[str, str]:
    """Resolve requirements for one platform, with wheels only, and return name → version.

    Args:
        requirements: A requirements file.
        preferred: Versions to take where they will do: name → version.
        platform: uv's ``--python-platform``.
        python: The Python version.
        settings: What uv has to be told of the platform, as environment variables.
        options: More options of the call.
        offline: Never touch the network.

    Raises:
        ToolError: There is no solution; uv's words are in ``details``.
    """
    output = requirements.with_suffix(".out")
    filesystem.write_atomic(output, _lines(f"{name}=={version}" for name, version in preferred.items()))
    words: list[str | Path] = ["pip", "compile", requirements, "--output-file", output, "--no-header", "--no-annotate", *_HERE]
    words += [*_platform(platform, python), *(["--offline"] if offline else []), *options]
    uv.run(words, "resolving the dependencies", cwd=requirements.parent, changes=settings)
    found: dict[str, str] = {}
    for line in filesystem.read_bytes(output).decode().splitlines():
        name, mark, version = line.partition("==")
        if mark:
            found[name.strip()] = version.split(";")[0].strip()
    return found


def _platform(platform: str, python: PythonVersion) -> list[str]:
    named = ["--python-platform", platform] if platform else []
    return [*named, "--python-version", f"{python[0]}.{python[1]}", "--only-binary", ":all:"]


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def files_of(requirements: Sequence[str], scratch: Path, *, settings: str = "", offline: bool = False) -> str:
    """Return a ``pylock.toml`` of requirements alone, without what they need: which files the index has, and their hashes.

    Args:
        requirements: PEP 508 strings.
        scratch: A folder aside.
        settings: What ``uv.toml`` is to say, such as where the indexes are; paths in it are absolute.
        offline: Never touch the network.

    Raises:
        ToolError: One of them cannot be found; uv's words are in ``details``.
    """
    wanted, lock = scratch / "files.in", scratch / "pylock.files.toml"
    filesystem.write_scratch(wanted, _lines(requirements).encode())
    filesystem.write_scratch(scratch / "uv.toml", settings.encode())
    words: list[str | Path] = ["pip", "compile", "--universal", "--no-deps", "--no-header", "--format", "pylock.toml", *_HERE]
    words += ["--output-file", lock, wanted, *(["--offline"] if offline else [])]
    uv.run(words, "looking for the files of pinned requirements", cwd=scratch)
    return filesystem.read_bytes(lock).decode()
