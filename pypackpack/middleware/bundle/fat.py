"""Fat wheels: a package and all that it needs in one wheel, for one target and one Python.

Installed it is one distribution, ``<name>-fat``, that asks for nothing; what it carries lies in a folder of the package and
overwrites nothing of anybody (ADR 0110).
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.artifacts import place_artifact
from pypackpack.middleware.bundle.current import note_built
from pypackpack.middleware.bundle.paths import caseless
from pypackpack.middleware.bundle.shim import CARRIED, SHIM_VERSION, shim_text
from pypackpack.middleware.bundle.tags import WheelTag, wheel_tags
from pypackpack.middleware.bundle.tree import CASELESS, Tree
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Artifact
from pypackpack.model.errors import SettingsError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pypackpack.middleware.bundle.artifacts import Bundler, Made
    from pypackpack.middleware.bundle.bill import Bill
    from pypackpack.middleware.bundle.dependencies import BuiltDependencies
    from pypackpack.middleware.bundle.installed import Distribution, Installed
    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.tree import TreeFile
    from pypackpack.middleware.bundle.wheel import Packed
    from pypackpack.middleware.compile.content import Content
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package

FAT_VERSION = "fat-2"
"""Raised when the same inputs make another wheel."""

_MACHINE_CODE = re.compile(r"\.(?:so|pyd|dll|dylib)(?:\.[\d.]+)?$", re.IGNORECASE)
_EXPRESSION = re.compile(r"^License-Expression: (.+)$", re.MULTILINE)
_DROPPED = ("Requires-Dist:", "Provides-Extra:")
_OLD_LICENSE = ("License:", "Classifier: License ::")
"""What PEP 639 allows beside no ``License-Expression``; each may go on in lines that begin with a blank."""
_LONG_PATH = 170
"""Characters of a path in a wheel; 90 more for a usual site-packages, and most programs on Windows stop at 260."""


def fat_name(package: Package) -> str:
    """Return the distribution name of a package's fat wheels."""
    return package.bundle.fat_name or f"{package.name}-fat"


@dataclass(frozen=True)
class FatPlan:
    """What one fat wheel is to hold.

    Attributes:
        package: Whose it is.
        mine: The package and those of the project that it needs, compiled for the target.
        built: What the dependencies became.
    """

    package: Package
    mine: tuple[Made, ...]
    built: BuiltDependencies

    @property
    def main(self) -> Made:
        """The package itself."""
        return next(item for item in self.mine if item.package == self.package)

    @property
    def installed(self) -> Installed:
        """The dependencies."""
        return self.built.installed

    @property
    def contents(self) -> dict[str, Content]:
        """Path below the carried folder → what the packages became."""
        return {content.place: content for item in self.mine for content in item.contents.files}

    @property
    def prefix(self) -> str:
        """The carried folder, by its path in the wheel."""
        return f"{self.package.import_name}/{CARRIED}"

    def digests(self) -> dict[str, str]:
        """Return path → SHA-256 of everything carried but metadata that is written anew."""
        found = {path: file.sha256 for path, file in self.installed.files.items()}
        found |= {path: content.digest for path, content in self.built.made.items()}
        return found | {path: content.digest for path, content in self.contents.items()}

    def tags(self) -> WheelTag:
        """Return the tags: what was resolved and built for one Python and one platform is for these only (PEP 425)."""
        made = self.main
        native = any(_MACHINE_CODE.search(path) for path in self.digests())
        tags = wheel_tags(made.target, made.python.series, native=native, bytecode=True, same_everywhere=False)
        return tags if native else replace(tags, abi="none")

    def bill(self, bundler: Bundler, tags: WheelTag) -> Bill:
        """Return what the bill of materials is written from; it names what went into any of the packages and dependencies."""
        parts = [item.contents for item in self.mine]
        linked = (*(part for contents in parts for part in contents.linked), *self.built.linked)
        tools = (*(tool for contents in parts for tool in contents.made_with), *self.built.made_with)
        bill = bundler.bill(self.main, tags)
        return replace(bill, bound=True, later=False, linked=tuple(dict.fromkeys(linked)), tools=tuple(dict.fromkeys(tools)))

    def names(self) -> tuple[str, ...]:
        """Return the modules and packages at the top of what is carried, besides the package."""
        found = set()
        for path in self.digests():
            top, slash, _ = path.partition("/")
            name = top if slash else _module(top)
            if name.isidentifier():
                found.add(name)
        return tuple(sorted(found - {self.package.import_name, "__main__"}))  # __main__ is the program that runs

    def folders(self) -> tuple[str, ...]:
        """Return the folders that ``.pth`` files at the top name (https://docs.python.org/3/library/site.html).

        Only those that are carried: a path that leads elsewhere must not get onto the path of a process.
        """
        fold = caseless if self.main.target.name.startswith(CASELESS) else str
        there = {fold(str(folder)): str(folder) for path in self.digests() for folder in PurePosixPath(path).parents}
        named = (posixpath.normpath(line.replace("\\", "/")) for _, line in self._pth_lines() if not _is_code(line))
        found = [there[key] for key in map(fold, named) if key in there]
        return tuple(folder for folder in dict.fromkeys(found) if folder != ".")

    def _pth_lines(self) -> Iterator[tuple[str, str]]:
        for path, file in self.installed.files.items():
            if path.endswith(".pth") and "/" not in path:
                for line in filesystem.read_bytes(file.place).decode(errors="replace").splitlines():
                    if (text := line.strip()) and not text.startswith("#"):
                        yield path, text

    def notes(self) -> tuple[str, ...]:
        """Say what does not go along, by name, and what may be in the way where it is installed."""
        name, found = fat_name(self.package), []
        every = [(item.label, _commands(item)) for item in self.installed.distributions]
        commands = [f"`{'`, `'.join(names)}` of {owner}" for owner, names in every if names]
        if commands:
            found.append(f"{name}: commands of dependencies do not go along: {'; '.join(commands)}")
        for item in self.installed.distributions:
            away = (f"{file.path} of {item.label} does not go along: it leads out of what is carried" for file in item.left)
            found += [f"{name}: {each}" for each in away]
        if code := sorted({path for path, line in self._pth_lines() if _is_code(line)}):
            found.append(f"{name}: {', '.join(code)} cannot run code when Python starts: it is carried, and not installed")
        if self.main.target.family == "windows":
            longest = max((f"{self.prefix}/{path}" for path in self.digests()), key=len)
            if len(longest) > _LONG_PATH:
                found.append(
                    f"{name}: {longest} has {len(longest)} characters; Windows may allow 260 for all of a path, folder and file"
                )
        return tuple(found)


def _commands(item: Distribution) -> list[str]:
    """Return the names of the commands that installing a distribution would make: by its entry points, and from its wheel."""
    file = next((each for each in item.files if each.path == f"{item.info}/entry_points.txt"), None)
    found, inside = [], False
    for line in filesystem.read_bytes(file.place).decode(errors="replace").splitlines() if file else ():
        if line.strip().startswith("["):
            inside = line.strip() in ("[console_scripts]", "[gui_scripts]")
        elif inside and "=" in line:
            found.append(line.partition("=")[0].strip())
    return sorted({*found, *(name.removesuffix(".exe") for name in item.scripts)})


def _module(file: str) -> str:
    """Return the name of a module at the top; empty where a file is none."""
    stem, _, suffix = file.partition(".")
    return stem if suffix.split(".")[-1] in ("py", "pyc", "so", "pyd") else ""


def _is_code(line: str) -> bool:
    return line.startswith(("import ", "import\t")) or PurePosixPath(line).is_absolute() or PureWindowsPath(line).is_absolute()


def fat_core(core: CoreFiles, name: str, licenses: Mapping[str, str]) -> CoreFiles:
    """Return the metadata of a fat wheel, from that of its package.

    It has its own name, asks for none of what it carries, and has no extras: what they ask for was not resolved together with
    what is carried. Its licence is that of all it holds; where one does not say its licence as an SPDX expression, the package
    itself too, there is a ``LicenseRef`` with the name of the distribution, whose own metadata tells (PEP 639).

    Args:
        core: The package's metadata.
        name: The name of the fat distribution.
        licenses: Name of each carried distribution → its licence as an SPDX expression, or an empty text.
    """
    head, blank, body = core.metadata.partition("\n\n")
    own = _expression(core)
    dropped = _DROPPED if own or not licenses else (*_DROPPED, *_OLD_LICENSE)
    lines: list[str] = []
    gone = False
    for line in head.splitlines():
        gone = gone if line.startswith((" ", "\t")) else line.startswith(dropped)
        if line.startswith("Name: "):
            lines.append(f"Name: {name}")
        elif not gone and not line.startswith("License-Expression: "):
            lines.append(line)
    if own or licenses:
        lines.append(f"License-Expression: {_joined(own or _license_ref(core.name), licenses)}")
    return replace(core, name=name, metadata="\n".join(lines) + ("" if blank else "\n") + blank + body)


def points_elsewhere(core: CoreFiles, own: str) -> list[str]:
    """Say which commands and plugins cannot be loaded: their modules are not there before the package is imported.

    Args:
        core: The fat wheel's metadata.
        own: The import package.
    """
    points = (line.partition("=") for line in core.entry_points.splitlines() if "=" in line and not line.startswith("["))
    found = [(name.strip(), value.strip()) for name, _, value in points]
    return [
        f"{name} = {value} cannot start: what the wheel carries is there once {own} is imported; let it name a module of {own}"
        for name, value in found
        if value.partition(":")[0].partition(".")[0].strip() != own
    ]


def _joined(own: str, licenses: Mapping[str, str]) -> str:
    """Return one expression for what is licensed by several."""
    from packaging.licenses import canonicalize_license_expression  # noqa: PLC0415 - import cost

    others = {said or _license_ref(name) for name, said in licenses.items()} - {own}
    every = [own, *sorted(others)]
    if len(every) == 1:
        return own
    parts = [f"({each})" if " OR " in each else each for each in every]
    return str(canonicalize_license_expression(" AND ".join(parts)))


def _license_ref(name: str) -> str:
    """Return what stands for the licence of a distribution that says none as an SPDX expression."""
    # A metadata folder may be called anything; a LicenseRef has letters, digits, dots and hyphens (SPDX, annex D).
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", normalise(name))


def license_of(item: Distribution) -> str:
    """Return a carried distribution's licence as an SPDX expression; empty where it does not say it so."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # noqa: PLC0415 - import cost

    metadata = next((file for file in item.files if file.path == f"{item.info}/METADATA"), None)
    if metadata is None:
        return ""
    head, _, _ = filesystem.read_bytes(metadata.place).decode(errors="replace").replace("\r\n", "\n").partition("\n\n")
    found = _EXPRESSION.search(head)
    if found is None:
        return ""
    try:
        return str(canonicalize_license_expression(found[1].strip()))
    except InvalidLicenseExpression:
        return ""


def check_name(package: Package, installed: Installed) -> None:
    """Refuse a name for a fat wheel that is another distribution's.

    Raises:
        SettingsError: It is the package's own, or that of something it carries.
    """
    name = fat_name(package)
    taken = {normalise(item.name): item.label for item in installed.distributions} | {
        normalise(package.name): "the package itself"
    }
    if (whose := taken.get(normalise(name))) is not None:
        key = f"{package.root / 'pyproject.toml'}: tool.pypackpack.bundle.fat-name"
        msg = f"{key}: a fat wheel cannot be called {name}, which is the name of {whose}"
        raise SettingsError(msg, hint='Set another name, such as "' + f'{package.name}-bundle".')


class FatBundler:
    """Makes the tasks that write fat wheels, with what a `Bundler` knows."""

    def __init__(self, bundler: Bundler, shop: Workshop) -> None:
        self._bundler = bundler
        self._shop = shop
        self.notes: tuple[str, ...] = ()
        """What a person should know of the wheels that `wheels` made."""

    def wheels(self, plans: Sequence[FatPlan], *, run: Callable[[Sequence[Task]], dict[str, Outcome]]) -> tuple[Artifact, ...]:
        """Write a wheel for each plan."""
        pairs = [(plan, self.task(plan)) for plan in plans]
        outcomes = run([task for _, task in pairs])
        found = [note for plan in plans for note in plan.notes()]
        for task in (task for _, task in pairs if task.name in outcomes):
            facts = outcomes[task.name].result.facts
            lines = [*facts.get("elsewhere", "").splitlines(), *facts.get("audit", "").splitlines()]
            found += [f"{Path(task.writes[0]).name}: {line}" for line in lines]
        self.notes = tuple(dict.fromkeys(found))
        done = tuple(self._placed(plan, task, outcomes[task.name]) for plan, task in pairs if task.name in outcomes)
        if done:  # a dependency more with machine code, and the wheel has another tag: the older one would stay beside it
            self._bundler.superseded = note_built(self._bundler.folder, plans[0].package, done)
        return done

    def _placed(self, plan: FatPlan, task: Task, outcome: Outcome) -> Artifact:
        digest, place = outcome.result.outputs["wheel"], Path(task.writes[0])
        place_artifact(place, digest, outcome, self._shop)
        return Artifact(
            path=place,
            kind="wheel",
            package=plan.package.name,
            targets=(plan.main.target.name,),
            python=plan.main.python.series,
            size=int(outcome.result.facts["size"]),
            sha256=digest,
            cached=outcome.cached and plan.built.cached and all(item.contents.cached for item in plan.mine),
        )

    def task(self, plan: FatPlan) -> Task:
        """Return the task that writes a fat wheel.

        Raises:
            SettingsError: Its name is taken.
        """
        bundler, package, made = self._bundler, plan.package, plan.main
        check_name(package, plan.installed)
        tags = plan.tags()
        escaped = normalise(fat_name(package)).replace("-", "_")
        writes = str(bundler.folder / f"{escaped}-{package.version}-{tags}.whl")
        info = self._info(plan)
        bill = plan.bill(bundler, tags)
        audit = bundler.audit_rules if tags.abi != "none" else ()
        contents = plan.contents
        programs = [path for path in sorted(contents) if bundler.executable(contents[path])]
        programs += [path for path, file in plan.installed.files.items() if file.executable]

        def make(_needs: Needs) -> ActionResult:
            return self._made(plan, tags, writes, audit=bool(audit))

        return Task(
            name=f"wheel {fat_name(package)} {tags}",
            package=package.name,
            target=made.target.name,
            step="bundle",
            kind=FAT_VERSION,
            inputs=(
                *bundler.writers,
                ("tags", str(tags)),
                ("shim", SHIM_VERSION),
                *((name, filesystem.sha256_bytes(data)) for name, data in info),
                *bill.inputs(),
                *sorted(plan.digests().items()),
                ("programs", json.dumps(programs)),
                ("name", fat_name(package)),
                ("requirements", json.dumps([item.package.target_dependencies.get(made.target.name, ()) for item in plan.mine])),
                *audit,
                ("SOURCE_DATE_EPOCH", str(filesystem.source_date_epoch())),
                *(
                    (f"{item.package.name}: {name}", digest)
                    for item in plan.mine
                    for name, digest in bundler.described(item.package)
                ),
            ),
            run=make,
            cost=max(0.2, sum(file.size for file in plan.installed.files.values()) / 20_000_000),
            writes=(writes,),
        )

    def _info(self, plan: FatPlan) -> list[tuple[str, bytes]]:
        """Return what the wheel says of what is in it."""
        from pypackpack.middleware.bundle.report import FILE, write_report  # noqa: PLC0415 - import cost of pydantic
        from pypackpack.model.inspection import CarriedDistribution, CarriedFolder  # noqa: PLC0415 - beside its only use

        report = self._bundler.report(plan.main)
        modules = tuple(
            replace(module, file=f"{plan.prefix}/{module.file}") for item in plan.mine for module in item.contents.modules
        )
        others = [CarriedDistribution(item.name, item.version, item.level) for item in plan.installed.distributions]
        return [(FILE, write_report(replace(report, modules=modules, carried=CarriedFolder(plan.prefix, tuple(others)))))]

    def _tree(self, plan: FatPlan, cores: Sequence[CoreFiles]) -> Tree:
        bundler, contents = self._bundler, plan.contents
        every = {**plan.built.made, **contents}
        # Its entry points are those of the fat distribution: twice in one environment, a plugin would be loaded twice.
        mine = [
            replace(core, entry_points="") if normalise(core.name) == normalise(plan.package.name) else core for core in cores
        ]
        return Tree(
            place=f"the fat wheel of {plan.package.name}",
            owner=plan.package.name,
            target=plan.main.target.name,
            own={path: content.digest for path, content in contents.items()},
            read=lambda path: bundler.read(every[path]),
            executable=lambda path: bundler.executable(contents[path]),
            metadata=mine,
            installed=plan.installed,
        )

    def _made(self, plan: FatPlan, tags: WheelTag, writes: str, *, audit: bool) -> ActionResult:
        from pypackpack.middleware.bundle.packing import former_members, remember_members  # noqa: PLC0415 - import cost, not in a no-op
        from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel  # noqa: PLC0415 - as above

        bundler, package, store = self._bundler, plan.package, self._shop.store
        cores = [bundler.core(item, installed=True) for item in plan.mine]
        tree = self._tree(plan, cores)
        licenses = {item.name: license_of(item) for item in plan.installed.distributions}
        licenses |= {each.name: _expression(each) for each in tree.metadata if normalise(each.name) != normalise(package.name)}
        fat = fat_core(bundler.core(plan.main), fat_name(package), licenses)
        former = former_members(writes, store)
        members = [
            WheelMember(
                f"{package.import_name}/__init__.py", shim_text(package.import_name, plan.names(), plan.folders()).encode()
            )
        ]
        members += [
            WheelMember(f"{plan.prefix}/{path}", partial(self._packed, path, file, former), file.executable)
            for path, file in tree.files(tree.measured()).items()
        ]
        info = [*self._info(plan), plan.bill(bundler, tags).carried_file(fat, cores)]
        facts = {"elsewhere": "\n".join(points_elsewhere(fat, package.import_name))}
        with store.scratch() as scratch:
            file = write_wheel(scratch, core=fat, tags=tags, pure=tags.abi == "none", members=members, info=info, durable=False)
            for item, core in zip(plan.mine, cores, strict=True):
                bundler.check(core, item.package)
            if audit:
                from pypackpack.middleware.verify.audit import audit as look  # noqa: PLC0415 - import cost, not in a no-op

                theirs = {f"{plan.prefix}/{path}" for path in plan.installed.files if _MACHINE_CODE.search(path)}
                facts["audit"] = "\n".join(look(file.path, theirs=theirs))
            store.adopt(file.path, file.sha256)
        remember_members(writes, file, store)
        return ActionResult({"wheel": file.sha256}, {"file": file.path.name, "size": str(file.size), **facts})

    def _packed(self, path: str, file: TreeFile, former: Mapping[str, Packed]) -> Packed:
        from pypackpack.middleware.bundle.packing import packed  # noqa: PLC0415 - import cost, not in a no-op

        return former.get(file.sha256) or packed(file.sha256, self._shop.store, partial(file.read, path))


def _expression(core: CoreFiles) -> str:
    found = _EXPRESSION.search(core.metadata.partition("\n\n")[0])
    return found[1] if found else ""


def fat_plans(
    package: Package, made: Sequence[Made], built: Mapping[tuple[str, Interpreter], BuiltDependencies]
) -> list[FatPlan]:
    """Return what each target and Python gets."""
    pairs = dict.fromkeys((item.target.name, item.python) for item in made)
    return [
        FatPlan(package, tuple(item for item in made if (item.target.name, item.python) == pair), built[pair]) for pair in pairs
    ]
