"""Making one target's environment, in a folder aside."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.records import record_rows
from pypackpack.backend.tools import resolver
from pypackpack.middleware.bundle.installed import note_scripts
from pypackpack.middleware.dependency import explain
from pypackpack.middleware.environment import place
from pypackpack.middleware.environment.lock import Locked, Needs, groups_for, here, parsed, toml_text
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target

    Offers: TypeAlias = Callable[[str, str, PythonVersion], str]

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


def content_digest(room: Room, locked: tuple[Locked, ...], sources: str = "") -> str:
    """Return the digest of everything that an environment's content depends on; ``sources`` is that of folders."""
    facts = [room.target.uv(room.python), repr(room.target.uv_environment), repr(room.python), *([sources] if sources else [])]
    return filesystem.sha256_bytes("\n".join([*facts, *(f"{item.name}=={item.version} {item.origin}" for item in locked)]))


def install(
    room: Room, pylock: str, needs: Needs, scratch: Path, offers: Offers, options: Sequence[str] = (), *, offline: bool
) -> Path:
    """Install what a lock has for an environment into a new folder below ``scratch`` and return it.

    Args:
        room: Which environment.
        pylock: The exported lock.
        needs: What it was made from, for errors.
        scratch: The folder aside that holds the ``pyproject.toml`` with the index settings; paths in the lock begin there.
        offers: Says what there is of a distribution (name, version), for errors.
        options: More options for uv; with ``--dry-run`` it looks for the wheels, and the folder stays empty.
        offline: Never touch the network.

    Raises:
        ToolError: uv failed.
        NoWheelError: A dependency has native wheels only and uv has no name for this platform, or its source makes native code.
    """
    home = filesystem.unused_name(scratch, f"{room.label}-")
    site = home / "site-packages"
    with filesystem.explained("make", site):
        site.mkdir(parents=True)
    if offline:
        from pypackpack.middleware.dependency.vendored import Where, vendor_folder_of, vendored  # noqa: PLC0415 - import cost
        from pypackpack.middleware.dependency.wheels import platforms  # noqa: PLC0415 - import cost

        folder = vendor_folder_of(room.package)
        where = Where(scratch, folder.parent, platforms(room.target, room.python), room.python)
        pylock = vendored(pylock, folder, where)
    everything = here(pylock, room.target, room.python)
    sources = [item for item in everything if "vcs" in item or "directory" in item or _is_source(item.get("archive"))]
    packages = [item for item in everything if item not in sources]
    content = dict(parsed(pylock))
    if not room.target.uv(room.python):
        packages = [_anywhere(item, room, needs, offers) for item in packages]
        # uv takes the machine that it runs on for the one to install for, and that is not among the lock's.
        content.pop("environments", None)
    content["packages"] = packages
    if content != parsed(pylock):
        pylock = toml_text(content)
    if packages:
        _install_wheels(room, pylock, site, scratch, options, offline=offline)
    if "--dry-run" in options:  # a source would have to be built to know more
        return site
    for item in sources:
        _install_source(room, item, needs, site, scratch, options, offline=offline)
    _without_scripts(site)
    return site


def _install_wheels(room: Room, pylock: str, site: Path, scratch: Path, options: Sequence[str], *, offline: bool) -> None:
    # A name of its own, and beside pyproject.toml: uv takes the name for the kind of file, and reads index settings there.
    path = scratch / f"pylock.{site.parent.name.replace('.', '-')}.toml"
    filesystem.fill_file(path, pylock.encode())
    resolver.install_locked(
        path,
        site,
        platform=room.target.uv(room.python),
        python=room.python,
        settings=dict(room.target.uv_environment),
        options=options,
        offline=offline,
    )


def _is_source(archive: dict[str, Any] | None) -> bool:
    return archive is not None and not _file(archive).endswith(".whl")


def _install_source(
    room: Room, item: dict[str, Any], needs: Needs, site: Path, scratch: Path, options: Sequence[str], *, offline: bool
) -> None:
    """Install what comes from a folder, a repository or an archive of sources; it is made into a wheel on this machine.

    Raises:
        NoWheelError: That wheel would serve this machine only.
    """
    resolver.install_source(source_of(item, scratch), site, python=room.python, options=options, offline=offline, cwd=scratch)
    for folder in site.glob("*.dist-info"):
        if normalise(folder.name.split("-")[0]) != normalise(item["name"]):
            continue
        tags = [line[5:].strip() for line in filesystem.read_bytes(folder / "WHEEL").decode().splitlines() if line[:4] == "Tag:"]
        if not all(tag.endswith("-none-any") for tag in tags):
            raise explain.native_source(item["name"], needs, room.target)


def source_of(item: dict[str, Any], scratch: Path) -> str:
    """Return where a distribution's source is, as a PEP 508 string."""
    extra = ""
    if "directory" in item:
        where = (scratch / item["directory"]["path"]).resolve().as_uri()
        extra = item["directory"].get("subdirectory", "")
    elif "vcs" in item:
        vcs = item["vcs"]
        where = f"{vcs['type']}+{vcs.get('url') or (scratch / vcs['path']).resolve().as_uri()}@{vcs['commit-id']}"
        extra = vcs.get("subdirectory", "")
    else:
        archive = item["archive"]
        where = archive.get("url") or (scratch / archive["path"]).resolve().as_uri()
        hashes = [f"{name}={value}" for name, value in archive.get("hashes", {}).items()]
        where += f"#{hashes[0]}" if hashes else ""
        extra = archive.get("subdirectory", "")
    joint = "&" if "#" in where else "#"
    return f"{item['name']} @ {where}" + (f"{joint}subdirectory={extra}" if extra else "")


def _anywhere(item: dict[str, Any], room: Room, needs: Needs, offers: Offers) -> dict[str, Any]:
    """Return a locked distribution with only the wheels that run anywhere, for a platform that uv has no name for.

    Raises:
        NoWheelError: It has no such wheel.
    """
    archive = item.get("archive")
    wheels = [
        wheel for wheel in (*item.get("wheels", []), *([archive] if archive else [])) if _file(wheel).endswith("-none-any.whl")
    ]
    if not wheels:
        exists = offers(item["name"], item.get("version", ""), room.python)
        raise explain.no_wheel(item["name"], needs, (room.target,), room.python, exists=exists)
    if archive:
        return item
    return {key: item[key] for key in ("name", "version", "index") if key in item} | {"wheels": wheels}


def _file(wheel: dict[str, Any]) -> str:
    name = wheel.get("name") or str(wheel.get("url") or wheel.get("path") or "").rsplit("/", 1)[-1]
    return str(name).split("#")[0].replace("%2B", "+").replace("%2b", "+")


def _without_scripts(site: Path) -> None:
    """Take away what uv writes for the machine that it runs on: command scripts with this machine's paths, and its lock.

    They could not start on the target, and would make what is bundled differ from one machine to the next. Their names are noted.
    """
    gone = [name for name in _LEFTOVERS if (site / name).exists() and not (site / name / "__init__.py").exists()]
    for name in gone:
        filesystem.remove_tree(site / name)
    for record in sorted(site.glob("*.dist-info/RECORD")):
        rows = record_rows(filesystem.read_bytes(record), record)
        parts = [row[0].replace("\\", "/").split("/") for row in rows]
        kept = [row for row, (top, *_) in zip(rows, parts, strict=True) if top not in gone]
        if len(kept) != len(rows):
            note_scripts(record.parent, {rest[0] for top, *rest in parts if top in gone and len(rest) == 1})
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(kept)
            filesystem.fill_file(record, out.getvalue().encode())


def export(scratch: Path, needs: Needs, target: Target, exports: dict[tuple[str, ...], str]) -> str:
    """Return the exported lock for a target; targets without dependencies of their own share one."""
    groups = groups_for(needs, target)
    if groups not in exports:
        exports[groups] = resolver.export_lock(scratch, groups)
    return exports[groups]
