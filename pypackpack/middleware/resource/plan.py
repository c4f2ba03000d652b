"""From the layers of a package to its ``.resource`` archives: which data files each target has, and the tasks that pack them.

A target whose data files all come from ``src/main`` is served by the archive ``any``; one that has some of its family's, or of
its own, by that family's or its own. So the name of an archive depends on the sources alone, not on the targets that were asked
for.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.client.resource_format import (
    MOST_FILES,
    MOST_TOTAL,
    Manifest,
    ResourceError,
    check_paths,
    parse_head,
)
from pypackpack.middleware.bundle.artifacts import place_artifact
from pypackpack.middleware.compile.choice import is_among
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.native.find import COMPILED, CYTHON, HEADERS, is_native, native_targets
from pypackpack.middleware.graph.task import Task
from pypackpack.middleware.resource import write
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Artifact
from pypackpack.model.errors import ConflictError, LostError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from typing_extensions import Buffer

    from pypackpack.middleware.build import Order
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.target import Target

PACK: Final = "pack"
"""The step that cuts and packs contents."""
PACK_VERSION: Final = "pack-1"
RESOURCE_VERSION: Final = "resource-1"
SMALL: Final = 64 << 10
"""Files of fewer bytes are packed together, by suffix and path: alone, each would be a chunk that packs badly."""
ANY: Final = "any"
SUFFIX: Final = ".resource"
_IN_MEMORY: Final = 64 << 20
"""Packed contents of more bytes are copied aside to be read, and not held."""


@dataclass(frozen=True)
class _Packing:
    """A content to be packed: what opens it, the average of its chunks, and its bytes."""

    opened: Callable[[], contextlib.AbstractContextManager[BinaryIO]]
    average: int
    size: int


class ResourcePlan:
    """The tasks of one build of archives."""

    def __init__(self, order: Order, shop: Workshop) -> None:
        """Plan.

        Raises:
            SourceError: The package has no data files, or one that no archive may have.
        """
        self._order = order
        self._shop = shop
        self._tasks: dict[str, Task] = {}
        self._archives: dict[str, tuple[Task, list[str]]] = {}
        self.left_out: tuple[tuple[str, str], ...] = ()
        """Targets that have no data files, with the reason."""
        self.warnings: tuple[str, ...] = ()
        """What a person should know of the archives."""
        layers = Layers(order.package)
        native = any(native_targets((order.package,), order.package.targets or order.targets).values())
        patterns = order.package.bundle.resource
        for target in order.targets:
            data = [file for file in layers.on(target) if is_data(file, native=native)]
            self._add(target, [file for file in data if is_among(file.place, patterns)])
        if not self._archives:
            msg = f"{order.package.name} has no data files on {', '.join(target.name for target in order.targets)}"
            hint = "Put files that are no modules into src/main, for example src/main/data/; bundle.resource may leave some out."
            raise SourceError(msg, hint=hint)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of them."""
        return tuple(self._tasks.values())

    def placed(self, outcomes: Mapping[str, Outcome]) -> tuple[Artifact, ...]:
        """Put the archives that were made where a person looks for them, and warn of older ones that clients would take instead.

        Raises:
            LostError: The cache lost one.
            FilesystemError: One cannot be written.
        """
        found = []
        for task, targets in self._archives.values():
            if task.name not in outcomes:
                continue  # one of its tasks failed, and the build keeps going
            outcome = outcomes[task.name]
            place, digest = Path(task.writes[0]), outcome.result.outputs["resource"]
            place_artifact(place, digest, outcome, self._shop)
            size = int(outcome.result.facts["size"])
            package = self._order.package.name
            found.append(Artifact(place, "resource", package, tuple(targets), None, size, digest, outcome.cached, run=""))
        self.warnings = (*self.warnings, *self._older())
        return tuple(found)

    def _older(self) -> Iterator[str]:
        """Say which archives of this version, of earlier sources, are nearer to a target than what it has now.

        A client takes that of its target's name, else that of its family, else ``any``. Nothing is removed, as with wheels.
        """
        served = {target: tag for tag, (_, targets) in self._archives.items() for target in targets}
        older: dict[str, list[str]] = {}
        for target in self._order.targets:
            for tag in (target.name, target.family, ANY):
                if tag == served.get(target.name):
                    break
                if self._place(tag).is_file():
                    older.setdefault(tag, []).append(target.name)
        package = self._order.package
        for tag, names in older.items():
            now = sorted({self._place(served[name]).name for name in names if name in served})
            instead = f" instead of {' and '.join(now)}" if now else ", and there are no data files for them now"
            yield (
                f"{self._place(tag).name} is of an earlier build, and clients on {', '.join(names)} would take it{instead}: "
                f"remove it, also where you have put it; `pypackpack clean {package.root.name}` removes all"
            )

    def _place(self, tag: str) -> Path:
        package = self._order.package
        return self._order.folder / f"{package.import_name}-{package.version}-{tag}{SUFFIX}"

    def _add(self, target: Target, files: Sequence[SourceFile]) -> None:
        if not files:
            self.left_out = (*self.left_out, (target.name, "has no data files"))
            return
        layers = {file.layer for file in files}
        tag = next((name for name in (target.name, target.family) if name in layers), ANY)
        if tag in self._archives:
            self._archives[tag][1].append(target.name)
            return
        self._check(files, target)
        self._archives[tag] = (self._archive(files, tag), [target.name])

    def _check(self, files: Sequence[SourceFile], target: Target) -> None:
        package = self._order.package.name
        total = sum(self._shop.digests.planned(file.path)[1] for file in files)
        try:
            check_paths(file.place for file in files)
        except ValueError as error:
            msg = f"the data files of {package} on {target.name} cannot stand in one archive: {error}"
            raise SourceError(msg, hint="Rename the file: archives are read on every system.") from error
        if len(files) > MOST_FILES or total > MOST_TOTAL:
            msg = f"{package} has {len(files)} data files of {total} bytes on {target.name}"
            raise SourceError(msg, hint=f"An archive holds {MOST_FILES} files of {MOST_TOTAL} bytes.")

    def _archive(self, files: Sequence[SourceFile], tag: str) -> Task:
        """Plan an archive: what packs its contents, and what lays these behind each other."""
        package, shop = self._order.package, self._shop
        facts = {file: shop.digests.planned(file.path) for file in files}
        small = sorted((file for file in files if facts[file][1] < SMALL), key=_by_kind)
        large = sorted((file for file in files if facts[file][1] >= SMALL), key=lambda file: file.place)
        needs = [self._task(self._pack_small(once(small, facts), facts, tag))] if small else []
        needs += [self._task(self._pack(file, *facts[file])) for file in once(large, facts)]
        listed = tuple((file.place, facts[file][1], facts[file][0]) for file in (*small, *large))
        manifest = Manifest(package.name, package.version, package.import_name, tag, listed)
        place = self._place(tag)
        task = Task(
            name=f"resource {package.name} {tag}",
            package=package.name,
            target="" if tag == ANY else tag,
            step="bundle",
            kind=RESOURCE_VERSION,
            inputs=(
                ("method", write.method()),
                ("names", json.dumps([manifest.name, manifest.version, manifest.package, manifest.tag])),
                *((path, f"{sha256} {size}") for path, size, sha256 in listed),
            ),
            needs=tuple(needs),
            run=partial(self._write, manifest, needs),
            cost=0.2,
            label=place.name,
            writes=(str(place),),
        )
        self._task(task)
        return task

    def _task(self, task: Task) -> str:
        self._tasks.setdefault(task.name, task)
        return task.name

    def _pack(self, file: SourceFile, digest: str, size: int) -> Task:
        shown = f"src/{file.layer}/{file.place}"
        package = self._order.package.name

        @contextlib.contextmanager
        def opened() -> Iterator[BinaryIO]:
            with filesystem.explained("read", file.path), file.path.open("rb") as stream:
                hashing = _Hashing(stream)
                yield io.BufferedReader(hashing)
            if hashing.digest.hexdigest() != digest:
                msg = f"{file.path} changed while it was being built"
                raise ConflictError(msg, hint="Run the same command again.")

        work = _Packing(opened, write.average(size), size)
        return self._packing(f"pack {package}/{shown}", "", file.place, ((shown, digest),), work)

    def _pack_small(self, files: Sequence[SourceFile], facts: Mapping[SourceFile, tuple[str, int]], tag: str) -> Task:
        package = self._order.package.name
        read = self._shop.read

        @contextlib.contextmanager
        def opened() -> Iterator[BinaryIO]:
            yield io.BufferedReader(_Joined(iter([partial(read, file) for file in files])))

        inputs = tuple((f"src/{file.layer}/{file.place}", facts[file][0]) for file in files)
        size = sum(facts[file][1] for file in files)
        label = f"{len(files)} small files" if len(files) > 1 else files[0].place
        work = _Packing(opened, write.average(0), size)
        return self._packing(f"pack {package} small files {tag}", "" if tag == ANY else tag, label, inputs, work)

    def _packing(self, name: str, target: str, label: str, inputs: tuple[tuple[str, str], ...], work: _Packing) -> Task:
        store = self._shop.store

        def run(_needs: Needs) -> ActionResult:
            with store.scratch() as scratch:
                place = scratch / "packed"
                with filesystem.explained("write to the cache", place), place.open("wb") as out, work.opened() as stream:
                    hashed = _HashingWriter(out)
                    rows = write.pack(stream, hashed, work.average)  # type: ignore[arg-type]
                digest = hashed.digest.hexdigest()
                store.adopt(place, digest)
            return ActionResult({"table": store.put(write.table(rows)), "packed": digest}, {"size": str(hashed.size)})

        return Task(
            name=name,
            package=self._order.package.name,
            target=target,
            step=PACK,
            kind=PACK_VERSION,
            inputs=(("method", write.method()), ("average", str(work.average)), *inputs),
            run=run,
            cost=max(0.05, work.size / 40_000_000),
            label=label,
        )

    def _write(self, manifest: Manifest, parts: Sequence[str], needs: Needs) -> ActionResult:
        shop = self._shop
        tables = [shop.stored(needs[name].outputs["table"], f"the chunks of {name}", "bundled") for name in parts]
        rows = write.joined(tables)
        begin = write.head(manifest, rows)
        try:
            parse_head(begin)  # what no reader takes is not written
        except ResourceError as error:
            msg = f"the archive of {manifest.name} would be one that no reader takes: {error}"
            raise SourceError(msg, hint="docs/reference/resource-format.md has the limits.") from error
        with shop.store.scratch() as scratch:
            place = scratch / "archive"
            opened = [(each, partial(self._opened, needs[name], scratch)) for each, name in zip(tables, parts, strict=True)]
            with filesystem.explained("write to the cache", place), place.open("wb") as out:
                digest, size = write.write_archive(out, begin, rows, opened)
            shop.check_sources()
            shop.store.adopt(place, digest)
        return ActionResult({"resource": digest}, {"size": str(size)})

    @contextlib.contextmanager
    def _opened(self, result: ActionResult, scratch: Path) -> Iterator[BinaryIO]:
        """Open packed chunks of the store, which are looked at before."""
        digest = result.outputs["packed"]
        if int(result.facts["size"]) <= _IN_MEMORY:
            yield io.BytesIO(self._shop.stored(digest, "packed chunks", "bundled"))
            return
        place = scratch / "part"
        if not self._shop.store.copy(digest, place):
            raise LostError("the cache lost packed chunks while they were being bundled", digest=digest)
        with place.open("rb") as stream:
            yield stream


def is_data(file: SourceFile, *, native: bool) -> bool:
    """Tell whether a file of a package is data: no module, no stub, and no source of extension modules where there are any."""
    code = (".pyi", *CYTHON, *COMPILED, *HEADERS) if native else (".pyi",)
    return not file.is_module and not is_native(file.place, code) and file.place.rpartition("/")[2] != "py.typed"


def once(files: Sequence[SourceFile], facts: Mapping[SourceFile, tuple[str, int]]) -> list[SourceFile]:
    """Return the first file of each content."""
    found: dict[str, SourceFile] = {}
    for file in files:
        found.setdefault(facts[file][0], file)
    return list(found.values())


def _by_kind(file: SourceFile) -> tuple[str, str]:
    """Sort by suffix: files of one kind pack well together."""
    return file.place.rpartition("/")[2].rpartition(".")[2], file.place


class _Hashing(io.RawIOBase):
    """A stream that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        count = self._stream.readinto(view)  # type: ignore[attr-defined]
        self.digest.update(view[:count])
        return int(count)


class _Joined(io.RawIOBase):
    """What many readers give, one behind the other."""

    def __init__(self, readers: Iterator[Callable[[], bytes]]) -> None:
        super().__init__()
        self._readers = readers
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        while not self._held:
            reader = next(self._readers, None)
            if reader is None:
                return 0
            self._held = memoryview(reader())
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


class _HashingWriter:
    """Writes, and hashes what it writes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._out.write(data)
        self.digest.update(data)
        self.size += len(data)
