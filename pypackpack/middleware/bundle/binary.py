"""The folder of a binary (spec 7.2, without ``entry``): a package and its dependencies as they import.

``<target>/`` can be put on a path or embedded in an application. It holds nothing of the machine that made it, and a
``manifest.json`` says what is in it; the same inputs give the same files.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.installed import installed_in
from pypackpack.middleware.bundle.paths import Paths
from pypackpack.middleware.bundle.wheel import record, record_hash
from pypackpack.model.errors import ConflictError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pypackpack.middleware.bundle.metadata import CoreFiles

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
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
    content: bytes | Path | Callable[[], bytes] = field(compare=False)
    executable: bool = False

    def data(self) -> bytes | Path:
        """Return its bytes, or the file that has them."""
        return self.content if isinstance(self.content, (bytes, Path)) else self.content()


def write_binary(  # noqa: PLR0913 - each is one input of the folder
    folder: Path,
    *,
    digests: Mapping[str, str],
    read: Callable[[str], bytes],
    executable: Callable[[str], bool],
    dependencies: Path | None,
    facts: Mapping[str, str],
    metadata: Sequence[CoreFiles] = (),
    digest: Callable[[Path], str] = filesystem.sha256_file,
) -> BinaryFolder:
    """Make the folder of one target, or leave it untouched when it is right already.

    Args:
        folder: The folder itself; what was there is replaced in one step.
        digests: Path in the folder → hex SHA-256 of each file of the package (and of the project's packages it needs).
        read: Gives such a file's bytes; called for what has to be written.
        executable: Tells whether such a file is a program.
        dependencies: The site-packages that the dependencies are installed in; None when there are none.
        facts: What the manifest says besides the files: ``package``, ``version``, ``target``, ``python``, ``level``, ``type``.
        metadata: Core metadata of the packages in ``digests``, so that ``importlib.metadata`` knows them.
        digest: Hashes a file on disk; a caller that remembers digests gives its own.

    Raises:
        WorkError: Two distributions, or a distribution and the package, have a file at one path; or a file that a
            distribution lists is gone.
        ConflictError: A dependency changed while it was copied.
        FilesystemError: Something cannot be read or written; the old folder is untouched.
    """
    files: dict[str, _File] = {}
    paths = Paths(str(folder), ignore_case=facts.get("target", "").startswith(_CASELESS))
    paths.add(MANIFEST, "pypackpack")
    own = facts.get("package", "the package")
    names = {normalise(own), *(normalise(core.name) for core in metadata)}
    installed = installed_in(dependencies, digest, leave_out=names) if dependencies is not None else None
    old = _old_sizes(folder)
    for path, sha256 in digests.items():
        paths.add(path, own)
        size = old.get((path, sha256))
        content: bytes | Callable[[], bytes] = _later(read, path)
        if size is None:
            content = read(path)
            size = len(content)
        files[path] = _File(own, sha256, size, content, executable(path))
    for core in metadata:
        for path, data in _dist_info(core, files):
            paths.add(path, core.name)
            files[path] = _File(core.name, filesystem.sha256_bytes(data), len(data), data)
    for entry in installed.files if installed is not None else ():
        paths.add(entry.path, entry.owner)
        files[entry.path] = _File(entry.owner, entry.sha256, entry.size, entry.content, entry.executable)
    distributions = installed.distributions if installed is not None else ()
    manifest = _manifest(files, facts, distributions)
    size = len(manifest) + sum(file.size for file in files.values())
    sha256 = filesystem.sha256_bytes(manifest)
    unchanged = _stands(folder, manifest, files, digest)
    if not unchanged:
        _make(folder, manifest, files)
    return BinaryFolder(folder, sha256, size, unchanged)
