"""``fat-layout = "separate"``: a folder of wheels for one target and one Python, with an index that needs no network.

```
<target>/
  app-1.0-….whl                 the package, those of the project that it needs, and every dependency
  SHA256SUMS                    digests, as ``sha256sum`` reads them
  simple/index.html             PEP 503
  simple/<name>/index.html
```

What was not compiled is the very wheel that the lock names; what was is that wheel with other modules, and a tag that says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.backend.urls import quote
from pypackpack.middleware.bundle.originals import REQUIRES_PYTHON, Original, original_task, originals, requires_python
from pypackpack.middleware.compile.content import Contents
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Artifact
from pypackpack.model.errors import LostError, WorkError
from pypackpack.model.names import normalise
from pypackpack.model.sbom import DependencyFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pypackpack.middleware.bundle.artifacts import Bundler
    from pypackpack.middleware.bundle.bill import Bill
    from pypackpack.middleware.bundle.fat import FatPlan
    from pypackpack.middleware.bundle.installed import Distribution
    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.wheel import WheelMember
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.project import Package, Project

SUMS = "SHA256SUMS"
SIMPLE = "simple"
_VERSION = "dependency-wheel-2"
_APART = ("scripts", "data", "headers")
"""What a wheel has outside of site-packages (PEP 427, ``.data``)."""
_TAG = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+")
_MOST = 2 << 30
"""Bytes that a member of an original may have."""


@dataclass(frozen=True)
class PlacedWheel:
    """A wheel in the folder: its name, digest and size, and what its metadata asks of Python."""

    file: str
    sha256: str
    size: int
    requires_python: str


def is_folder_of_wheels(path: Path) -> bool:
    """Tell whether a folder is one that is made here."""
    return (path / SUMS).is_file() and any(path.glob("*.whl"))


def other_layout(folder: Path, package: Package) -> tuple[str, ...]:
    """Say what lies in a folder of builds from when the package's ``fat-layout`` was the other one.

    Args:
        folder: What was built now lies there.
        package: Whose it is, with the settings of now.
    """
    from pypackpack.middleware.bundle.fat import fat_name  # noqa: PLC0415 - it is loaded by then

    if package.bundle.fat_layout == "separate":
        escaped = normalise(fat_name(package)).replace("-", "_")
        names = sorted(path.name for path in folder.glob(f"{escaped}-*.whl"))
    else:
        names = sorted(f"{path.name}/" for path in folder.glob("*/") if is_folder_of_wheels(path))
    if not names:
        return ()
    said = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} of an earlier build, with another `fat-layout`"
    return (f"{said}; `pypackpack clean {package.root.name}` removes all that was built",)


class SeparateBundler:
    """Makes folders of wheels, with what a `Bundler` knows."""

    def __init__(self, bundler: Bundler, project: Project, shop: Workshop, *, offline: bool) -> None:
        self._bundler = bundler
        self._project = project
        self._shop = shop
        self._offline = offline

    def folders(
        self, plans: Sequence[FatPlan], *, run: Callable[[Sequence[Task]], dict[str, Outcome]], pythons: int
    ) -> tuple[Artifact, ...]:
        """Make the folder of each plan.

        Args:
            plans: What each target and Python gets.
            run: Runs a graph.
            pythons: For how many Pythons is built: with several, folders have them in their names.

        Raises:
            PyPackPackError: A wheel cannot be had or written; folders that stood are as they were.
        """
        every = [(plan, self.tasks(plan)) for plan in plans]
        graph: dict[str, Task] = {}
        for task in (task for _, tasks in every for task in tasks):
            if graph.setdefault(task.name, task).inputs != task.inputs:
                msg = f"two targets have different wheels of one name: {task.name}"
                raise WorkError(msg, hint="Build the targets one after the other.")
        outcomes = run(list(graph.values()))
        done = []
        for plan, tasks in every:
            wanted = [task for task in tasks if task.name.startswith("wheel ")]
            if all(task.name in outcomes for task in wanted):
                folder = self._bundler.folder_of(plan.main.target.name, plan.main.python, pythons)
                done.append(self._placed(folder, plan, [(task, outcomes[task.name]) for task in wanted]))
        return tuple(done)

    def tasks(self, plan: FatPlan) -> list[Task]:
        """Return the tasks that have the wheels in the store."""
        made = [self._bundler.wheel_task(item) for item in plan.mine]
        known = originals(plan.package, plan.main.target, plan.main.python.series)
        for item in plan.installed.distributions:
            original = known.get(normalise(item.name))
            changed = bool(item.made) or any(file.rewritten is not None for file in item.files)
            if original is not None and not changed:
                made.append(self._original(f"wheel {original.file} {original.sha256[:8]}", original, plan))
                continue
            if original is None:
                made.append(self._remade(item, plan, None, None))
                continue
            source = self._original(f"original {original.file} {original.sha256[:8]}", original, plan)
            made += [source, self._remade(item, plan, source, DependencyFile(original.file, original.sha256))]
        return made

    def _original(self, name: str, original: Original, plan: FatPlan) -> Task:
        return original_task(name, original, self._project, self._shop, plan.package.name, offline=self._offline)

    def _remade(self, item: Distribution, plan: FatPlan, source: Task | None, made_from: DependencyFile | None) -> Task:
        """Return the task that makes a wheel of what a distribution became."""
        file = f"{item.info.removesuffix('.dist-info')}-{_tags(item)}.whl"
        digests = {**{each.path: each.sha256 for each in (*item.files, *item.left)}, **item.made}
        report, bill = self._report(item, plan), self._bill(item, plan)
        programs = [each.path for each in item.files if each.executable]

        def make(needs: Needs) -> ActionResult:
            whole = None if source is None else needs[source.name].outputs["wheel"]
            return self._write(item, plan, file, whole, [report, bill.dependency_file(_core(item), made_from)])

        return Task(
            name=f"wheel {file} {filesystem.sha256_bytes(json.dumps(sorted(digests.items())))[:8]}",
            package=plan.package.name,
            target=plan.main.target.name,
            step="bundle",
            kind=_VERSION,
            inputs=(
                ("pypackpack", __version__),
                ("file", file),
                ("programs", json.dumps(programs)),
                (report[0], filesystem.sha256_bytes(report[1])),
                *bill.inputs(),
                ("made from", made_from.name if made_from else ""),
                ("SOURCE_DATE_EPOCH", str(filesystem.source_date_epoch())),
                *sorted(digests.items()),
            ),
            needs=(source.name,) if source else (),
            run=make,
            cost=0.5,
            label=file,
        )

    def _report(self, item: Distribution, plan: FatPlan) -> tuple[str, bytes]:
        """Return what the wheel of a dependency says of its modules: at every level, since its metadata is somebody else's."""
        from pypackpack.middleware.bundle.report import FILE, write_report  # noqa: PLC0415 - import cost of pydantic

        contents = plan.built.contents.get(item.info) or Contents((), False, False, (), True)
        return FILE, write_report(self._bundler.report_of(contents, plan.main.python, item.level))

    def _bill(self, item: Distribution, plan: FatPlan) -> Bill:
        """Return what its bill of materials is written from."""
        contents = plan.built.contents.get(item.info)
        whole = plan.bill(self._bundler, plan.tags())
        return replace(whole, linked=contents.linked if contents else (), tools=contents.made_with if contents else ())

    def _write(
        self, item: Distribution, plan: FatPlan, file: str, original: str | None, info: Sequence[tuple[str, bytes]]
    ) -> ActionResult:
        from pypackpack.middleware.bundle.wheel import WheelMember, write_members  # noqa: PLC0415 - import cost, not in a no-op

        with self._shop.store.scratch() as scratch:
            ours = {f"{item.info}/{path}": WheelMember(f"{item.info}/{path}", data) for path, data in info}
            # A dependency that pypackpack made has files of these names: they are of the wheel that it was.
            theirs = [member for member in self._members(item, plan) if member.path not in ours]
            members = [*theirs, *ours.values(), *(self._apart(original, scratch) if original else ())]
            wheel = write_members(scratch / file, item.info, members)
            self._shop.store.adopt(wheel.path, wheel.sha256)
        metadata = next((each for each in item.files if each.path == f"{item.info}/METADATA"), None)
        asks = "" if metadata is None else requires_python(filesystem.read_bytes(metadata.place))
        return ActionResult({"wheel": wheel.sha256}, {"size": str(wheel.size), REQUIRES_PYTHON: asks})

    def _members(self, item: Distribution, plan: FatPlan) -> Iterator[WheelMember]:
        from pypackpack.middleware.bundle.tree import TreeFile  # noqa: PLC0415 - beside its only use
        from pypackpack.middleware.bundle.wheel import WheelMember  # noqa: PLC0415 - import cost, not in a no-op

        for file in (*item.files, *item.left):  # a wheel is installed as it was: whither a .pth leads is the installer's to judge
            content = file.place if file.rewritten is None else file.rewritten
            there = TreeFile(file.owner, file.sha256, file.size, content)
            yield WheelMember(file.path, partial(there.read, file.path), file.executable)
        for path in item.made:
            yield WheelMember(path, partial(self._bundler.read, plan.built.made[path]))

    def _apart(self, digest: str, scratch: Path) -> Iterator[WheelMember]:
        """Yield what a wheel has outside of site-packages: environments of targets do not have it."""
        from pypackpack.backend.zip_reader import ZipReader  # noqa: PLC0415 - import cost
        from pypackpack.middleware.bundle.paths import problem_with  # noqa: PLC0415 - as above
        from pypackpack.middleware.bundle.wheel import WheelMember  # noqa: PLC0415 - as above

        place = scratch / "original.whl"
        self._copy(digest, place)
        with filesystem.explained("read", place), place.open("rb") as stream:
            archive = ZipReader(stream, place)
            for entry in archive.entries:
                top, _, rest = entry.path.partition("/")
                if not top.endswith(".data") or rest.partition("/")[0] not in _APART or entry.path.endswith("/"):
                    continue
                if problem := problem_with(entry.path):
                    msg = f"the path {entry.path[:200]!r} in a dependency's wheel {problem}"
                    raise WorkError(msg, hint="Use another version of the dependency.")
                yield WheelMember(entry.path, archive.read(entry, _MOST), rest.startswith("scripts/"))

    def _copy(self, digest: str, place: Path) -> None:
        if not self._shop.store.copy(digest, place):
            msg = f"the cache lost {place.name} while it was being placed"
            raise LostError(msg, digest=digest)

    def _placed(self, folder: Path, plan: FatPlan, wheels: Sequence[tuple[Task, Outcome]]) -> Artifact:
        """Put the folder in place, unless it stands already."""
        placed = [self._wheel(plan, task, outcome) for task, outcome in wheels]
        files = index_files(placed)
        sums = files[SUMS]
        stands = self._stands(folder, placed, files)
        if not stands:
            with filesystem.scratch_folder(folder.parent) as scratch:
                fresh = scratch / folder.name
                for path, data in files.items():
                    filesystem.fill_file(fresh / path, data)
                for wheel in placed:
                    self._copy(wheel.sha256, fresh / wheel.file)
                with Undo() as undo:
                    undo.swap(fresh, folder)
        return Artifact(
            path=folder,
            kind="folder",
            package=plan.package.name,
            targets=(plan.main.target.name,),
            python=plan.main.python.series,
            size=sum(wheel.size for wheel in placed) + sum(map(len, files.values())),
            sha256=filesystem.sha256_bytes(sums),
            cached=stands,
        )

    def _wheel(self, plan: FatPlan, task: Task, outcome: Outcome) -> PlacedWheel:
        digest, facts = outcome.result.outputs["wheel"], outcome.result.facts
        # The name is ours, and not what another machine remembered.
        file = Path(task.writes[0]).name if task.writes else task.label
        asks = facts.get(REQUIRES_PYTHON, plan.package.requires_python if task.writes else "")
        return PlacedWheel(file, digest, int(facts["size"]), asks)

    def _stands(self, folder: Path, wheels: Sequence[PlacedWheel], files: Mapping[str, bytes]) -> bool:
        try:
            there = {path.relative_to(folder).as_posix() for path in filesystem.files_below(folder)}
            if there != {*files, *(wheel.file for wheel in wheels)}:
                return False
            if any((folder / path).read_bytes() != data for path, data in files.items()):
                return False
            return all(self._shop.digests.digest(folder / wheel.file) == wheel.sha256 for wheel in wheels)
        except OSError:
            return False


def _core(item: Distribution) -> CoreFiles:
    """Return as much of a distribution's metadata as its bill of materials is written from."""
    from pypackpack.middleware.bundle.fat import license_of  # noqa: PLC0415 - it is loaded by then
    from pypackpack.middleware.bundle.metadata import CoreFiles  # noqa: PLC0415 - import cost, not in a no-op

    expression = license_of(item)
    return CoreFiles(item.name, item.version, f"License-Expression: {expression}\n" if expression else "")


def _tags(item: Distribution) -> str:
    """Return the tags of a distribution as they stand in the name of its wheel, from its ``WHEEL`` (PEP 427, PEP 425)."""
    place = next((file for file in item.files if file.path == f"{item.info}/WHEEL"), None)
    data = b"" if place is None else place.rewritten if place.rewritten is not None else filesystem.read_bytes(place.place)
    lines = data.decode(errors="replace").splitlines()
    tags = {line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")}
    parts = [tag.split("-") for tag in tags]
    # They become a part of a file's name, and are what somebody wrote.
    if not parts or any(len(part) != 3 for part in parts) or not all(_TAG.fullmatch(tag) for tag in tags):
        msg = f"the WHEEL file of {item.label} has no tags"
        raise WorkError(msg, hint="Install the dependency again, with the package's sync command.")
    sets = [sorted({part[column] for part in parts}) for column in range(3)]
    if {"-".join(each) for each in product(*sets)} != tags:
        msg = f"the tags of {item.label} cannot stand in the name of one wheel: {', '.join(sorted(tags))}"
        raise WorkError(msg, hint="Leave it out of `dependencies` in [tool.pypackpack.build].")
    return "-".join(".".join(each) for each in sets)


def index_files(wheels: Sequence[PlacedWheel]) -> dict[str, bytes]:
    """Return the files beside the wheels: path → bytes.

    The pages are those of https://packaging.python.org/specifications/simple-repository-api/ with relative links, so that the
    folder may be moved, and served by anything.
    """
    by_name: dict[str, list[PlacedWheel]] = {}
    for wheel in sorted(wheels, key=lambda each: each.file):
        by_name.setdefault(normalise(wheel.file.partition("-")[0]), []).append(wheel)
    files = {SUMS: "".join(f"{wheel.sha256}  {wheel.file}\n" for wheel in sorted(wheels, key=lambda each: each.file)).encode()}
    names = "".join(f'<a href="{quote(name)}/">{escape(name)}</a>\n' for name in sorted(by_name))
    files[f"{SIMPLE}/index.html"] = _page("Simple index", names)
    for name, found in sorted(by_name.items()):
        files[f"{SIMPLE}/{name}/index.html"] = _page(f"Links for {name}", "".join(map(_link, found)))
    return files


def _link(wheel: PlacedWheel) -> str:
    asks = f' data-requires-python="{escape(wheel.requires_python)}"' if wheel.requires_python else ""
    return f'<a href="../../{quote(wheel.file)}#sha256={wheel.sha256}"{asks}>{escape(wheel.file)}</a>\n'


def _page(title: str, links: str) -> bytes:
    head = '<meta charset="utf-8">\n<meta name="pypi:repository-version" content="1.0">'
    body = f"<title>{escape(title)}</title>\n</head>\n<body>\n{links}</body>"
    return f"<!DOCTYPE html>\n<html>\n<head>\n{head}\n{body}\n</html>\n".encode()
