"""The folder of a binary (spec 7.2, without ``entry``): a package and its dependencies as they import.

``<target>/`` can be put on a path or embedded in an application. It holds nothing of the machine that made it, and a
``manifest.json`` says what is in it; the same inputs give the same files.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.bundle.installed import Installed
from pypackpack.middleware.bundle.tree import Tree
from pypackpack.model.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.tree import TreeFile

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
NOTHING = Installed()


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
    tree = Tree(
        place=str(folder),
        owner=facts.get("package", "the package"),
        target=facts.get("target", ""),
        own=digests,
        read=read,
        executable=executable,
        metadata=metadata,
        installed=dependencies,
        taken=((MANIFEST, "pypackpack"),),
    )
    known = _sizes(folder)
    if known.keys() >= set(tree.digests.items()):
        files = tree.files({path: known[path, sha256] for path, sha256 in tree.digests.items()})
        manifest = _manifest(facts, dependencies, files)
        if _stands(folder, manifest, files, digest):
            return _result(folder, manifest, files, unchanged=True)
    if look:
        return None
    files = tree.files(tree.measured())
    manifest = _manifest(facts, dependencies, files)
    _make(folder, manifest, files)
    return _result(folder, manifest, files, unchanged=False)


def _manifest(facts: Mapping[str, str], dependencies: Installed, files: Mapping[str, TreeFile]) -> bytes:
    """Return the manifest's bytes: no time and no path of this machine is in it."""
    content = {
        "format": MANIFEST_FORMAT,
        **facts,
        "pypackpack": __version__,
        "dependencies": [
            {"name": item.name, "version": item.version, "level": item.level} for item in dependencies.distributions
        ],
        "files": [{"path": path, "sha256": file.sha256, "size": file.size} for path, file in files.items()],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _sizes(folder: Path) -> dict[tuple[str, str], int]:
    """Return (path, digest) → size of the manifest that stands there; nothing when there is none that we can read."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        return {(entry["path"], entry["sha256"]): int(entry["size"]) for entry in content["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _stands(folder: Path, manifest: bytes, files: Mapping[str, TreeFile], digest: Callable[[Path], str]) -> bool:
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


def _right(path: Path, file: TreeFile, digest: Callable[[Path], str]) -> bool:
    if not path.is_file() or path.stat().st_size != file.size or digest(path) != file.sha256:
        return False
    return sys.platform == "win32" or filesystem.is_executable(path) == file.executable


def _make(folder: Path, manifest: bytes, files: Mapping[str, TreeFile]) -> None:
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


def _result(folder: Path, manifest: bytes, files: Mapping[str, TreeFile], *, unchanged: bool) -> BinaryFolder:
    size = len(manifest) + sum(file.size for file in files.values())
    return BinaryFolder(folder, filesystem.sha256_bytes(manifest), size, unchanged)
