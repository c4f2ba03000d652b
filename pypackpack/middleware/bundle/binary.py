"""The folder of a binary (spec 7.2, without ``entry``): a package and its dependencies as they import.

``<target>/`` can be put on a path or embedded in an application. It holds nothing of the machine that made it, and a
``manifest.json`` says what is in it; the same inputs give the same files.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.bundle.installed import Installed
from pypackpack.middleware.bundle.paths import Paths
from pypackpack.middleware.bundle.wheel import record, record_hash
from pypackpack.model.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pypackpack.middleware.bundle.metadata import CoreFiles

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
NOTHING = Installed()
_CASELESS = ("windows", "macos", "ios")


@dataclass(frozen=True)
class BinaryFolder:
    """A binary on disk.

    Attributes:
        path: The folder.
        sha256: Hex SHA-256 of its manifest, which has the digest of every other file.
        size: Bytes of all files.
        unchanged: Whether it stood there already, to the byte.
    """

    path: Path
    sha256: str
    size: int
    unchanged: bool


@dataclass(frozen=True)
class _File:
    """A file of the folder: whose, its digest and size, and how to get at its bytes."""

    owner: str
    sha256: str
    size: int
    content: bytes | Path | Callable[[], bytes]
    executable: bool = False


def write_binary(
    folder: Path,
    *,
    digests: Mapping[str, str],
    read: Callable[[str], bytes],
    executable: Callable[[str], bool],
    dependencies: Installed = NOTHING,
    facts: Mapping[str, str],
    metadata: Sequence[CoreFiles] = (),
    digest: Callable[[Path], str] = filesystem.sha256_file,
    look: bool = False,
) -> BinaryFolder | None:
    """Make the folder of one target, or leave it untouched when it is right already.

    Args:
        folder: The folder itself; what was there is replaced in one step. Whoever builds holds the package's build lock.
        digests: Path in the folder → hex SHA-256 of each file of the package (and of the project's packages it needs).
        read: Gives such a file's bytes, and those of what was made of dependencies; called for what has to be written.
        executable: Tells whether such a file is a program.
        dependencies: What is installed of dependencies, and what was made of it.
        facts: What the manifest says besides the files: ``package``, ``version``, ``target``, ``python``, ``level``, ``type``.
        metadata: Core metadata of the packages in ``digests``, so that ``importlib.metadata`` knows them.
        digest: Hashes a file on disk; a caller that remembers digests gives its own.
        look: Write nothing: where the folder is not right already, there is None.

    Raises:
        WorkError: Two distributions, or a distribution and the package, have a file at one path; or a file that a
            distribution lists is gone.
        ConflictError: A dependency changed while it was copied.
        FilesystemError: Something cannot be read or written; the old folder is untouched.
    """
    plan = _Plan(folder, digests, read, executable, facts, metadata, dependencies)
    known = _sizes(folder)
    if known.keys() >= set(plan.digests.items()):
        files = plan.files({path: known[path, sha256] for path, sha256 in plan.digests.items()})
        manifest = plan.manifest(files)
        if _stands(folder, manifest, files, digest):
            return _result(folder, manifest, files, unchanged=True)
    if look:
        return None
    files = plan.files({path: len(read(path)) for path in plan.digests})
    manifest = plan.manifest(files)
    _make(folder, manifest, files)
    return _result(folder, manifest, files, unchanged=False)


@dataclass(frozen=True)
class _Plan:
    """What the folder is to hold."""

    folder: Path
    own: Mapping[str, str]
    read: Callable[[str], bytes]
    executable: Callable[[str], bool]
    facts: Mapping[str, str]
    metadata: Sequence[CoreFiles]
    installed: Installed

    @property
    def digests(self) -> dict[str, str]:
        """Path → SHA-256 of everything whose size only its bytes tell."""
        return {**self.own, **{path: sha256 for item in self.installed.distributions for path, sha256 in item.made.items()}}

    def files(self, sizes: Mapping[str, int]) -> dict[str, _File]:
        """Return path → file, sorted, for these sizes of `digests`."""
        owner = self.facts.get("package", "the package")
        ours = {path: self._made(owner, path, sha256, sizes) for path, sha256 in self.own.items()}
        paths = Paths(str(self.folder), ignore_case=self.facts.get("target", "").startswith(_CASELESS))
        paths.add(MANIFEST, "pypackpack")
        result: dict[str, _File] = {}
        for path, file in [*ours.items(), *self._dist_infos(ours), *self._installed(sizes).items()]:
            paths.add(path, file.owner)
            result[path] = file
        return dict(sorted(result.items()))

    def _made(self, owner: str, path: str, sha256: str, sizes: Mapping[str, int]) -> _File:
        executable = path in self.own and self.executable(path)
        return _File(owner, sha256, sizes[path], partial(self.read, path), executable)

    def _dist_infos(self, ours: Mapping[str, _File]) -> Iterator[tuple[str, _File]]:
        for core in self.metadata:
            info = {
                f"{core.dist_info}/{path}": _File(core.name, filesystem.sha256_bytes(data), len(data), data)
                for path, data in core.files()
            }
            yield from info.items()
            yield _recorded(core.name, core.dist_info, {path: file for path, file in ours.items() if _belongs(path, core)} | info)

    def _installed(self, sizes: Mapping[str, int]) -> dict[str, _File]:
        copied = {
            path: _File(
                file.owner, file.sha256, file.size, file.place if file.rewritten is None else file.rewritten, file.executable
            )
            for path, file in self.installed.files.items()
        }
        found = dict(copied)
        for item in self.installed.distributions:
            made = {path: self._made(item.label, path, sha256, sizes) for path, sha256 in item.made.items()}
            found |= made
            if item.recorded:
                path, file = _recorded(item.label, item.info, made | {file.path: copied[file.path] for file in item.files})
                found[path] = file
        return found

    def manifest(self, files: Mapping[str, _File]) -> bytes:
        """Return the manifest's bytes: no time and no path of this machine is in it."""
        content = {
            "format": MANIFEST_FORMAT,
            **self.facts,
            "pypackpack": __version__,
            "dependencies": [
                {"name": item.name, "version": item.version, "level": item.level} for item in self.installed.distributions
            ],
            "files": [{"path": path, "sha256": file.sha256, "size": file.size} for path, file in files.items()],
        }
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _recorded(owner: str, info: str, files: Mapping[str, _File]) -> tuple[str, _File]:
    """Return the ``RECORD`` of a metadata folder that lists these files and itself."""
    place = f"{info}/RECORD"
    rows = [(path, record_hash(bytes.fromhex(files[path].sha256)), str(files[path].size)) for path in sorted(files)]
    data = record([*rows, (place, "", "")])
    return place, _File(owner, filesystem.sha256_bytes(data), len(data), data)


def _belongs(path: str, core: CoreFiles) -> bool:
    """Tell whether a file is of that distribution: its import package has its name."""
    return path.startswith((f"{core.escaped_name}/", f"{core.escaped_name}."))


def _sizes(folder: Path) -> dict[tuple[str, str], int]:
    """Return (path, digest) → size of the manifest that stands there; nothing when there is none that we can read."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        return {(entry["path"], entry["sha256"]): int(entry["size"]) for entry in content["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _stands(folder: Path, manifest: bytes, files: Mapping[str, _File], digest: Callable[[Path], str]) -> bool:
    """Tell whether the folder holds these files and nothing else (but the byte code of somebody who imported from it)."""
    try:
        if (folder / MANIFEST).read_bytes() != manifest:
            return False
        there = {path.relative_to(folder).as_posix() for path in filesystem.files_below(folder, installed=True)} - {MANIFEST}
        if there != {path for path in files if "__pycache__" not in path.split("/")}:
            return False
        return all(_right(folder / path, file, digest) for path, file in files.items())
    except OSError:
        return False


def _right(path: Path, file: _File, digest: Callable[[Path], str]) -> bool:
    if not path.is_file() or path.stat().st_size != file.size or digest(path) != file.sha256:
        return False
    return sys.platform == "win32" or filesystem.is_executable(path) == file.executable


def _make(folder: Path, manifest: bytes, files: Mapping[str, _File]) -> None:
    """Make the folder aside and put it in place."""
    with filesystem.scratch_folder(folder.parent) as scratch:
        fresh = scratch / folder.name
        for path, file in files.items():
            content = file.content if isinstance(file.content, (bytes, Path)) else file.content()
            if filesystem.fill_file(fresh / path, content, executable=file.executable) != file.sha256:
                msg = f"{path} of {file.owner} changed while it was copied to {folder}"
                raise ConflictError(msg, hint="Run the same command again.")
        filesystem.fill_file(fresh / MANIFEST, manifest)
        with Undo() as undo:
            undo.swap(fresh, folder)


def _result(folder: Path, manifest: bytes, files: Mapping[str, _File], *, unchanged: bool) -> BinaryFolder:
    size = len(manifest) + sum(file.size for file in files.values())
    return BinaryFolder(folder, filesystem.sha256_bytes(manifest), size, unchanged)
