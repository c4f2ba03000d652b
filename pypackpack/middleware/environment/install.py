"""Making one target's environment, in a folder aside."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.tools import resolver
from pypackpack.middleware.dependency import explain
from pypackpack.middleware.environment import place
from pypackpack.middleware.environment.lock import Locked, Needs, applicable, groups_for, marker_facts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target

_LEFTOVERS = (".lock", "bin", "Scripts")


@dataclass(frozen=True)
class Room:
    """One environment: of one package, for one target and one Python.

    Attributes:
        package: Whose.
        target: For which target.
        python: For which Python.
    """

    package: Package
    target: Target
    python: PythonVersion

    @property
    def site(self) -> Path:
        """Its folder of dependencies."""
        return place.site_packages(self.package, self.target, self.python)

    @property
    def stamp(self) -> Path:
        """Its stamp file."""
        return place.stamp_file(self.package, self.target, self.python)

    @property
    def label(self) -> str:
        """A name for folders aside."""
        return f"{self.target.name}-{self.python[0]}.{self.python[1]}"


def content_digest(room: Room, locked: tuple[Locked, ...]) -> str:
    """Return the digest of everything that an environment's content depends on."""
    facts = [room.target.uv(room.python), repr(room.target.uv_environment), repr(room.python)]
    return filesystem.sha256_bytes("\n".join([*facts, *(f"{item.name}=={item.version} {item.origin}" for item in locked)]))


def install(room: Room, pylock: str, needs: Needs, scratch: Path, *, offline: bool) -> Path:
    """Install what a lock has for an environment into a new folder below ``scratch`` and return it.

    Args:
        room: Which environment.
        pylock: The exported lock.
        needs: What it was made from, for errors.
        scratch: A folder aside that holds the ``pyproject.toml`` with the index settings.
        offline: Never touch the network.

    Raises:
        ToolError: uv failed.
        NoWheelError: A dependency has native wheels only, and uv has no name for this platform.
    """
    site = scratch / room.label / "site-packages"
    with filesystem.explained("make", site):
        site.mkdir(parents=True)
    if not applicable(pylock, room.target, room.python):
        return site
    platform = room.target.uv(room.python)
    if not platform:
        pylock = pure_only(pylock, room, needs)
    # A name of its own, and beside pyproject.toml: uv takes the name for the kind of file, and reads index settings there.
    path = scratch / f"pylock.{room.label.replace('.', '-')}.toml"
    filesystem.fill_file(path, pylock.encode())
    resolver.install_locked(
        path, site, platform=platform, python=room.python, settings=dict(room.target.uv_environment), offline=offline
    )
    _without_scripts(site)
    return site


def pure_only(pylock: str, room: Room, needs: Needs) -> str:
    """Return a lock with only the wheels that run anywhere, for a platform that uv has no name for.

    Raises:
        NoWheelError: A dependency has no such wheel.
    """
    import tomlkit  # noqa: PLC0415 - import cost
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    content: dict[str, Any] = tomllib.loads(pylock)
    facts = marker_facts(room.target, room.python)
    kept = []
    for item in content.get("packages", []):
        marker = item.get("marker")
        if marker is not None and not Marker(marker).evaluate(facts):
            continue
        files = {_file(wheel): wheel for wheel in item.get("wheels", [])}
        anywhere = [wheel for file, wheel in files.items() if file.endswith("-none-any.whl")]
        if not anywhere:
            exists = explain.platforms_of_wheels(files, room.python)
            raise explain.no_wheel(item["name"], needs, (room.target,), room.python, exists=exists)
        kept.append({key: item[key] for key in ("name", "version", "index") if key in item} | {"wheels": anywhere})
    return tomlkit.dumps({"lock-version": content["lock-version"], "created-by": "pypackpack", "packages": kept})


def _file(wheel: dict[str, Any]) -> str:
    name = wheel.get("name") or str(wheel.get("url") or wheel.get("path") or "").rsplit("/", 1)[-1]
    return str(name).split("#")[0].replace("%2B", "+").replace("%2b", "+")


def wheel_platforms(pylock: str, name: str, python: PythonVersion) -> str:
    """Return the platforms that a locked dependency has wheels for, with one Python, for a person."""
    for item in tomllib.loads(pylock).get("packages", []):
        if item["name"] == name:
            return explain.platforms_of_wheels((_file(wheel) for wheel in item.get("wheels", [])), python)
    return ""


def _without_scripts(site: Path) -> None:
    """Take away what uv writes for the machine that it runs on: command scripts with this machine's paths, and its lock.

    They could not start on the target, and would make what is bundled differ from one machine to the next.
    """
    gone = [name for name in _LEFTOVERS if (site / name).exists() and not (site / name / "__init__.py").exists()]
    for name in gone:
        filesystem.remove_tree(site / name)
    for record in sorted(site.glob("*.dist-info/RECORD")):
        text = filesystem.read_bytes(record).decode()
        rows = list(csv.reader(io.StringIO(text)))
        kept = [row for row in rows if not row or row[0].replace("\\", "/").split("/")[0] not in gone]
        if len(kept) != len(rows):
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(kept)
            filesystem.fill_file(record, out.getvalue().encode())


def export(scratch: Path, needs: Needs, target: Target, exports: dict[tuple[str, ...], str]) -> str:
    """Return the exported lock for a target; targets without dependencies of their own share one."""
    groups = groups_for(needs, target)
    if groups not in exports:
        exports[groups] = resolver.export_lock(scratch, groups)
    return exports[groups]
