"""The dependencies of a binary: what is installed for each target, and what the package's level makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.installed import Installed, installed_in
from pypackpack.middleware.bundle.tags import WheelTag, wheel_tags
from pypackpack.middleware.compile.dependencies import DependencyPlan
from pypackpack.model.build import Level
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.middleware.bundle.installed import Distribution, InstalledFile
    from pypackpack.middleware.compile.content import Content, Contents
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.model.build import BuildRequest, CompiledDependency, Fallback, Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.sbom import LinkedPart, MakingTool
    from pypackpack.model.target import Target

_WHEEL = "WHEEL"


@dataclass(frozen=True)
class BuiltDependencies:
    """What the dependencies became for one target and one Python.

    Attributes:
        installed: What goes along.
        made: The files that were made, by their path; their bytes are in the store.
        compiled: What became of the modules of each distribution that was to be compiled.
        fallbacks: Modules that are not what they were to be.
        cached: Whether every step came from the store.
        linked: Code of others that compiling brought into them.
        made_with: What they were compiled with.
        contents: Name of a metadata folder → what became of the distribution; of those that were to be compiled.
    """

    installed: Installed
    made: Mapping[str, Content]
    compiled: tuple[CompiledDependency, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    cached: bool = True
    linked: tuple[LinkedPart, ...] = ()
    made_with: tuple[MakingTool, ...] = ()
    contents: Mapping[str, Contents] = field(default_factory=dict)


class Dependencies:
    """The dependencies of one package, those of the project's packages that it needs among them, for one build."""

    def __init__(
        self, project: Project, package: Package, members: Sequence[Package], request: BuildRequest, shop: Workshop
    ) -> None:
        self._project = project
        self._package = package
        self._own = {normalise(member.name) for member in (package, *members)}
        self._request = request
        self._shop = shop
        self._installed: dict[tuple[str, Interpreter], Installed] = {}
        self.plan = DependencyPlan(request.level, request.type, shop)

    def synchronise(self, targets: Sequence[Target], pythons: Sequence[Interpreter], watcher: Watcher) -> None:
        """Make the environments what the lock says, and plan what is to be made of what is in them.

        Raises:
            PyPackPackError: Something cannot be resolved or installed, or two distributions are in each other's way.
        """
        from pypackpack.middleware.environment.sync import sync  # noqa: PLC0415 - import cost

        synced = sync(
            self._project,
            (self._package,),
            tuple(target.name for target in targets),
            pythons=tuple(python.series for python in pythons),
            offline=self._request.offline,
            watcher=watcher,
        )
        for name in synced.locked:  # a file that is committed has changed
            watcher.note(f"locked {name}")
        for target in targets:
            for python in pythons:
                self.look(target, python)

    def look(self, target: Target, python: Interpreter) -> None:
        """Read the environment of a target as it is, and plan what is to be made of what is in it."""
        from pypackpack.middleware.environment.place import site_packages  # noqa: PLC0415 - import cost

        site = site_packages(self._package, target, python.series)
        found = Installed()
        if site.is_dir():
            found = installed_in(site, self._shop.digests.digest, leave_out=self._own)
        self._installed[target.name, python] = found
        self.plan.add(target, python, found.distributions, self._package.settings(target))

    def built(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> BuiltDependencies:
        """Return what the dependencies became on a target, after the tasks of the plan ran."""
        installed = self._installed[target.name, python]
        level = self.plan.level.value
        became: list[Distribution] = []
        made: dict[str, Content] = {}
        compiled: list[CompiledDependency] = []
        fallbacks: list[Fallback] = []
        linked: dict[LinkedPart, None] = {}
        made_with: dict[MakingTool, None] = {}
        every: dict[str, Contents] = {}
        cached = True
        for item in installed.distributions:
            if not self.plan.has(item, target, python):
                became.append(item)
                continue
            contents = every[item.info] = self.plan.contents(item, target, python, outcomes)
            fresh = {content.place: content for content in contents.files if content.source is None}
            made |= fresh
            kept = {content.place for content in contents.files if content.source is not None}
            files = tuple(_rewritten(file, contents, target, python) for file in item.files if file.path in kept)
            digests = {place: content.digest for place, content in fresh.items()}
            became.append(replace(item, files=files, made=digests, level=level))
            if self.plan.level is not Level.INSTANT:
                compiled.append(self.plan.compiled(item, target, python, outcomes))
            fallbacks += contents.fallbacks
            linked |= dict.fromkeys(contents.linked)
            made_with |= dict.fromkeys(contents.made_with)
            cached = cached and contents.cached
        whole = Installed(tuple(became), installed.loose)
        return BuiltDependencies(whole, made, tuple(compiled), tuple(fallbacks), cached, tuple(linked), tuple(made_with), every)

    def warnings(self) -> tuple[str, ...]:
        """Say which names in the settings are of no dependency."""
        where = f"{self._package.name}: build.dependencies names"
        return tuple(f"{where} {name}, which is no dependency of what was built" for name in self.plan.unknown)


def _rewritten(file: InstalledFile, contents: Contents, target: Target, python: Interpreter) -> InstalledFile:
    folder, _, name = file.path.rpartition("/")
    if name != _WHEEL or not folder.endswith(".dist-info") or "/" in folder:
        return file
    before = filesystem.read_bytes(file.place)
    data = wheel_file(before, contents, target, python)
    if data == before:
        return file
    return replace(file, sha256=filesystem.sha256_bytes(data), size=len(data), rewritten=data)


def wheel_file(data: bytes, contents: Contents, target: Target, python: Interpreter) -> bytes:
    """Return the ``WHEEL`` of a distribution whose modules were compiled: it is bound to more than before.

    Args:
        data: The file as it was installed.
        contents: What the distribution became.
        target: For what.
        python: For which Python.

    The format is PEP 427's, its tags are PEP 425's. A platform that the tags name already stays.
    """
    if not (contents.has_native or contents.has_bytecode):
        return data
    lines = data.decode(errors="surrogateescape").splitlines()
    old = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    platforms = sorted({tag.rpartition("-")[2] for tag in old} - {"any", ""})
    has_abi = any(tag.count("-") == 2 and tag.split("-")[1] != "none" for tag in old)
    native = contents.has_native or has_abi
    tag = wheel_tags(target, python.series, native=native, bytecode=True, same_everywhere=not native)
    if platforms:
        tag = WheelTag(tag.python, tag.abi, tuple(platforms))
    kept = [line for line in lines if line.strip() and not line.startswith(("Generator:", "Root-Is-Purelib:", "Tag:"))]
    pure = next((line for line in lines if line.startswith("Root-Is-Purelib:")), "Root-Is-Purelib: true")
    kept += [f"Generator: pypackpack {__version__}", "Root-Is-Purelib: false" if native else pure]
    kept += [f"Tag: {single}" for single in tag.single()]
    return "".join(f"{line}\n" for line in kept).encode(errors="surrogateescape")


def merge_compiled(found: Iterable[CompiledDependency]) -> tuple[CompiledDependency, ...]:
    """Join what is the same on several targets into one."""
    joined: dict[CompiledDependency, list[str]] = {}
    for item in found:
        targets = joined.setdefault(replace(item, targets=()), [])
        targets.extend(target for target in item.targets if target not in targets)
    return tuple(replace(item, targets=tuple(targets)) for item, targets in joined.items())
