"""``pypackpack vendor``: the wheels of everything that is locked, in a folder that can be carried to a machine without a network.

What is needed is read from the locks, fetched in parallel and checked by the locks' digests. What was there stays; a transfer
that broke off is gone on with. Files that we brought and nobody needs any more go; files that are not ours stay.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.dependency.import_indexes import uv_toml
from pypackpack.middleware.dependency.vendor_build import Made, Source, User, made
from pypackpack.middleware.dependency.vendored import DIGITS, sha256_of, vendor_folder, wheel_file, wheels_of
from pypackpack.middleware.dependency.vendored_sources import MANIFEST, is_wheel_below, source_key
from pypackpack.middleware.dependency.wheels import best_wheel, host_platforms, platforms
from pypackpack.middleware.environment import lock as locks
from pypackpack.model.build import Silent, Step
from pypackpack.model.errors import PyPackPackError, UnknownTargetError, WorkError
from pypackpack.model.vendor import VendoredFile, VendorResult

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pypackpack.backend.tools.index_login import IndexLogin
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

PARTIAL = ".partial"
TOOLS = ("ziglang",)
"""What a native build fetches besides the dependencies."""

_TRANSFERS = 8
_VERSION = 1


@dataclass
class _Wanted:
    """One wheel that somebody needs."""

    file: str
    sha256: str
    url: str
    size: int | None
    users: list[str] = field(default_factory=list)
    place: str = ""
    source: str = ""


@dataclass
class _Needs:
    """Everything that is needed, and what cannot be had as a wheel."""

    wheels: dict[tuple[str, str], _Wanted] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def add_built(self, wheel: Made) -> None:
        """Add a wheel that lies on this machine, since it was built here."""
        size = wheel.path.stat().st_size
        wanted = _Wanted(wheel.path.name, wheel.sha256, wheel.path.as_uri(), size, list(wheel.users), source=wheel.source)
        self.wheels[wheel.path.name, wheel.sha256] = wanted

    def add(self, wheel: Mapping[str, Any], user: str, base: Path) -> None:
        file, digest = wheel_file(wheel), sha256_of(wheel)
        if not digest:
            self.left_out[file] = f"the lock has no sha256 for it ({user})"
            return
        url = str(wheel.get("url") or "")
        if not url:
            url = Path(base, str(wheel.get("path"))).resolve().as_uri()
        size = wheel.get("size")
        found = self.wheels.setdefault((file, digest), _Wanted(file, digest, url, size if isinstance(size, int) else None))
        if user not in found.users:
            found.users.append(user)


def vendor(
    project: Project, target_words: Sequence[str] = (), *, tools: bool = True, watcher: Watcher | None = None
) -> VendorResult:
    """Bring the wheels of all locked dependencies into the project's ``vendor/``.

    Args:
        project: The project.
        target_words: Only for these targets, as typed; empty means all of each package.
        tools: Also what a native build fetches: the C compiler's wheel for this machine.
        watcher: Told of the progress.

    Raises:
        WorkError: A lock does not fit the settings any more, or a wheel is not what the lock says.
        PackageIndexError: A server is out of reach, or says no.
    """
    from pypackpack.middleware.project.edit import lock_file  # noqa: PLC0415 - keeps imports of the CLI light

    watcher = watcher or Silent()
    folder = vendor_folder(project)
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is no folder"
        raise WorkError(msg, hint="Move it away; the wheels are to lie there.")

    def waiting() -> None:
        watcher.note(f"another pypackpack is at work on {folder}; waiting")

    with (
        filesystem.lock(lock_file(folder, "vendor"), waiting=waiting),
        filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "vendor-") as scratch,
    ):
        needs = _needs(project, target_words, tools=tools, watcher=watcher)
        for wheel in made(needs.sources.values(), folder, scratch, uv_toml(project), needs.left_out, watcher):
            needs.add_built(wheel)
        wanted = sorted(needs.wheels.values(), key=lambda item: (item.file, item.sha256))
        _give_places(wanted)
        fetched = _fetch(wanted, folder, index_login(project), watcher)
        files = tuple(
            VendoredFile(
                path=item.place,
                sha256=item.sha256,
                size=(folder / item.place).stat().st_size,
                users=tuple(item.users),
                fetched=item.place in fetched,
                source=item.source,
            )
            for item in wanted
        )
        removed = _remove_old(folder, {item.path for item in files})
        _write_manifest(folder, files)
        return VendorResult(folder, files, removed, tuple(sorted(needs.left_out.items())))


def _needs(project: Project, target_words: Sequence[str], *, tools: bool, watcher: Watcher) -> _Needs:
    needs = _Needs()
    watcher.step(Step("", "", "read the locks", 0, 1))
    for package, targets in _packages(project, target_words):
        _add_package(needs, project, package, targets, watcher)
    _add_development(needs, project, watcher)
    if tools:
        _add_tools(needs, vendor_folder(project))
    watcher.step(Step("", "", "read the locks", 1, 1))
    return needs


def _packages(project: Project, words: Sequence[str]) -> Iterator[tuple[Package, tuple[Target, ...]]]:
    """Yield the packages that have some of the targets asked for, and these.

    Raises:
        UnknownTargetError: No package has one of them.
    """
    if not words:
        yield from ((package, package.targets) for package in project.packages)
        return

    chosen: dict[str, dict[str, Target]] = {package.name: {} for package in project.packages}
    for word in words:
        refused: PyPackPackError | None = UnknownTargetError(f"the project has no package, so none for {word}")
        for package in project.packages:
            found = _resolved(word, package)
            if isinstance(found, PyPackPackError):
                refused = found if refused else None
            else:
                chosen[package.name].update({target.name: target for target in found})
                refused = None
        if refused is not None:
            raise refused
    yield from ((package, tuple(own.values())) for package in project.packages if (own := chosen[package.name]))


def _resolved(word: str, package: Package) -> tuple[Target, ...] | PyPackPackError:
    """Return the targets of a package that a word means, or the error that it means none."""
    from pypackpack.middleware.target import table  # noqa: PLC0415 - keeps imports of the CLI light

    try:
        return table.resolve([word], package.targets)
    except PyPackPackError as error:
        return error


def _add_package(needs: _Needs, project: Project, package: Package, targets: Sequence[Target], watcher: Watcher) -> None:
    from pypackpack.middleware.environment import install, prepare  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.environment.place import crossenv_folder  # noqa: PLC0415 - keeps imports of the CLI light

    asked = locks.needs_of(project, package)
    if asked.nothing or not targets:
        return
    lock = locks.read_lock(package.root / locks.FILE)
    if lock is None or lock.made_from != locks.made_from(asked):
        what = "has no lock yet" if lock is None else f"has a lock that does not fit its settings any more ({locks.FILE})"
        msg = f"{package.name} {what}"
        raise WorkError(msg, hint=f"Run `pypackpack {package.name} sync` first, while online.")
    folder = crossenv_folder(package)  # paths in the lock begin in a folder there
    with prepare.no_empty_folders(folder, package.root), filesystem.scratch_folder(folder, ".vendor-") as scratch:
        prepare.lay_out(scratch, asked, lock)
        exports: dict[tuple[str, ...], str] = {}
        for room in prepare.rooms_of(project, package, targets, offline=False, watcher=watcher):
            pylock = install.export(scratch, asked, room.target, exports)
            label = f"{package.name} for {room.target.name} with Python {room.python[0]}.{room.python[1]}"
            user = User(label, platforms(room.target, room.python), room.python)
            _add_pylock(needs, pylock, locks.marker_facts(room.target, room.python), user, scratch, project)


def _add_pylock(
    needs: _Needs,
    pylock: str,
    facts: Mapping[str, str],
    user: User,
    base: Path,
    project: Project,
) -> None:
    """Add what a ``pylock.toml`` has for one environment; paths in it begin at ``base``."""
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    from pypackpack.middleware.environment.install import source_of  # noqa: PLC0415 - keeps imports of the CLI light

    for item in tomllib.loads(pylock).get("packages", []):
        marker = item.get("marker")
        if marker is not None and not Marker(marker).evaluate(dict(facts)):
            continue
        wheel = best_wheel(wheels_of(item), user.platforms, user.python)
        if wheel is not None:
            needs.add(wheel, user.label, base)
            continue
        label = f"{item['name']} {item.get('version', '')}".strip()
        key = source_key(item, base, project.root)
        if not key or (user.executable is None and "sdist" in item):  # targets' environments take no sdists of an index
            needs.left_out.setdefault(label, f"{_why_none(item)} ({user.label})")
            continue
        requirement = source_of({"archive": item.get("sdist"), **item}, base)
        needs.sources.setdefault(key, Source(key, item["name"], label, requirement)).users.append(user)


def _why_none(item: Mapping[str, Any]) -> str:
    if item.get("directory", {}).get("editable"):
        return "it is a folder that is installed as editable: uv needs its build backend for that, from its cache"
    return "it is a folder that is not there" if "directory" in item else "it has no wheel that fits"


def _add_development(needs: _Needs, project: Project, watcher: Watcher) -> None:
    """Add what the development environment has on this machine."""
    from packaging.markers import default_environment  # noqa: PLC0415 - import cost

    from pypackpack.middleware.environment import development_vendored  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.python.choose import project_python  # noqa: PLC0415 - keeps imports of the CLI light

    python = project_python(project, watcher=watcher)
    pylock = development_vendored.exported(project, python.executable)
    version = ".".join(map(str, python.version))
    facts: dict[str, str] = {key: str(value) for key, value in default_environment().items()}
    facts |= {"python_full_version": version, "implementation_version": version, "extra": ""}
    facts |= {"python_version": f"{python.series[0]}.{python.series[1]}"}
    user = User(".venv", host_platforms(), python.series, python.executable)
    # It was exported two folders below the project.
    _add_pylock(needs, pylock, facts, user, project.root / ".venv" / ".vendor", project)


def _add_tools(needs: _Needs, folder: Path) -> None:
    """Add the tools that a build fetches, for this machine."""
    from pypackpack.backend.tools import pinned  # noqa: PLC0415 - keeps imports of the CLI light

    for name in TOOLS:
        tool = pinned.pin(name)
        own = pinned.wheel_for_host(tool)
        if own is None:
            needs.left_out[f"{name} {tool.version}"] = "it has no wheel for this system, so nothing native can be built here"
            continue
        there = folder / own.file
        if there.is_file() and filesystem.sha256_file(there) == own.sha256:  # then the index need not be asked where it is
            needs.add({"url": there.as_uri(), "hashes": {"sha256": own.sha256}}, "the C compiler", folder)
            continue
        for item in tomllib.loads(pinned.locked(tool)).get("packages", []):
            for wheel in item.get("wheels", []):
                if sha256_of(wheel) == own.sha256:
                    needs.add(wheel, "the C compiler", Path())


def _give_places(wanted: Iterable[_Wanted]) -> None:
    """Give each wheel its place: its own name; where another one has that already, a folder named by its digest."""
    taken: set[str] = set()
    for item in wanted:
        key = item.file.lower()  # file systems that do not tell cases apart
        item.place = f"{item.sha256[:DIGITS]}/{item.file}" if key in taken else item.file
        taken.add(key)


def index_login(project: Project) -> IndexLogin:
    """Return what logs in at the indexes that a project's settings name."""
    from pypackpack.backend.tools.index_login import IndexLogin  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - keeps imports of the CLI light

    found: list[tuple[str, str]] = []
    for root in (project.root, *(package.root for package in project.packages)):
        table = read_toml(root / "pyproject.toml").get("tool", {}).get("uv", {})
        indexes = table.get("index", []) if isinstance(table, dict) else []
        found += [(str(index.get("name", "")), str(index.get("url", ""))) for index in indexes if isinstance(index, dict)]
    return IndexLogin(found)


def _fetch(wanted: Sequence[_Wanted], folder: Path, login: IndexLogin, watcher: Watcher) -> set[str]:
    """Fetch what is not there, in parallel, and return the places of what was fetched."""
    from pypackpack.backend import network  # noqa: PLC0415 - import cost of http

    fetched: set[str] = set()
    guard = threading.Lock()
    stop = threading.Event()
    done = 0

    def progress(_bytes: int) -> None:
        if stop.is_set():
            raise KeyboardInterrupt

    def work(item: _Wanted) -> None:
        nonlocal done
        path = folder / item.place
        there = path.is_file() and filesystem.sha256_file(path) == item.sha256
        if not there:
            url, authorization = login.split(item.url)
            partial = folder / PARTIAL / item.sha256
            network.fetch(
                url, path, sha256=item.sha256, partial=partial, authorization=authorization, most=item.size, progress=progress
            )
        with guard:
            done += 1
            if not there:
                fetched.add(item.place)
            watcher.step(Step("", "", "fetch", done, len(wanted), cached=done - len(fetched), detail=item.file))

    watcher.step(Step("", "", "fetch", 0, len(wanted)))
    pool = ThreadPoolExecutor(max_workers=_TRANSFERS)
    try:
        futures = [pool.submit(work, item) for item in wanted]
        finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            if future in finished:
                future.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    filesystem.remove_tree(folder / PARTIAL)
    return fetched


def _read_manifest(folder: Path) -> list[str]:
    """Return the paths that the manifest lists; of what is no manifest of ours, none."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        return [str(item["path"]) for item in content["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _remove_old(folder: Path, needed: set[str]) -> tuple[str, ...]:
    removed = []
    for place in _read_manifest(folder):
        path = folder / place
        if place in needed or not is_wheel_below(folder, place):
            continue
        filesystem.remove_tree(path)
        if path.parent != folder and not any(path.parent.iterdir()):
            filesystem.remove_tree(path.parent)
        removed.append(place)
    return tuple(sorted(removed))


def _write_manifest(folder: Path, files: Sequence[VendoredFile]) -> None:
    listed = [
        {"path": item.path, "sha256": item.sha256, "size": item.size, "for": sorted(item.users)}
        | ({"source": item.source} if item.source else {})
        for item in files
    ]
    text = json.dumps({"version": _VERSION, "made-by": "pypackpack vendor", "files": listed}, indent=1) + "\n"
    path = folder / MANIFEST
    if not path.is_file() or path.read_bytes() != text.encode():
        filesystem.write_atomic(path, text)
