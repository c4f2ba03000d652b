"""From the sources of a package to the tasks that compile them, and from their results to what goes into an artifact.

The C of a module is made once: its task is named by what it depends on, so that every target and every Python that has
the same source shares it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.middleware.compile.abi import wants_limited
from pypackpack.middleware.compile.choice import compiler_of, idle, why_not_native
from pypackpack.middleware.compile.content import Content, Contents
from pypackpack.middleware.compile.extension import extension_tasks, module_extension
from pypackpack.middleware.compile.forms import bytecode_files, bytecode_task
from pypackpack.middleware.compile.layers import Layers, module_name
from pypackpack.middleware.compile.linked import Brought, own_tool, with_tools
from pypackpack.middleware.compile.minify import STEP, Text, minified, minify_task, total
from pypackpack.middleware.compile.native import find, tasks
from pypackpack.middleware.compile.native.beside import Neighbours
from pypackpack.middleware.compile.reasons import NEEDS_SOURCE, check_strict, told
from pypackpack.middleware.compile.source import TEXT, Source
from pypackpack.middleware.compile.toolchains import tool_of
from pypackpack.middleware.compile.transcompile import COMPILERS
from pypackpack.middleware.compile.unit import Member, common, link_tasks, object_tasks, why_no_unit
from pypackpack.middleware.compile.way import way_for
from pypackpack.middleware.graph.task import needless
from pypackpack.model.build import BuildType, Fallback, Level
from pypackpack.model.errors import SourceError
from pypackpack.model.inspection import ABI3, BYTECODE, EXTENSION, PACKAGE, SOURCE, VERSION, ModuleForm, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypackpack.middleware.compile.abi import Stable
    from pypackpack.middleware.compile.extension import Extension, Way
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.native.find import NativeModule, NativeSources
    from pypackpack.middleware.compile.transcompile import Transcompiler
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.build import Minified
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Minify, Package
    from pypackpack.model.target import Target

_READING = ("bytecode", STEP)
"""Steps without a compiler."""


@dataclass(frozen=True)
class _Module:
    """One module of the package on one target, and the tasks that make its forms.

    ``c`` is the one that makes its C; ``others`` are those that compile it besides ``extension``, for a unit of several parts.
    """

    file: SourceFile
    bytecode: str
    extension: str | None
    limited: bool
    why_not: str = ""
    unit: str | None = None
    text: str = ""
    c: str = ""
    others: tuple[str, ...] = ()

    @property
    def compiled(self) -> tuple[str, ...]:
        """The tasks that compile it."""
        return () if self.extension is None else (self.extension, *self.others)


@dataclass(frozen=True)
class _OwnModule:
    """One extension module of the package's own native sources, and the task that makes it."""

    module: NativeModule
    extension: str
    limited: bool


class PackagePlan:
    """The tasks of one package at one level, for several targets and Pythons."""

    def __init__(
        self, package: Package, level: Level, build_type: BuildType, shop: Workshop, *, oldest: Interpreter | None = None
    ) -> None:
        """Begin with no tasks.

        Args:
            package: The package.
            level: How far to compile.
            build_type: Debug or release.
            shop: The tools.
            oldest: The oldest of the Pythons, which writes texts that all of them read; None: there is only one.
        """
        self._oldest = oldest
        self._package = package
        self._level = level
        self._release = build_type is BuildType.RELEASE
        self._shop = shop
        self._tasks: dict[str, Task] = {}
        self._modules: dict[tuple[str, Interpreter], tuple[_Module, ...]] = {}
        self._abi3: set[tuple[str, Interpreter]] = set()
        self._files: dict[str, tuple[SourceFile, ...]] = {}
        self._sources: dict[tuple[str, str], Source] = {}
        self._compilers: dict[str, Transcompiler] = {}
        self._units: set[str] = set()
        self.notes: tuple[str, ...] = ()
        """What a person should know of the plan."""
        self._own: dict[str, NativeSources] = {}
        self._own_tasks: dict[tuple[str, Interpreter], tuple[_OwnModule, ...]] = {}
        self._neighbours = Neighbours(package, shop)
        self._brought = Brought()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of them."""
        return tuple(self._tasks.values())

    @property
    def syntax_tasks(self) -> tuple[Task, ...]:
        """The tasks that make texts and bytecode, and by it find out whether the sources are right."""
        return tuple(task for task in self._tasks.values() if task.step in _READING)

    @property
    def native_tasks(self) -> tuple[Task, ...]:
        """The tasks that make extension modules."""
        return tuple(task for task in self._tasks.values() if task.step not in _READING)

    def add(self, target: Target, python: Interpreter, files: tuple[SourceFile, ...], *, shared: Stable | None = None) -> None:
        """Plan the package's modules on one target for one Python.

        Args:
            target: For what.
            python: For which Python.
            files: What there is on the target.
            shared: How that Python uses the stable ABI; None: every extension module is for it alone.
        """
        self._files[target.name] = files
        settings = self._package.settings(target)
        native = self._level is Level.NATIVE
        if shared is not None and shared.whole:
            self._abi3.add((target.name, python))
        modules = []
        members: list[Member] = []
        in_unit = native and self._is_unit(target, files)
        for file in files:
            if file.is_module:
                source = self._source(file)
                extension, c = None, ""
                others: tuple[str, ...] = ()
                limited = shared is not None and wants_limited(file.place, settings)
                why_not = why_not_native(file.place, settings.native) if native else ""
                if native and not why_not:
                    compiler = self._compiler(target, file.place)
                    way = self._way(target, shared.oldest if shared and limited else python, compiler, limited=limited)
                    declared = self._neighbours.declared(source, files, target, way.python, compiler.name)
                    c = self._task(compiler.task(declared, way.python, target))
                    self._brought.note(c, self._neighbours.foreign(target, way.python), declared.beside.places)
                    if in_unit:
                        members.append(self._member(source, c, way))
                        extension, *more = members[-1].tasks
                        others = tuple(more)
                    else:
                        extension = self._task_of(module_extension(source, c), way)
                small = self._small(source, settings.minify, python)
                code = self._bytecode(small, python)
                modules.append(_Module(file, code, extension, limited, why_not, text=small.maker, c=c, others=others))
        if members:
            modules = self._unit(modules, members)
        self._modules[target.name, python] = tuple(modules)
        self._add_own(target, python, files, shared)

    def idle_patterns(self) -> tuple[str, ...]:
        """Say which patterns of ``native`` mean no module on any of the package's targets, whether these are built now or not."""
        if self._level is not Level.NATIVE or not self._files:
            return ()
        settings = [self._package.settings(target) for target in self._package.targets]
        kinds = [("native", each.native) for each in settings]
        kinds += [("mypyc", each.mypyc) for each in settings if each.compiler == "mypyc"]
        if not any(idle((), patterns) for _, patterns in kinds):
            return ()
        places = {file.place for files in self._files.values() for file in files if file.is_module}
        try:
            layers = Layers(self._package)
            for target in self._package.targets:
                if target.name not in self._files:
                    places.update(file.place for file in layers.unchecked(target) if file.is_module)
        except SourceError:  # of a target that is not asked for: a build of it will say so
            return ()
        found = dict.fromkeys(f"{kind}.{each}" for kind, patterns in kinds for each in idle(places, patterns))
        name = self._package.name
        return tuple(f"{name}: no module is named by {each}; a pattern is a path in the package, as plugins/**" for each in found)

    def _add_own(self, target: Target, python: Interpreter, files: tuple[SourceFile, ...], shared: Stable | None) -> None:
        """Plan the extension modules of the package's own native sources: at every level, since they have no other form."""
        settings, planned = self._package.settings(target), []
        for module in self._own_sources(target, files).modules:
            limited = shared is not None and wants_limited(module.path, settings)
            used = shared.oldest if shared and limited else python
            way = self._way(target, used, None, limited=limited)
            planned.append(_OwnModule(module, self._own_extension(module, way), limited))
        self._own_tasks[target.name, python] = tuple(planned)

    def _own_sources(self, target: Target, files: tuple[SourceFile, ...]) -> NativeSources:
        if target.name not in self._own:
            self._own[target.name] = find.find(files, self._package, target, self._shop.read)
        return self._own[target.name]

    def own_modules(self, target: Target, files: tuple[SourceFile, ...]) -> tuple[str, ...]:
        """Return the places, without suffix, of the extension modules of the package's own native sources."""
        return tuple(module.path for module in self._own_sources(target, files).modules)

    def pythons(self, target: Target) -> tuple[Interpreter, ...]:
        """Return the Pythons that are planned for on a target."""
        return tuple(python for name, python in self._modules if name == target.name)

    def is_abi3(self, target: Target, python: Interpreter) -> bool:
        """Tell whether what is planned for a Python serves every later one, too."""
        return (target.name, python) in self._abi3

    def _source(self, file: SourceFile) -> Source:
        """Return what is known of a module; targets and Pythons share it."""
        key = (file.layer, file.place)
        if key not in self._sources:
            package, name = self._package.import_name, self._package.name
            digest, size = self._shop.digests.planned(file.path)
            self._sources[key] = Source(file, name, f"{package}/{file.place}", module_name(package, file.place), digest, size)
        return self._sources[key]

    def _compiler(self, target: Target, place: str | None = None) -> Transcompiler:
        """Return what turns the package's modules, or the one at a place, into C for a target; targets share it."""
        settings = self._package.settings(target)
        name = settings.compiler if place is None else compiler_of(place, settings)
        if name not in self._compilers:
            self._compilers[name] = COMPILERS[name](self._shop)
        return self._compilers[name]

    def _way(self, target: Target, python: Interpreter, compiler: Transcompiler | None, *, limited: bool) -> Way:
        settings = self._package.settings(target)
        return way_for(target, python, settings, compiler, self._shop, release=self._release, limited=limited)

    def _task(self, task: Task) -> str:
        self._tasks.setdefault(task.name, task)
        return task.name

    def _small(self, source: Source, wanted: Minify | None, python: Interpreter) -> Source:
        """Return a module as it stands in an artifact as Python; what becomes native is made of the file, for its lines' sake."""
        if wanted is None:
            return source
        shared = self._level is Level.INSTANT and self._oldest is not None  # one wheel for all Pythons
        task = minify_task(source, wanted, self._oldest if shared and self._oldest else python, self._shop)
        self._task(task)
        return minified(source, task)

    def smaller(self, outcomes: Mapping[str, Outcome]) -> Minified | None:
        """Return what became of the sizes of the modules that stay Python; None where nothing was to be smaller."""
        found: dict[str, Text] = {}
        for modules in self._modules.values():
            for module in modules:
                if module.text and not self._is_native(module, outcomes):
                    name = module_name(self._package.import_name, module.file.place)
                    before = self._shop.digests.planned(module.file.path)[1]
                    found[module.text] = Text(name, before, outcomes[module.text].result)
        return total(self._package.name, found.values()) if found else None

    def _is_native(self, module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
        if module.extension is None:
            return False
        return "module" in self._made(module, outcomes)[0].result.outputs

    def _bytecode(self, source: Source, python: Interpreter) -> str:
        """Bytecode is made of every module at every level: it is how Python itself says whether the source is right."""
        return self._task(bytecode_task(source, python, self._shop, checked=not self._release))

    def _task_of(self, extension: Extension, way: Way) -> str:
        """Plan what makes an extension module, and return the task whose result it is."""
        return [self._task(task) for task in extension_tasks(extension, way, self._shop)][-1]

    def _is_unit(self, target: Target, files: tuple[SourceFile, ...]) -> bool:
        """Tell whether the package becomes one extension module on a target; where it cannot, note why."""
        settings = self._package.settings(target)
        if settings.unit != "package":
            return False
        why = why_no_unit(self._package.import_name, settings, files)
        if why:
            note = f'{why}: with unit = "package", too, each module is an extension module of its own on {target.name}'
            self.notes = tuple(dict.fromkeys((*self.notes, note)))
        return not why

    def _member(self, source: Source, c: str, way: Way) -> Member:
        extension = module_extension(source, c)
        package = extension.path.endswith("/__init__")
        shared = [[self._task(task) for task in part] for part in common(extension.package, way, self._shop)]
        firsts = [part[0] if part else None for part in shared]
        return Member(extension, way, package, tuple(map(self._task, object_tasks(extension, way, self._shop, firsts))))

    def _unit(self, modules: list[_Module], members: list[Member]) -> list[_Module]:
        """Link what was planned for one target and Python; the stable ABI holds for the whole if it does for each."""
        place = f"{self._package.import_name}/__init__"
        members.sort(key=lambda member: (member.extension.path != place, member.extension.name))
        bound = [member.way for member in members if not member.way.limited]
        way = (bound or [members[0].way])[0]
        shared = [[task.name for task in part][1:] for part in common(self._package.name, way, self._shop)]
        linked = [self._task(task) for task in link_tasks(members[0].extension, way, members, self._shop, shared)]
        self._units.update(linked)
        unit = linked[-1]
        return [replace(module, unit=unit, limited=way.limited) if module.extension else module for module in modules]

    def _own_extension(self, module: NativeModule, way: Way) -> str:
        """Plan one of these extension modules."""
        package, files, shop = self._package, self._files[way.target.name], self._shop
        foreign = self._neighbours.foreign(way.target, way.python)
        made = tasks.pyx_task(module, package, files, shop, foreign) if module.is_cython else None
        made = self._tasks[self._task(made)] if made is not None else None
        gathered = self._task(tasks.gather_task(module, package, way.target, files, shop, made, foreign))
        extension = self._task_of(tasks.own_extension(module, package, way.target, files, shop, gathered), way)
        self._brought.note(extension, foreign, [place for place, _ in made.inputs] if made is not None else (), gathered)
        return extension

    def has_own_modules(self, target: Target) -> bool:
        """Tell whether the package has native sources of its own on a target."""
        return bool(self._own[target.name].modules)

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
            version = min(".".join(map(str, python.series)) for _, python in self._modules)
            hint = f"Correct the line: Python {version}, which is built for, cannot read the file."
            raise SourceError(first.splitlines()[0], hint=hint, details="\n".join([*first.splitlines()[1:], *others]))

    def refused(self, outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
        """Return the tasks that found a source which Python itself cannot read."""
        found = [module.bytecode for modules in self._modules.values() for module in modules if _is_refused(module, outcomes)]
        return tuple(dict.fromkeys(found))

    def vain(self, outcomes: Mapping[str, Outcome]) -> tuple[Task, ...]:
        """Return the tasks that only modules need which Python itself cannot read."""
        names = {
            task
            for modules in self._modules.values()
            for module in modules
            if _is_refused(module, outcomes)
            for task in module.compiled
        }
        tasks = self.native_tasks
        for _ in ("what links a unit", "what joins such links"):
            names |= {task.name for task in tasks if task.name in self._units and names.intersection(task.needs)}
        names = needless(tasks, names)
        return tuple(task for task in tasks if task.name in names)

    def is_complete(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> bool:
        """Tell whether every task of a target came to its end, and Python could read every source."""
        modules = self._modules[target.name, python]
        if any(_is_refused(module, outcomes) for module in modules):
            return False
        if any(each.extension not in outcomes for each in self._own_tasks[target.name, python]):
            return False
        names = {name for module in modules for name in (module.bytecode, *module.compiled, module.unit, module.text)}
        return all(not name or name in outcomes for name in names)

    def own_made(
        self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]
    ) -> tuple[tuple[Content, ModuleForm, bool], ...]:
        """Return the extension modules of the package's own native sources, and of each whether it was known before."""
        made, compiler = [], self._package.settings(target).compiler if self._level is Level.NATIVE else ""
        for own in self._own_tasks[target.name, python]:
            outcome = outcomes[own.extension]
            place = f"{self._package.import_name}/{own.module.path}{target.suffix(python.series, limited=own.limited)}"
            name, scope = tasks.import_name(self._package, own.module), ABI3 if own.limited else VERSION
            form = ModuleForm(name, place, EXTENSION, scope, compiler=own_tool(own.module, compiler))
            made.append((Content(place, outcome.result.outputs["module"]), form, outcome.cached))
        return tuple(made)

    def contents(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> Contents:
        """Return what the package becomes on a target, after its tasks ran.

        Raises:
            SourceError: A module was refused and the settings say ``strict``.
        """
        package = self._package
        modules = {module.file.place: module for module in self._modules[target.name, python]}
        own_made = self.own_made(target, python, outcomes)
        files: list[Content] = [content for content, _, _ in own_made]
        fallbacks: list[Fallback] = []
        forms: list[ModuleForm] = [form for _, form, _ in own_made]
        linked = {own.extension: outcomes[own.extension].result for own in self._own_tasks[target.name, python]}
        refused: dict[str, str] = {}
        cached, native_used, bytecode_used = all(known for _, _, known in own_made), bool(own_made), False
        abi3 = self.is_abi3(target, python)
        kept = self._own[target.name].kept if self._release else frozenset()
        for file in self._files[target.name]:
            if file.place in kept:
                continue
            place = f"{package.import_name}/{file.place}"
            module = modules.get(file.place)
            text = self._text(place, file, module, outcomes)
            if module is None or self._level is Level.INSTANT:
                files.append(text)
                forms += [] if module is None else [ModuleForm(module_name(package.import_name, file.place), place, SOURCE)]
                continue
            cached = cached and outcomes[module.bytecode].cached
            name, reason = module_name(package.import_name, file.place), module.why_not
            if module.extension is not None:
                outcome, refusal = self._made(module, outcomes)
                cached = cached and outcome.cached
                if "module" in outcome.result.outputs:
                    native_used, linked[module.c] = True, outcome.result
                    own = place if module.unit is None else f"{package.import_name}/__init__.py"
                    made = own[: -len(".py")] + target.suffix(python.series, limited=module.limited)
                    if own == place:  # else it is in that of the package
                        files.append(Content(made, outcome.result.outputs["module"]))
                    scope = PACKAGE if module.unit is not None else ABI3 if module.limited else VERSION
                    forms.append(ModuleForm(name, made, EXTENSION, scope, compiler=self._other_tool(target, file.place)))
                    continue
                reason = outcome.result.facts["refused"]
                refused[name] = refusal
            as_source = abi3 or NEEDS_SOURCE in reason  # bytecode is for one Python, and of a release without its source
            if name in refused:
                fallbacks.append(Fallback(name, (target.name,), python.series, SOURCE if as_source else BYTECODE, reason))
            if as_source:
                files.append(text)
                forms.append(ModuleForm(name, place, SOURCE, reason=reason))
                continue
            bytecode_used = True
            pyc = outcomes[module.bytecode].result.outputs["pyc"]
            forms.append(ModuleForm(name, f"{place}c" if self._release else place, BYTECODE, reason=reason))
            files += bytecode_files(text, pyc, python, release=self._release)
        check_strict(package, target, fallbacks)
        files.sort(key=lambda content: content.place)
        return with_tools(
            Contents(
                tuple(files),
                bytecode_used,
                native_used,
                tuple(fallbacks),
                cached,
                abi3,
                modules=told(forms, refused, shared=not native_used) if own_made or self._level is Level.NATIVE else (),
                compiler=self._tool(target) if self._level is Level.NATIVE else None,
                toolchain=tool_of(target, package.settings(target)) if native_used else None,
            ),
            target,
            [each.module for each in self._own_tasks[target.name, python]],
            forms,
            (linked.values(), self._brought.labels(linked, outcomes)),
        )

    def _text(self, place: str, file: SourceFile, module: _Module | None, outcomes: Mapping[str, Outcome]) -> Content:
        """Return a file as it stands in an artifact when nothing else is made of it."""
        if module is not None and module.text:
            return Content(place, outcomes[module.text].result.outputs[TEXT], made_of=file)
        return Content(place, self._shop.digests.planned(file.path)[0], file)

    def _made(self, module: _Module, outcomes: Mapping[str, Outcome]) -> tuple[Outcome, str]:
        """Return what came of a module that was to be native, and what refused it before there was C; empty for a C compiler."""
        made = [outcomes[name] for name in module.compiled]
        outcome = next((each for each in made if "object" not in each.result.outputs), made[0])
        if module.unit is None or "object" not in outcome.result.outputs:
            return outcome, outcomes[module.c].result.facts.get("refused", "")
        whole = outcomes[module.unit]
        return whole, whole.result.facts.get("refused", "")

    def _tool(self, target: Target, place: str | None = None) -> Tool:
        compiler = self._compiler(target, place)
        return Tool(compiler.name, compiler.version)

    def _other_tool(self, target: Target, place: str) -> Tool | None:
        """Return what turned a module into C, where that is another one than the package's."""
        mine = self._tool(target, place)
        return None if mine == self._tool(target) else mine


def _is_refused(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    outcome = outcomes.get(module.bytecode)
    return outcome is not None and "message" in outcome.result.facts
