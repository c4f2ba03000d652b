"""uv as resolver and installer: a lock for all targets at once, an export of it, and an installation for one target.

None of these calls builds anything or runs code of a dependency: only wheels are looked at, and a Python of this machine
serves as calculator for every Python version and platform.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pypackpack.model.target import PythonVersion

LOCK = "uv.lock"
_HERE: tuple[str, ...] = ("--python", sys.executable, "--no-python-downloads")


def lock_project(folder: Path, *, offline: bool = False, build: bool = False) -> str:
    """Resolve the project in a folder and return the text of its ``uv.lock``; one that is there keeps its versions.

    Args:
        folder: Holds ``pyproject.toml``, and perhaps an older ``uv.lock``.
        offline: Never touch the network.
        build: Let uv build what has only sources, to learn its metadata.

    Raises:
        ToolError: There is no solution, or the index is out of reach; uv's words are in ``details``.
    """
    words = ["lock", *_HERE, *([] if build else ["--no-build"]), *(["--offline"] if offline else [])]
    uv.run(words, "resolving the dependencies", cwd=folder)
    return filesystem.read_bytes(folder / LOCK).decode()


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
    offline: bool = False,
) -> None:
    """Install what a ``pylock.toml`` has for one platform and Python into a folder, which then holds exactly that.

    Args:
        pylock: The file; uv reads its index settings from the project beside it.
        into: The folder; made if it is not there.
        platform: uv's ``--python-platform``; empty when the file has only wheels that run anywhere.
        python: The Python version.
        settings: What uv has to be told of the platform, as environment variables.
        offline: Never touch the network.

    Raises:
        ToolError: Something has no wheel there, or the index is out of reach; uv's words are in ``details``.
    """
    words: list[str | Path] = ["pip", "sync", "--preview-features", "pylock", pylock, "--target", into, *_HERE]
    words += _platform(platform, python)
    # Copies: uv's default shares the files with its cache, and who edits one in an environment would spoil all others. Where
    # the file system can, a copy shares its blocks anyway.
    words += ["--allow-empty-requirements", "--link-mode", "copy", *(["--offline"] if offline else [])]
    uv.run(words, f"installing into {into}", cwd=pylock.parent, changes=settings)


def resolve_for_platform(
    requirements: Path,
    preferred: Mapping[str, str],
    *,
    platform: str,
    python: PythonVersion,
    settings: Mapping[str, str],
    offline: bool = False,
) -> dict[str, str]:
    """Resolve requirements for one platform, with wheels only, and return name → version.

    Args:
        requirements: A requirements file.
        preferred: Versions to take where they will do: name → version.
        platform: uv's ``--python-platform``.
        python: The Python version.
        settings: What uv has to be told of the platform, as environment variables.
        offline: Never touch the network.

    Raises:
        ToolError: There is no solution; uv's words are in ``details``.
    """
    output = requirements.with_suffix(".out")
    filesystem.write_atomic(output, _lines(f"{name}=={version}" for name, version in preferred.items()))
    words: list[str | Path] = ["pip", "compile", requirements, "--output-file", output, "--no-header", "--no-annotate", *_HERE]
    words += [*_platform(platform, python), *(["--offline"] if offline else [])]
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
