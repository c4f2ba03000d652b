"""What a package is together with its dependencies: one tree of files, as they lie on ``sys.path``.

A binary is this tree as a folder, a fat wheel carries it inside. Each distribution in it has its ``.dist-info`` folder with a
``RECORD`` that is true of what goes along.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.paths import Paths
from pypackpack.middleware.bundle.wheel import record, record_hash
from pypackpack.model.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pypackpack.middleware.bundle.installed import Installed
    from pypackpack.middleware.bundle.metadata import CoreFiles

CASELESS = ("windows", "macos", "ios")
"""How the names of targets begin where case does not tell files apart."""


@dataclass(frozen=True)
class TreeFile:
    """A file of the tree.

    Attributes:
        owner: Whose it is, for people.
        sha256: Hex digest.
        size: Bytes.
        content: How to get at its bytes.
        executable: Whether it is a program.
    """

    owner: str
    sha256: str
    size: int
    content: bytes | Path | Callable[[], bytes]
    executable: bool = False

    def read(self, path: str) -> bytes:
        """Return its bytes.

        Args:
            path: Its place in the tree, for the error.

        Raises:
            ConflictError: It changed since it was hashed.
        """
        if isinstance(self.content, Path):
            data = filesystem.read_bytes(self.content)
        else:
            data = self.content if isinstance(self.content, bytes) else self.content()
        if filesystem.sha256_bytes(data) != self.sha256:
            msg = f"{path} of {self.owner} changed while it was bundled"
            raise ConflictError(msg, hint="Run the same command again.")
        return data


@dataclass(frozen=True)
class Tree:
    """What the tree is to hold.

    Attributes:
        place: What holds it, for errors.
        owner: What the package is called in errors.
        target: Name of the target: whether case tells files apart there.
        own: Path → hex SHA-256 of each file of the package, and of the project's packages it needs.
        read: Gives such a file's bytes, and those of what was made of dependencies.
        executable: Tells whether such a file is a program.
        metadata: Core metadata of the packages in ``own``, so that ``importlib.metadata`` knows them.
        installed: What is installed of dependencies, and what was made of it.
        taken: Paths that are somebody's already, with whose.
    """

    place: str
    owner: str
    target: str
    own: Mapping[str, str]
    read: Callable[[str], bytes]
    executable: Callable[[str], bool]
    metadata: Sequence[CoreFiles]
    installed: Installed
    taken: tuple[tuple[str, str], ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """Path → SHA-256 of everything whose size only its bytes tell."""
        return {**self.own, **{path: sha256 for item in self.installed.distributions for path, sha256 in item.made.items()}}

    def measured(self) -> dict[str, int]:
        """Return path → size of each of `digests`; each is read for it."""
        return {path: len(self.read(path)) for path in self.digests}

    def files(self, sizes: Mapping[str, int]) -> dict[str, TreeFile]:
        """Return path → file, sorted, for these sizes of `digests`.

        Raises:
            WorkError: Two distributions, or a distribution and the package, have a file at one path.
        """
        ours = {path: self._made(self.owner, path, sha256, sizes) for path, sha256 in self.own.items()}
        paths = Paths(self.place, ignore_case=self.target.startswith(CASELESS))
        for path, owner in self.taken:
            paths.add(path, owner)
        result: dict[str, TreeFile] = {}
        for path, file in [*ours.items(), *self._dist_infos(ours), *self._installed(sizes).items()]:
            paths.add(path, file.owner)
            result[path] = file
        return dict(sorted(result.items()))

    def _made(self, owner: str, path: str, sha256: str, sizes: Mapping[str, int]) -> TreeFile:
        executable = path in self.own and self.executable(path)
        return TreeFile(owner, sha256, sizes[path], partial(self.read, path), executable)

    def _dist_infos(self, ours: Mapping[str, TreeFile]) -> Iterator[tuple[str, TreeFile]]:
        for core in self.metadata:
            info = {
                f"{core.dist_info}/{path}": TreeFile(core.name, filesystem.sha256_bytes(data), len(data), data)
                for path, data in core.files()
            }
            yield from info.items()
            yield _recorded(core.name, core.dist_info, {path: file for path, file in ours.items() if _belongs(path, core)} | info)

    def _installed(self, sizes: Mapping[str, int]) -> dict[str, TreeFile]:
        copied = {
            path: TreeFile(
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


def _recorded(owner: str, info: str, files: Mapping[str, TreeFile]) -> tuple[str, TreeFile]:
    """Return the ``RECORD`` of a metadata folder that lists these files and itself."""
    place = f"{info}/RECORD"
    rows = [(path, record_hash(bytes.fromhex(files[path].sha256)), str(files[path].size)) for path in sorted(files)]
    data = record([*rows, (place, "", "")])
    return place, TreeFile(owner, filesystem.sha256_bytes(data), len(data), data)


def _belongs(path: str, core: CoreFiles) -> bool:
    """Tell whether a file is of that distribution: its import package has its name."""
    return path.startswith((f"{core.escaped_name}/", f"{core.escaped_name}."))
