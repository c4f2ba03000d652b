"""Dependencies at the level of the package: from installed distributions to tasks, and from their results to files.

They come from the index as they were made for everybody. What is pure Python of the chosen ones is compiled as the package's own
modules are, with two differences: a module that cannot be compiled, or not even be read, never ends the build, and whatever is
no module of theirs (data, extension modules, metadata) stays as it is.

The tasks of a module are the same for all targets that have the same file of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pypackpack.middleware.compile.choice import NEVER_NATIVE
from pypackpack.middleware.compile.content import Content, Contents
from pypackpack.middleware.compile.extension import extension_tasks, module_extension
from pypackpack.middleware.compile.forms import bytecode_files, bytecode_task
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.linked import with_parts
from pypackpack.middleware.compile.minify import STEP, Text, minified, minify_task, total
from pypackpack.middleware.compile.reasons import NEEDS_SOURCE, told
from pypackpack.middleware.compile.source import TEXT, Source
from pypackpack.middleware.compile.toolchains import tool_of
from pypackpack.middleware.compile.transcompile import COMPILERS, FOR_DEPENDENCIES
from pypackpack.middleware.compile.way import way_for
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildType, CompiledDependency, Fallback, Level
from pypackpack.model.csource import refusal
from pypackpack.model.errors import ToolError
from pypackpack.model.inspection import BYTECODE, EXTENSION, SOURCE, VERSION, ModuleForm, Tool
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pypackpack.middleware.bundle.installed import Distribution, InstalledFile
    from pypackpack.middleware.compile.extension import Way
    from pypackpack.middleware.compile.transcompile import Transcompiler
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.build import Minified
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import BuildSettings
    from pypackpack.model.target import Target

_EXTENSIONS = (".so", ".pyd")
_READING = ("bytecode", STEP)


@dataclass(frozen=True)
class _Module:
    """A module of a distribution on one target, and the tasks that make its forms.

    ``bytecode`` is empty where none is made, at level instant; ``text`` names what makes the module smaller, if anything does;
    ``c`` what makes the C of ``extension``.
    """

    file: InstalledFile
    source: Source
    bytecode: str
    extension: str | None
    text: str = ""
    c: str = ""


class DependencyPlan:
    """The tasks of the dependencies of a package at one level, for several targets and Pythons."""

    def __init__(self, level: Level, build_type: BuildType, shop: Workshop) -> None:
        self.level = Level.NATIVE if level is Level.MIXED else level
        self._release = build_type is BuildType.RELEASE
        self._shop = shop
        self._tasks: dict[str, Task] = {}
        self._modules: dict[tuple[str, Interpreter, str], dict[str, _Module]] = {}
        self._digests: dict[tuple[str, str], list[str]] = {}
        self._labels: dict[str, str] = {}
        self._compilers: dict[str, Transcompiler] = {}
        self._tools: dict[tuple[str, Interpreter], tuple[Tool, Tool | None]] = {}
        self._named: set[str] = set()
        self._there: set[str] = set()

    def add(self, target: Target, python: Interpreter, distributions: Sequence[Distribution], settings: BuildSettings) -> None:
        """Plan the modules of what is installed for a target and a Python.

        Args:
            target: For what.
            python: For which Python.
            distributions: All that is installed there.
            settings: Those of the package that is built: which of them are compiled, and with what.
        """
        if self.level is Level.INSTANT and settings.minify is None:
            return
        way = compiler = None
        if self.level is Level.NATIVE:
            compiler = self._compiler(FOR_DEPENDENCIES.get(settings.compiler, settings.compiler))
            way = way_for(target, python, settings, compiler, self._shop, release=self._release)
            self._tools[target.name, python] = (Tool(compiler.name, compiler.version), tool_of(target, settings))
        wanted = None if settings.dependencies is None else {normalise(name) for name in settings.dependencies}
        self._named |= wanted or set()
        for item in distributions:
            self._there.add(normalise(item.name))
            if wanted is None or normalise(item.name) in wanted:
                modules = {}
                native = frozenset(_natives(item))
                for file in _modules(item):
                    source = self._source(item, file)
                    stem = file.path[: -len(".py")]
                    compiled = compiler is not None and stem.rpartition("/")[2] not in NEVER_NATIVE and stem not in native
                    c, extension = self._extension(source, compiler, way) if compiled and compiler and way else ("", None)
                    small = source  # what becomes native is made of the file, for its lines' sake
                    if settings.minify is not None:
                        task = minify_task(source, settings.minify, python, self._shop)
                        self._task(task)
                        small = minified(source, task)
                    code = self._bytecode(small, python) if self.level is not Level.INSTANT else ""
                    modules[file.path] = _Module(file, source, code, extension, small.maker, c)
                self._modules[target.name, python, item.info] = modules

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of them."""
        return tuple(self._tasks.values())

    @property
    def syntax_tasks(self) -> tuple[Task, ...]:
        """The tasks that make texts and bytecode, and by it find out what Python can read."""
        return tuple(task for task in self._tasks.values() if task.step in _READING)

    def native_tasks(self, outcomes: Mapping[str, Outcome]) -> tuple[Task, ...]:
        """Return the tasks that make extension modules, but for modules that Python cannot read or that are mostly tables."""
        wanted = {module.extension for module in self._every() if module.extension and _is_to_compile(module, outcomes)}
        needed: dict[str, None] = {}
        todo = [name for name in wanted if name]
        while todo:  # of a target that is put together from others, a task needs those of its parts, and these the C
            name = todo.pop()
            needed[name] = None
            todo += [need for need in self._tasks[name].needs if need not in needed]
        return tuple(task for task in self._tasks.values() if task.step not in _READING and task.name in needed)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names in the settings that no target has a dependency of."""
        return tuple(sorted(self._named - self._there))

    def counts(self) -> tuple[int, tuple[str, ...]]:
        """Return how many modules are to be native, those that targets share counted once, and of which distributions."""
        found = {(module.source.package, module.source.place) for module in self._every() if module.extension}
        return len(found), tuple(sorted({self._labels[package] for package, _ in found}))

    def has(self, distribution: Distribution, target: Target, python: Interpreter) -> bool:
        """Tell whether a distribution is among those that are compiled."""
        return (target.name, python, distribution.info) in self._modules

    def is_complete(self, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]) -> bool:
        """Tell whether every task of a target came to its end."""
        mine = [modules for (name, version, _), modules in self._modules.items() if (name, version) == (target.name, python)]
        return all(_is_done(module, outcomes) for modules in mine for module in modules.values())

    def contents(
        self, distribution: Distribution, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]
    ) -> Contents:
        """Return what a distribution becomes on a target, after the tasks ran: all of its files but ``RECORD``.

        Its ``WHEEL`` is as it was installed: `pypackpack.middleware.bundle.dependencies.wheel_file` says what becomes of it.
        """
        modules = self._modules.get((target.name, python, distribution.info), {})
        files: list[Content] = []
        fallbacks: list[Fallback] = []
        bytecode_used, cached = False, True
        native: list[ActionResult] = []
        for file in distribution.files:
            module = modules.get(file.path)
            text = Content(file.path, file.sha256, _source_file(file))
            if module is not None and module.text:
                text = _smaller(text, outcomes[module.text].result.outputs[TEXT])
                cached = cached and outcomes[module.text].cached
            if module is None or not module.bytecode:
                files.append(text)
                continue
            fallback = partial(Fallback, module.source.name, (target.name,), python.series, distribution=distribution.label)
            cached = cached and outcomes[module.bytecode].cached
            if _unreadable(module, outcomes):
                files.append(text)
                facts = outcomes[module.bytecode].result.facts
                fallbacks.append(fallback("source", f"{file.path}:{facts['line']}: {facts['message']}"))
                continue
            if module.extension is not None and (reason := _tables(module, outcomes)):
                fallbacks.append(fallback("bytecode", reason))
            elif module.extension is not None:
                outcome = outcomes[module.extension]
                cached = cached and outcome.cached
                if "module" in outcome.result.outputs:
                    native.append(outcome.result)
                    suffix = target.suffix(python.series)
                    files.append(Content(file.path[: -len(".py")] + suffix, outcome.result.outputs["module"]))
                    continue
                reason = outcome.result.facts["refused"]
                if _needs_source(module, outcomes):
                    files.append(text)
                    fallbacks.append(fallback("source", reason))
                    continue
                fallbacks.append(fallback("bytecode", reason))
            bytecode_used = True
            pyc = outcomes[module.bytecode].result.outputs["pyc"]
            files += bytecode_files(text, pyc, python, release=self._release)
        files.sort(key=lambda content: content.place)
        contents = Contents(tuple(files), bytecode_used, bool(native), tuple(fallbacks), cached)
        if self.level is not Level.NATIVE:  # then the files say all
            return contents
        compiler, toolchain = self._tools[target.name, python]
        forms = self._forms(modules.values(), fallbacks, target.suffix(python.series), outcomes)
        contents = replace(contents, modules=forms, compiler=compiler)
        return with_parts(replace(contents, toolchain=toolchain), target, compiler, toolchain, native) if native else contents

    def _forms(
        self, modules: Iterable[_Module], fallbacks: Iterable[Fallback], suffix: str, outcomes: Mapping[str, Outcome]
    ) -> tuple[ModuleForm, ...]:
        """Return what each module became, as the report in a wheel says it."""
        reasons = {fallback.module: fallback for fallback in fallbacks}
        forms: list[ModuleForm] = []
        refused: dict[str, str] = {}
        for module in modules:
            name, path = module.source.name, module.file.path
            other = reasons.get(name)
            if other is not None and other.form == SOURCE:
                forms.append(ModuleForm(name, path, SOURCE, reason=other.reason))
            elif other is None and module.extension is not None:
                forms.append(ModuleForm(name, path[: -len(".py")] + suffix, EXTENSION, VERSION))
            else:
                place = f"{path}c" if self._release else path
                forms.append(ModuleForm(name, place, BYTECODE, reason="" if other is None else other.reason))
            if other is not None and module.extension in outcomes and _is_to_compile(module, outcomes):
                refused[name] = _refusal(module, outcomes)
        return told(forms, refused, shared=False)

    def compiled(
        self, distribution: Distribution, target: Target, python: Interpreter, outcomes: Mapping[str, Outcome]
    ) -> CompiledDependency:
        """Return how many modules of a distribution became what."""
        native = bytecode = source = 0
        for module in self._modules[target.name, python, distribution.info].values():
            if not module.bytecode or _unreadable(module, outcomes) or _needs_source(module, outcomes):
                source += 1
            elif module.extension and module.extension in outcomes and "module" in outcomes[module.extension].result.outputs:
                native += 1
            else:
                bytecode += 1
        counts = (native, bytecode, source)
        return CompiledDependency(distribution.name, distribution.version, (target.name,), python.series, *counts)

    def smaller(self, outcomes: Mapping[str, Outcome]) -> tuple[Minified, ...]:
        """Return, by distribution, what became of the sizes of the modules that stay Python, where these were to be smaller."""
        found: dict[str, dict[str, Text]] = {}
        for module in self._every():
            native = module.extension in outcomes and "module" in outcomes[module.extension or ""].result.outputs
            if module.text in outcomes and not native:
                text = Text(module.source.name, module.source.size, outcomes[module.text].result)
                found.setdefault(self._labels[module.source.package], {})[module.text] = text
        return tuple(total(package, texts.values()) for package, texts in sorted(found.items()))

    def _every(self) -> Iterator[_Module]:
        for modules in self._modules.values():
            yield from modules.values()

    def _compiler(self, name: str) -> Transcompiler:
        if name not in self._compilers:
            self._compilers[name] = COMPILERS[name](self._shop)
        return self._compilers[name]

    def _source(self, item: Distribution, file: InstalledFile) -> Source:
        """Return what is known of a module; targets that have the same file share it.

        A version may have different files for different targets: then the digest tells their tasks apart.
        """
        known = self._digests.setdefault((item.label, file.path), [])
        if file.sha256 not in known:
            known.append(file.sha256)
        label = item.label if known[0] == file.sha256 else f"{item.label} ({file.sha256[:8]})"
        self._labels[label] = item.label
        on_disk = _source_file(file)
        digest, size = self._shop.digests.planned(on_disk.path)
        return Source(on_disk, label, file.path, _module_name(file.path), digest, size)

    def _task(self, task: Task) -> str:
        if task.name not in self._tasks:
            self._tasks[task.name] = replace(task, run=_forgiving(task), package=self._labels[task.package])
        return task.name

    def _bytecode(self, source: Source, python: Interpreter) -> str:
        return self._task(bytecode_task(source, python, self._shop, checked=not self._release))

    def _extension(self, source: Source, compiler: Transcompiler, way: Way) -> tuple[str, str]:
        """Plan an extension module; return the names of the tasks that make its C and itself."""
        c = self._task(compiler.task(source, way.python, way.target))
        return c, [self._task(task) for task in extension_tasks(module_extension(source, c), way, self._shop)][-1]


def _modules(item: Distribution) -> Iterator[InstalledFile]:
    """Yield the files of a distribution that can be imported by a name, and belong to it alone."""
    for file in item.files:
        if file.path not in item.shared and _source_file(file).is_module:
            yield file


def _source_file(file: InstalledFile) -> SourceFile:
    return SourceFile(file.path, file.place, "")


def _natives(item: Distribution) -> Iterator[str]:
    """Yield the paths without suffix of the extension modules that a distribution has: they win over modules beside them."""
    for file in item.files:
        if file.path.endswith(_EXTENSIONS):
            folder, slash, name = file.path.rpartition("/")
            yield f"{folder}{slash}{name.partition('.')[0]}"


def _module_name(path: str) -> str:
    parts = path[: -len(".py")].split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _smaller(text: Content, made: str) -> Content:
    """Return a module's text as it was made smaller; one that stayed as it was is still the file."""
    return text if made == text.digest else Content(text.place, made, made_of=text.source)


def _unreadable(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    outcome = outcomes.get(module.bytecode)
    return outcome is not None and "message" in outcome.result.facts


def _needs_source(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    outcome = outcomes.get(module.extension or "")
    return outcome is not None and NEEDS_SOURCE in outcome.result.facts.get("refused", "")


def _refusal(module: _Module, outcomes: Mapping[str, Outcome]) -> str:
    """Return why there is no C of a module; empty where it is the C that was refused."""
    outcome = outcomes.get(module.c)
    return outcome.result.facts.get("refused", "") if outcome is not None else ""


def _is_done(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    if any(name and name not in outcomes for name in (module.bytecode, module.text)):
        return False
    return module.extension is None or module.extension in outcomes or not _is_to_compile(module, outcomes)


def _is_to_compile(module: _Module, outcomes: Mapping[str, Outcome]) -> bool:
    return not _unreadable(module, outcomes) and not _tables(module, outcomes)


def _tables(module: _Module, outcomes: Mapping[str, Outcome]) -> str:
    """Say why a module that is mostly tables is not compiled; empty for all others."""
    outcome = outcomes.get(module.bytecode)
    values = outcome.result.facts.get("tables", "") if outcome is not None else ""
    return f"it is mostly tables ({values} values): to compile them would take long and gain nothing" if values else ""


def _forgiving(task: Task) -> Callable[[Needs], ActionResult]:
    """Return the work of a task so that a tool which dies on the module, or hangs, is a reason and not the end of the build."""

    def run(needs: Needs) -> ActionResult:
        try:
            return task.run(needs)
        except ToolError as error:
            if task.step == "bytecode":
                return ActionResult(facts={"line": "0", "column": "0", "message": error.message, "text": ""}, keep=False)
            return refusal(f"{error.message}\n{error.details}".strip(), keep=False)

    return run
