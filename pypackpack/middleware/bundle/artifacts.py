"""From compiled contents to files under ``build/packpack``: which wheels there are, what is in them, where they go."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import distributions, filesystem, host
from pypackpack.middleware.bundle.current import note_built
from pypackpack.middleware.compile.content import reader
from pypackpack.middleware.graph.schedule import RAN
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Artifact
from pypackpack.model.errors import ConflictError, LostError, WorkError
from pypackpack.model.inspection import WheelReport
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pypackpack.middleware.bundle.bill import Bill
    from pypackpack.middleware.bundle.dependencies import BuiltDependencies
    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.tags import WheelTag
    from pypackpack.middleware.bundle.wheel import Packed
    from pypackpack.middleware.compile.content import Content, Contents
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.build import BuildRequest
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

WHEEL_VERSION = "wheel-6"
AUDIT_VERSION = "audit-1"
"""Part of the keys of wheels that are audited: raised when there are other rules."""
METADATA_WRITERS = ("pyproject-metadata", "packaging")
"""The distributions that decide how METADATA is written."""


@dataclass(frozen=True)
class Made:
    """A package compiled for one target and one Python.

    Attributes:
        package: Whose.
        target: For what.
        python: For which Python.
        contents: Its files.
        same_everywhere: Whether its sources and dependencies are the same on all of its targets.
    """

    package: Package
    target: Target
    python: Interpreter
    contents: Contents
    same_everywhere: bool


@dataclass(frozen=True)
class _Wheel:
    """A wheel to be written, and the targets that share it."""

    made: Made
    targets: tuple[str, ...]
    task: Task


def place_artifact(place: Path, digest: str, outcome: Outcome, shop: Workshop) -> None:
    """Copy what a task made from the store to where a person looks for it, unless it is there.

    Args:
        place: Where it goes.
        digest: SHA-256 of it.
        outcome: What became of the task; its facts have the size.
        shop: The tools; who calls holds the package's build lock.

    Raises:
        LostError: The cache has it no more.
        FilesystemError: It cannot be written; what was there is untouched.
    """
    size = int(outcome.result.facts["size"])
    # What has another size need not be hashed to know that it is to go.
    stands = place.is_file() and place.stat().st_size == size and shop.digests.digest(place) == digest
    filesystem.drop_asides(place)  # the package's lock is ours
    fresh = outcome.source == RAN  # hashed while it was written, a moment ago
    if not stands and not shop.store.copy(digest, place, fresh=fresh):
        msg = f"the cache lost {place.name} while it was being placed"
        raise LostError(msg, digest=digest)


class Bundler:
    """Bundles for one build."""

    def __init__(self, project: Project, request: BuildRequest, folder: Path, shop: Workshop) -> None:
        self._project = project
        self._request = request
        self.folder = folder
        self._shop = shop
        self.read = reader(shop)
        self._inputs: dict[str, tuple[tuple[str, str], ...]] = {}
        self._described: dict[str, tuple[Path, ...]] = {}
        self._programs: dict[Path, bool] = {}
        self.superseded: tuple[str, ...] = ()
        """Names of wheels in the folder that others have taken the place of."""

    def wheels(self, made: Sequence[Made], *, run: Callable[[Sequence[Task]], dict[str, Outcome]]) -> tuple[Artifact, ...]:
        """Write one wheel per target and Python, or one for all where they are the same."""
        wheels: dict[str, _Wheel] = {}
        for item in made:
            task = self.wheel_task(item)
            known = wheels.get(task.name)
            if known is not None and known.task.key({}) != task.key({}):
                msg = f"{known.targets[0]} and {item.target.name} have different files, and wheels of one name: {task.writes[0]}"
                raise WorkError(msg, hint="No installer could tell the two apart: build the targets one after the other.")
            names = (*known.targets, item.target.name) if known else (item.target.name,)
            wheels[task.name] = _Wheel(known.made if known else item, tuple(dict.fromkeys(names)), known.task if known else task)
        outcomes = run([wheel.task for wheel in wheels.values()])
        with ThreadPoolExecutor(max_workers=self._request.jobs or host.cores()) as pool:  # copies of files: no work for Python
            placed = tuple(pool.map(lambda name: self._placed(wheels[name], outcomes[name]), wheels))
        if made:
            self.superseded = note_built(self.folder, made[0].package, placed)
        return placed

    def wheel_task(self, item: Made) -> Task:
        """Return the task that writes a wheel."""
        from pypackpack.middleware.bundle.tags import wheel_tags  # noqa: PLC0415 - loaded when there is something to bundle

        contents, package, target = item.contents, item.package, item.target
        tags = wheel_tags(
            target,
            item.python.series,
            native=contents.has_native,
            bytecode=contents.has_bytecode,
            same_everywhere=item.same_everywhere,
            abi3=contents.abi3,
        )
        specific = package.target_dependencies.get(target.name, ())
        name = f"wheel {package.name} {tags}"
        writes = str(self.folder / f"{package.import_name}-{package.version}-{tags}.whl")
        info = self._info(item)
        bill = self.bill(item, tags)
        audit = self.audit_rules if contents.has_native else ()

        def make(_needs: Needs) -> ActionResult:
            from pypackpack.middleware.bundle.packing import former_members, remember_members  # noqa: PLC0415 - as above
            from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel  # noqa: PLC0415 - as above

            core = self.core(item)
            former = former_members(writes, self._shop.store)
            members = [
                WheelMember(each.place, partial(self._packed, each, former), self.executable(each)) for each in contents.files
            ]
            with self._shop.store.scratch() as scratch:
                every = (*info, bill.file(core))
                file = write_wheel(
                    scratch, core=core, tags=tags, pure=not contents.has_native, members=members, info=every, durable=False
                )
                self.check(core, package)
                if audit:
                    from pypackpack.middleware.verify.audit import audit as look  # noqa: PLC0415 - as above

                    look(file.path)
                self._shop.store.adopt(file.path, file.sha256)
            remember_members(writes, file, self._shop.store)
            return ActionResult({"wheel": file.sha256}, {"file": file.path.name, "size": str(file.size)})

        return Task(
            name=name,
            package=package.name,
            target=target.name,
            step="bundle",
            kind=WHEEL_VERSION,
            inputs=(
                *self.writers,
                ("tags", str(tags)),
                ("native", str(contents.has_native)),
                *((name, filesystem.sha256_bytes(data)) for name, data in info),
                *bill.inputs(),
                *((content.place, content.digest) for content in contents.files),
                ("requirements", json.dumps([specific, *self._request.references])),
                *((("version", self._request.version),) if self._request.version else ()),
                *audit,
                ("programs", json.dumps([self.executable(content) for content in contents.files])),
                ("SOURCE_DATE_EPOCH", str(filesystem.source_date_epoch())),
                *self.described(package),
            ),
            run=make,
            cost=0.2,
            writes=(writes,),
        )

    @property
    def writers(self) -> tuple[tuple[str, str], ...]:
        """What writes wheels and their metadata, for keys."""
        return (("pypackpack", __version__), *((name, distributions.version_of(name)) for name in METADATA_WRITERS))

    @property
    def audit_rules(self) -> tuple[tuple[str, str], ...]:
        """By which rules wheels with machine code are audited, for keys; empty where they are not."""
        audits = self._request.audits
        return (("audit", f"{AUDIT_VERSION} abi3info {distributions.version_of('abi3info')}"),) if audits else ()

    def _info(self, item: Made) -> list[tuple[str, bytes]]:
        """Return what a wheel says of its modules where their files do not tell it already."""
        if not item.contents.modules:
            return []
        from pypackpack.middleware.bundle.report import FILE, write_report  # noqa: PLC0415 - import cost of pydantic

        return [(FILE, write_report(self.report(item)))]

    def report(self, item: Made) -> WheelReport:
        """Return what a wheel says of itself."""
        return self.report_of(item.contents, item.python, self._request.level.value)

    def report_of(self, contents: Contents, python: Interpreter, level: str) -> WheelReport:
        """Return what a wheel says of what was built for a Python at a level."""
        exact = contents.has_bytecode  # extension modules are the same for every X.Y.Z
        return WheelReport(
            level,
            self._request.type.value,
            ".".join(map(str, python.version if exact else python.series)),
            contents.compiler,
            contents.toolchain,
            contents.modules,
        )

    def core(self, item: Made, *, installed: bool = False) -> CoreFiles:
        """Return the metadata of what was compiled for a target.

        Args:
            item: What was compiled.
            installed: Whether it stays beside what it requires.
        """
        from pypackpack.middleware.bundle.metadata import core_metadata  # noqa: PLC0415 - import cost, not in a no-op

        return core_metadata(
            item.package,
            self._project,
            item.target,
            None if installed else dict(self._request.references),
            installed=installed,
            version="" if installed else self._request.version,
        )

    def bill(self, item: Made, tags: WheelTag) -> Bill:
        """Return what a wheel's bill of materials is written from."""
        from pypackpack.middleware.bundle.bill import Bill, planned_lock  # noqa: PLC0415 - loaded when there is something to bundle

        contents, package = item.contents, item.package
        return Bill(
            package,
            package.targets if tags.platforms == ("any",) else (item.target,),
            tags.platforms,
            item.python.series,
            bound=contents.has_bytecode or (contents.has_native and not contents.abi3),
            later=contents.abi3,
            linked=contents.linked,
            tools=contents.made_with,
            lock=planned_lock(package, self._shop.digests),
        )

    def check(self, core: CoreFiles, package: Package) -> None:
        """Look whether what was written is what was planned: a result under a key that is not its own would stay for ever.

        Raises:
            ConflictError: Somebody changed a file meanwhile.
        """
        # Modules were looked at when they were compiled, and data is when it is read.
        self._shop.check_sources(self._described[package.name])
        if (normalise(core.name), core.version) != (normalise(package.name), package.version):
            msg = f"{package.root / 'pyproject.toml'} changed while {package.name} was being built"
            raise ConflictError(msg, hint="Run the same command again.")

    def _packed(self, content: Content, former: Mapping[str, Packed]) -> bytes | Packed:
        from pypackpack.middleware.bundle.packing import packed  # noqa: PLC0415 - import cost, not in a no-op

        if content.source is not None:
            return self.read(content)
        if content.digest in former:
            return former[content.digest]
        return packed(content.digest, self._shop.store, lambda: self.read(content))

    def executable(self, content: Content) -> bool:
        """Tell whether a file is a program; looked at once, so that a wheel says what its key does."""
        file = content.source or content.made_of
        if file is None:
            return False
        if file.path not in self._programs:
            self._programs[file.path] = filesystem.is_executable(file.path)
        return self._programs[file.path]

    def described(self, package: Package) -> tuple[tuple[str, str], ...]:
        """Return everything that METADATA may be made of, for keys: the settings, and the files that they name."""
        if package.name not in self._inputs:
            self._inputs[package.name] = self._metadata_inputs(package)
        return self._inputs[package.name]

    def _metadata_inputs(self, package: Package) -> tuple[tuple[str, str], ...]:
        from pypackpack.middleware.bundle.metadata import metadata_sources  # noqa: PLC0415 - import cost of `--help`

        locals_ = [self._project.package(name) for name in package.local_dependencies]
        root = self._project.root
        paths = self._described[package.name] = tuple(metadata_sources(package, self._project)[0])
        return (
            *((self._shown(path, root), self._shop.digests.planned(path)[0]) for path in paths),
            *((f"version of {local.name}", local.version) for local in locals_ if local is not None),
        )

    @staticmethod
    def _shown(path: Path, root: Path) -> str:
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name

    def _placed(self, wheel: _Wheel, outcome: Outcome) -> Artifact:
        """Copy a wheel from the store to where the person looks for it, unless it is there."""
        digest = outcome.result.outputs["wheel"]
        place = Path(wheel.task.writes[0])  # and not what the result says: it may come from another machine
        size = int(outcome.result.facts["size"])
        place_artifact(place, digest, outcome, self._shop)
        item = wheel.made
        bound = item.contents.has_native or item.contents.has_bytecode
        return Artifact(
            path=place,
            kind="wheel",
            package=item.package.name,
            targets=wheel.targets,
            python=item.python.series if bound else None,
            size=size,
            sha256=digest,
            cached=outcome.cached and item.contents.cached,
            later=item.contents.abi3 and bound,
        )

    def binaries(
        self,
        made: Sequence[Made],
        built: Mapping[tuple[str, Interpreter], BuiltDependencies],
        *,
        package: Package,
        run: Callable[[Sequence[Task]], dict[str, Outcome]],
        rerun: Callable[[Task], bool],
    ) -> tuple[Artifact, ...]:
        """Put together one folder per target and Python: the package, those it needs of the project, and its dependencies."""
        targets = list(dict.fromkeys(item.target.name for item in made))
        pythons = list(dict.fromkeys(item.python for item in made))
        done: dict[str, Artifact | None] = {}
        tasks: list[Task] = []
        for target in targets:
            for python in pythons:
                mine = [item for item in made if item.target.name == target and item.python == python]
                if not mine:  # one of its tasks failed, and the build keeps going
                    continue
                folder = self.folder_of(target, python, len(pythons))
                name = f"folder {package.name} {folder.name}"
                dependencies = built[target, python]
                task = self._folder_task(name, folder, package, mine, dependencies, done)
                done[name] = None if rerun(task) else self._binary(folder, package, mine, dependencies, look=True)
                if done[name] is None:
                    tasks.append(task)
        run(tasks)
        return tuple(artifact for artifact in done.values() if artifact is not None)

    def _folder_task(
        self,
        name: str,
        folder: Path,
        package: Package,
        mine: Sequence[Made],
        built: BuiltDependencies,
        done: dict[str, Artifact | None],
    ) -> Task:
        """Return the task that writes a binary's folder.

        Its result is the folder, which is not what the store keeps: whether it stands is looked at before. Its inputs explain.
        """
        from pypackpack.middleware.environment.place import read_stamp, stamp_file  # noqa: PLC0415 - import cost

        target, python = mine[0].target, mine[0].python
        stamp = read_stamp(stamp_file(package, target, python.series))

        def make(_needs: Needs) -> ActionResult:
            done[name] = self._binary(folder, package, mine, built)
            return ActionResult(keep=False)

        return Task(
            name=name,
            package=package.name,
            target=target.name,
            step="bundle",
            kind="folder-1",
            inputs=(
                ("pypackpack", __version__),
                ("dependencies", stamp.content if stamp is not None else ""),
                *((content.place, content.digest) for item in mine for content in item.contents.files),
                *((content.place, content.digest) for content in built.made.values()),
            ),
            run=make,
            cost=0.5,
            label=folder.name,
            writes=(str(folder),),
        )

    def folder_of(self, target: str, python: Interpreter, pythons: int) -> Path:
        """Return the folder of a binary; its name has the Python where it is one of several."""
        return self.folder / (target if pythons == 1 else f"{target}-py{python.version[0]}.{python.version[1]}")

    def stands(self, folder: Path, package: Package, mine: Sequence[Made], built: BuiltDependencies) -> bool:
        """Tell whether a binary's folder is what a build would make of it."""
        return self._binary(folder, package, mine, built, look=True) is not None

    def _binary(
        self, folder: Path, package: Package, mine: Sequence[Made], built: BuiltDependencies, *, look: bool = False
    ) -> Artifact | None:
        from pypackpack.middleware.bundle.binary import write_binary  # noqa: PLC0415 - import cost

        contents: dict[str, Content] = {content.place: content for item in mine for content in item.contents.files}
        digests: Mapping[str, str] = {place: content.digest for place, content in contents.items()}
        every = {**built.made, **contents}
        target, python = mine[0].target, mine[0].python
        facts = {
            "package": package.name,
            "version": package.version,
            "target": target.name,
            "python": ".".join(map(str, python.version)),
            "level": self._request.level.value,
            "type": self._request.type.value,
        }
        made = write_binary(
            folder,
            digests=digests,
            read=lambda place: self.read(every[place]),
            executable=lambda place: self.executable(contents[place]),
            dependencies=built.installed,
            facts=facts,
            metadata=[self.core(item, installed=True) for item in mine],
            digest=self._shop.digests.digest,
            look=look,
        )
        if made is None:
            return None
        return Artifact(
            path=folder,
            kind="folder",
            package=package.name,
            targets=(target.name,),
            python=python.series,
            size=made.size,
            sha256=made.sha256,
            cached=made.unchanged,
        )
