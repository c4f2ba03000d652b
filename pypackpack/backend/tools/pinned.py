"""Tools that come from the package index when they are first needed, at a version and digests pinned in ``data/tools.toml``."""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import MissingToolError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pypackpack.model.build import Watcher

PINS = Path(__file__).parent.parent.parent / "data" / "tools.toml"
CACHE = "tools-v1"


@dataclass(frozen=True)
class PinnedWheel:
    """One wheel of a tool: its file name, SHA-256 (hex) and size in bytes."""

    file: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PinnedTool:
    """A tool at the one version that pypackpack was tested with."""

    name: str
    version: str
    wheels: tuple[PinnedWheel, ...]

    @property
    def hashes(self) -> tuple[str, ...]:
        """The digests of all its wheels."""
        return tuple(wheel.sha256 for wheel in self.wheels)


def pin(name: str) -> PinnedTool:
    """Return the pinned version of a tool.

    Args:
        name: Its distribution's name on the index, such as ``ziglang``.

    Raises:
        MissingToolError: The data file does not know it.
    """
    table = tomllib.loads(PINS.read_text(encoding="utf-8")).get(name)
    if table is None:
        msg = f"{name} is not among the tools of {PINS.name}"
        raise MissingToolError(msg)
    wheels = tuple(PinnedWheel(row["file"], row["sha256"], row["size"]) for row in table["wheels"])
    return PinnedTool(name, table["version"], wheels)


def tool_folder(tool: PinnedTool) -> Path:
    """Return the cache folder that a tool lies in once it was fetched; the name changes with what it holds and who runs it."""
    key = filesystem.sha256_bytes("\n".join((*sorted(tool.hashes), sysconfig.get_platform())))
    return filesystem.cache_folder() / CACHE / f"{tool.name}-{tool.version}-{key[:12]}"


def ensure_tool(name: str, *, offline: bool = False, watcher: Watcher | None = None, vendor: Path | None = None) -> Path:
    """Return the folder of a pinned tool, fetched first if it is not here yet.

    Where ``vendor`` has its wheel, that one is installed, and no index is asked.

    The folder has the layout of ``pip install --target``: packages at the top, scripts in ``bin``.

    Args:
        name: Its distribution's name on the index, such as ``ziglang``.
        offline: Never touch the network.
        watcher: Gets one note when the tool is fetched.
        vendor: A folder that may have its wheel.

    Raises:
        MissingToolError: It is not here and cannot be had.
    """
    tool = pin(name)
    folder = tool_folder(tool)
    if folder.is_dir():
        return folder
    wheel = wheel_for_host(tool)
    if wheel is None:
        msg = f"{name} {tool.version} has no wheel for this system ({sysconfig.get_platform()})"
        there = "\n".join(item.file for item in tool.wheels)
        raise MissingToolError(msg, hint="Build on one of the systems that it has wheels for.", details=there)
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost, only before a download

    here = vendor / wheel.file if vendor is not None else None
    if here is not None and here.is_file():  # uv checks that it is what the pin says
        uv.install_tool(name, tool.version, (wheel.sha256,), folder, offline=True, size=wheel.size, watcher=watcher, wheel=here)
    else:
        uv.install_tool(name, tool.version, tool.hashes, folder, offline=offline, size=wheel.size, watcher=watcher)
    return folder


def wheel_for_host(tool: PinnedTool) -> PinnedWheel | None:
    """Return the wheel of a tool that this machine would take (PEP 425), or None."""
    from packaging.tags import sys_tags  # noqa: PLC0415 - import cost, only before a download
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - import cost, only before a download

    accepted = {tag: rank for rank, tag in enumerate(sys_tags())}
    ranked = [
        (min(accepted[tag] for tag in tags & accepted.keys()), wheel.file, wheel)
        for wheel in tool.wheels
        if (tags := parse_wheel_filename(wheel.file)[3]) & accepted.keys()
    ]
    return min(ranked)[2] if ranked else None


def locked(tool: PinnedTool) -> str:
    """Return a ``pylock.toml`` of a tool's wheels as the person's index has them, for their urls.

    Raises:
        MissingToolError: The index is out of reach, or does not have that version.
    """
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost
    from pypackpack.model.errors import ToolError  # noqa: PLC0415 - only here

    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "tool-") as scratch:
        wanted, lock = scratch / "requirements.in", scratch / "pylock.toml"
        filesystem.write_scratch(wanted, f"{tool.name}=={tool.version}\n".encode())
        words: list[str | Path] = ["pip", "compile", "--universal", "--no-deps", "--only-binary", ":all:", "--no-header"]
        words += ["--python", sys.executable, "--no-python-downloads", "--format", "pylock.toml", "--output-file", lock, wanted]
        try:
            uv.run(words, f"looking for {tool.name} {tool.version}", cwd=scratch)
        except ToolError as error:
            msg = f"the package index cannot be asked for {tool.name} {tool.version}, or does not have it"
            raise MissingToolError(msg, hint="Check the network and the index that you use.", details=error.details) from error
        return filesystem.read_bytes(lock).decode()
