"""From the sources of a package to the tasks that compile them, and from their results to what goes into an artifact.

The C of a module is made once: its task is named by what it depends on, so that every target and every Python that has
the same source shares it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend.tools import bytecode, cython, zig
from pypackpack.backend.tools.bytecode import SyntaxProblem
from pypackpack.middleware.compile.choice import wants_native
from pypackpack.middleware.compile.layers import module_name
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildType, Fallback, Level
from pypackpack.model.errors import LostError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

TRANSCOMPILE_SECONDS_PER_BYTE = 1 / 40_000
COMPILE_SECONDS_PER_BYTE = 1 / 8_000
SMALLEST_COMPILE_SECONDS = 1.0


@dataclass(frozen=True)
class Content:
    """One file of what a build delivers.

    Attributes:
        place: Path in the wheel, with ``/``.
        digest: SHA-256 of its bytes.
        source: The file it is a copy of; None when the bytes lie in the store.
    """

    place: str
    digest: str
    source: SourceFile | None = None


@dataclass(frozen=True)
class Contents:
    """What a package becomes on one target for one Python."""

    files: tuple[Content, ...]
    has_bytecode: bool
    has_native: bool
    fallbacks: tuple[Fallback, ...]
    cached: bool


@dataclass(frozen=True)
class _Source:
    """A file as it was when it was planned: its place below site-packages, its module's name, digest and size in bytes."""

    file: SourceFile
    place: str
    name: str
    digest: str
    size: int

    @property
    def shown(self) -> str:
        """What a person knows it by: its path in the package's folder."""
        return f"src/{self.file.layer}/{self.file.place}"


@dataclass(frozen=True)
class _Compiler:
    """What all modules of a target and a Python are compiled with."""

    target: Target
    python: Interpreter
    words: str
    includes: tuple[HeaderFolder, ...]


@dataclass(frozen=True)
class _Module:
    """One module of the package on one target, and the tasks that make its forms."""

    file: SourceFile
    bytecode: str
    extension: str | None


class PackagePlan:
    """The tasks of one package at one level, for several targets and Pythons."""

    def __init__(self, package: Package, level: Level, build_type: BuildType, shop: Workshop) -> None:
        self._package = package
        self._level = level
        self._release = build_type is BuildType.RELEASE
        self._shop = shop
        self._tasks: dict[str, Task] = {}
        self._modules: dict[tuple[str, Interpreter], tuple[_Module, ...]] = {}
        self._files: dict[str, tuple[SourceFile, ...]] = {}
        self._sources: dict[tuple[str, str], _Source] = {}

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of them."""
        return tuple(self._tasks.values())

    @property
    def syntax_tasks(self) -> tuple[Task, ...]:
        """The tasks that make bytecode, and by it find out whether the sources are right."""
        return tuple(task for task in self._tasks.values() if task.step == "bytecode")

    @property
    def native_tasks(self) -> tuple[Task, ...]:
        """The tasks that make extension modules."""
        return tuple(task for task in self._tasks.values() if task.step != "bytecode")

    def add(self, target: Target, python: Interpreter, files: tuple[SourceFile, ...]) -> None:
        """Plan the package's modules on one target for one Python."""
        self._files[target.name] = files
        patterns = self._package.settings(target).native
        compiler = self._compiler(target, python) if self._level is Level.NATIVE else None
        modules = []
        for file in files:
            if file.is_module:
                source = self._source(file)
                native = compiler is not None and wants_native(file.place, patterns)
                extension = self._extension(source, compiler) if native and compiler is not None else None
                modules.append(_Module(file, self._bytecode(source, python), extension))
        self._modules[target.name, python] = tuple(modules)

    def _source(self, file: SourceFile) -> _Source:
        """Return what is known of a module; targets and Pythons share it."""
        key = (file.layer, file.place)
        if key not in self._sources:
            package = self._package.import_name
            digest, size = self._shop.digests.planned(file.path)
            self._sources[key] = _Source(file, f"{package}/{file.place}", module_name(package, file.place), digest, size)
        return self._sources[key]

    def _compiler(self, target: Target, python: Interpreter) -> _Compiler:
        flags = zig.compile_flags(target, release=self._release).words
        words = json.dumps([flags, target.suffix(python.series), self._release])
        return _Compiler(target, python, words, self._shop.includes(target, python))

    def _task(self, task: Task) -> str:
        self._tasks.setdefault(task.name, task)
        return task.name

    def _shared(
        self,
        name: str,
        kind: str,
        source: _Source,
        inputs: tuple[tuple[str, str], ...],
        run: Callable[[Needs], ActionResult],
        *,
        cost: float,
    ) -> str:
        """Plan a task on one module that all targets share; the first word of its name is its step."""
        task = Task(
            name=name,
            package=self._package.name,
            target="",
            step=name.partition(" ")[0],
            kind=kind,
            inputs=((source.shown, source.digest), ("place", source.place), *inputs),
            run=run,
            cost=cost,
            label=source.place,
            asked=(self._package.name,),
        )
        return self._task(task)

    def _bytecode(self, source: _Source, python: Interpreter) -> str:
        """Bytecode is made of every module at every level: it is how Python itself says whether the source is right."""
        shop, place = self._shop, source.place
        version = ".".join(map(str, python.version))
        name = f"bytecode {self._package.name}/{source.shown} {version}"
        if name in self._tasks:
            return name
        checked = not self._release

        def run(_needs: Needs) -> ActionResult:
            made = shop.bytecode(python).compile(place, shop.read(source.file), checked=checked)
            if isinstance(made, SyntaxProblem):
                facts = {"line": str(made.line), "column": str(made.column), "message": made.message, "text": made.text}
                return ActionResult(facts=facts)
            return ActionResult({"pyc": shop.store.put(made)})

        inputs = (
            ("bytecode worker", bytecode.fingerprint()),
            ("Python", python.release or version),
            ("format of bytecode", str(python.magic)),
            ("checked", str(checked)),
        )
        return self._shared(name, "bytecode-2", source, inputs, run, cost=0.01)

    def _transcompile(self, source: _Source, python: Interpreter) -> str:
        """The C is the same whichever of the Pythons looks into the source first."""
        shop, place = self._shop, source.place
        name = f"transcompile {self._package.name}/{source.shown}"
        if name in self._tasks:
            return name

        def run(_needs: Needs) -> ActionResult:
            data = shop.read(source.file)
            seen = shop.bytecode(python).examine(data)
            errors = cython.places(seen.refused)
            if not errors:
                made = shop.cython.transcompile(place, source.name, data, seen.trailer)
                if made.c is not None:
                    return ActionResult({"c": shop.store.put(made.c)})
                errors = made.errors
            return ActionResult(facts={"refused": "\n".join(f"{place}:{line}" for line in errors)})

        inputs = (("Cython", cython.fingerprint()), ("guard", bytecode.examiner()), ("module", source.name))
        cost = 0.1 + source.size * TRANSCOMPILE_SECONDS_PER_BYTE
        return self._shared(name, "transcompile-cython-3", source, inputs, run, cost=cost)

    def _extension(self, source: _Source, compiler: _Compiler) -> str:
        shop, name = self._shop, source.name
        target, series = compiler.target, compiler.python.series
        transcompile = self._transcompile(source, compiler.python)
        path = source.place[: -len(".py")]

        def run(needs: Needs) -> ActionResult:
            result = needs[transcompile]
            if "refused" in result.facts:
                return result
            c = shop.store.read(result.outputs["c"])
            if c is None:
                msg = f"the cache lost the C of {name} while it was being compiled"
                raise LostError(msg, digest=result.outputs["c"])
            job = zig.ModuleJob(
                name=name.rpartition(".")[2],
                path=path,
                c=c,
                target=target,
                python=series,
                includes=shop.sound_includes(target, compiler.python),
                release=self._release,
            )
            folder = shop.folder()
            try:
                made = shop.zig().build_module(job, folder)
            except zig.RefusedError as error:
                return ActionResult(facts={"refused": f"{error.message}\n{error.details}".strip()}, keep=False)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return ActionResult({"module": shop.store.put(made)})

        return self._task(
            Task(
                name=f"compile {self._package.name}/{source.shown} {target.name} {series[0]}.{series[1]}",
                package=self._package.name,
                target=target.name,
                step="compile",
                kind=f"compile-zig-{zig.FLAGS_VERSION}",
                inputs=(
                    ("zig", zig.pinned_version()),
                    ("flags", compiler.words),
                    ("module", f"{path} {name}"),
                    *((f"headers {number}", folder.digest) for number, folder in enumerate(compiler.includes, 1)),
                ),
                needs=(transcompile,),
                run=run,
                cost=max(SMALLEST_COMPILE_SECONDS, source.size * COMPILE_SECONDS_PER_BYTE),
                label=name,
                asked=(f"{self._package.name} for {target.name}",),
            )
        )

    def check_syntax(self, outcomes: Mapping[str, Outcome]) -> None:
        """Refuse sources that Python itself cannot read, all of them at once.

        Raises:
            SourceError: With file and line of each.
        """
        problems: dict[str, str] = {}
        for modules in self._modules.values():
            for module in modules:
                if _is_refused(module, outcomes):
                    facts = outcomes[module.bytecode].result.facts
                    where = str(module.file.path) + (f":{facts['line']}" if facts["line"] != "0" else "")
                    shown = f"\n    {facts['text'].strip()}" if facts["text"].strip() else ""
                    problems[where] = f"{where}: {facts['message']}{shown}"
        if problems:
            first, *others = problems.values()
            raise SourceError(first.splitlines()[0], details="\n".join([*first.splitlines()[1:], *others]))

    def refused(self, outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
        """Return the tasks that found a source which Python itself cannot read."""
        found = [module.bytecode for modules in self._modules.values() for module in modules if _is_refused(module, outcomes)]
        return tuple(dict.fromkeys(found))

    def vain(self, outcomes: Mapping[str, Outcome]) -> tuple[Task, ...]:
        """Return the tasks that only modules need which Python itself cannot read."""
        names = {
            module.extension
            for modules in self._modules.values()
            for module in modules
            if module.extension is not None and _is_refused(module, outcomes)
        }
        wanted = {need for task in self.native_tasks if task.name not in names for need in task.needs}
        names |= {need for name in names for need in self._tasks[name].needs} - wanted
        return tuple(task for task in self.native_tasks if task.name in names)

    def is_complete(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> bool:
        """Tell whether every task of a target came to its end, and Python could read every source."""
        modules = self._modules[target.name, python]
        if any(_is_refused(module, outcomes) for module in modules):
            return False
        return all(name is None or name in outcomes for module in modules for name in (module.bytecode, module.extension))

    def contents(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> Contents:
        """Return what the package becomes on a target, after its tasks ran.

        Raises:
            SourceError: A module was refused and the settings say ``strict``.
        """
        package = self._package
        modules = {module.file.place: module for module in self._modules[target.name, python]}
        files: list[Content] = []
        fallbacks: list[Fallback] = []
        bytecode_used = native_used = False
        cached = True
        for file in self._files[target.name]:
            place = f"{package.import_name}/{file.place}"
            module = modules.get(file.place)
            digest, _ = self._shop.digests.planned(file.path)
            if module is None or self._level is Level.INSTANT:
                files.append(Content(place, digest, file))
                continue
            cached = cached and outcomes[module.bytecode].cached
            if module.extension is not None:
                outcome = outcomes[module.extension]
                cached = cached and outcome.cached
                if "module" in outcome.result.outputs:
                    native_used = True
                    made = place[: -len(".py")] + target.suffix(python.series)
                    files.append(Content(made, outcome.result.outputs["module"]))
                    continue
                name = module_name(package.import_name, file.place)
                reason = outcome.result.facts["refused"]
                fallbacks.append(Fallback(name, (target.name,), python.series, "bytecode", reason))
            bytecode_used = True
            pyc = outcomes[module.bytecode].result.outputs["pyc"]
            if self._release:
                files.append(Content(f"{place}c", pyc))
            else:
                folder, _, name = place.rpartition("/")
                files.append(Content(place, digest, file))
                tag = f"cpython-{python.series[0]}{python.series[1]}"
                files.append(Content(f"{folder}/__pycache__/{name[: -len('.py')]}.{tag}.pyc", pyc))
        if fallbacks and package.settings(target).strict:
            listed = "\n".join(f"{fallback.module}: {fallback.reason}" for fallback in fallbacks)
            msg = f"{package.name} has modules that cannot be compiled for {target.name}, and strict is set"
            hint = "Change the module, exclude it (build.native.exclude), or set strict = false."
            raise SourceError(msg, hint=hint, details=listed)
        files.sort(key=lambda content: content.place)
        return Contents(tuple(files), bytecode_used, native_used, tuple(fallbacks), cached)


def _is_refused(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    outcome = outcomes.get(module.bytecode)
    return outcome is not None and "message" in outcome.result.facts


def merge_fallbacks(fallbacks: Sequence[Fallback]) -> tuple[Fallback, ...]:
    """Join what is the same on several targets into one."""
    joined: dict[tuple[str, tuple[int, int], str], list[str]] = {}
    for fallback in fallbacks:
        targets = joined.setdefault((fallback.module, fallback.python, fallback.reason), [])
        targets.extend(target for target in fallback.targets if target not in targets)
    return tuple(
        Fallback(module, tuple(targets), python, "bytecode", reason) for (module, python, reason), targets in joined.items()
    )


def reader(shop: Workshop) -> Callable[[Content], bytes]:
    """Return a function that gives the bytes of a content, from the source or the store."""

    def read(content: Content) -> bytes:
        if content.source is not None:
            return shop.read(content.source)
        data = shop.store.read(content.digest)
        if data is None:
            msg = f"the cache lost {content.place} while it was being bundled"
            raise LostError(msg, digest=content.digest)
        return data

    return read
