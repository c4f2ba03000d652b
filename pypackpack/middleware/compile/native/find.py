"""Which files of a package are extension modules, and which other files belong to them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools.toolchain import CPLUSPLUS, init_symbol
from pypackpack.middleware.compile.choice import NEVER_NATIVE, pattern
from pypackpack.middleware.compile.layers import Layers, module_name
from pypackpack.middleware.compile.native import text
from pypackpack.model.compiler_options import option_problem
from pypackpack.model.errors import SettingsError, SourceError
from pypackpack.model.project import ExtensionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

    Read = Callable[[SourceFile], bytes]

CYTHON = (".pyx", ".pxd", ".pxi")
COMPILED = (".c", *CPLUSPLUS)
HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".tcc")
INCLUDED = (*HEADERS, ".inc", ".def")
"""What C may include, besides other C."""

C_LIBRARY = frozenset({"c", "m"})
PARTS_OF_C = {
    "elf": frozenset({"pthread", "dl", "rt", "util"}),
    "macho": frozenset({"pthread", "dl", "System"}),
    "wasm": frozenset(),
}
"""By object format: what else is part of the C library, and linked with it; on Windows there are import libraries instead."""
_MACRO = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_MACRO_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
_LIBRARY = re.compile("[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class NativeModule:
    """An extension module of a package's own.

    Attributes:
        path: Its place in the import package, with ``/``, without suffix.
        main: The ``.pyx`` file, or the C file of its name; None where only settings speak of it.
        sources: Places of the C and C++ files that are compiled into it, of ``main`` too where that is one.
        settings: What is said of it, in the settings and in its own comments.
        cplusplus: Whether Cython makes C++ of it.
    """

    path: str
    main: SourceFile | None
    sources: tuple[str, ...]
    settings: ExtensionSettings
    cplusplus: bool = False

    @property
    def name(self) -> str:
        """Its dotted name below the package, as settings call it."""
        return self.path.replace("/", ".")

    @property
    def is_cython(self) -> bool:
        """Whether Cython makes its C."""
        return self.main is not None and self.main.place.endswith(".pyx")

    def libraries(self, target: Target) -> tuple[str, ...]:
        """Return the libraries that a linker is told of; those of the C library come by themselves."""
        if target.object_format != "coff":
            return ()
        return tuple(name for name in self.settings.libraries if name not in C_LIBRARY)


@dataclass(frozen=True)
class NativeSources:
    """What a package has of its own on one target.

    Attributes:
        modules: Its extension modules.
        kept: Places of files that are sources only: a release wheel does not hold them.
    """

    modules: tuple[NativeModule, ...] = ()
    kept: frozenset[str] = frozenset()


def is_native(place: str, suffixes: tuple[str, ...] = (".pyx", *COMPILED)) -> bool:
    """Tell whether a file is a native source by its name."""
    return place.endswith(suffixes)


def native_targets(packages: Iterable[Package], targets: Sequence[Target]) -> dict[str, bool]:
    """Return name of a target → whether one of the packages has extension modules of its own there.

    Raises:
        SourceError: A package has no sources, or a link among them leads nowhere.
        FilesystemError: A file cannot be read.
    """
    read = lru_cache(maxsize=None)(lambda file: filesystem.read_bytes(file.path))
    found = dict.fromkeys((target.name for target in targets), False)
    for package in packages:
        layers = Layers(package)
        for target in targets:
            settings = package.settings(target)
            named = {name for name, _ in settings.extensions}
            native = any(_is_module(file, package, named, read) for file in layers.unchecked(target))
            found[target.name] = found[target.name] or native or any(said.sources for _, said in settings.extensions)
    return found


def find(files: Sequence[SourceFile], package: Package, target: Target, read: Read) -> NativeSources:
    """Find the extension modules among the files of a package on a target.

    Args:
        files: The files.
        package: The package.
        target: The target.
        read: Gives a file's bytes.

    Raises:
        SourceError: Two files make one module, a module cannot be native, a file could belong to several modules, or a comment
            says something that is not done.
        SettingsError: The settings of a module name what is not there.
    """
    return _Finder(files, package, target, read).found()


def _is_module(file: SourceFile, package: Package, named: Iterable[str], read: Read) -> bool:
    stem, dot, suffix = file.place.rpartition(".")
    if not is_native(file.place) or not all(part.isidentifier() for part in stem.split("/")):
        return False
    if dot + suffix == ".pyx" or stem.replace("/", ".") in named:
        return True
    name = module_name(package.import_name, f"{stem}.py").rpartition(".")[2]  # of an __init__ it is the package's own
    return text.defines(init_symbol(name), text.decoded(read(file)))


class _Finder:
    """One look at the files of a package."""

    def __init__(self, files: Sequence[SourceFile], package: Package, target: Target, read: Read) -> None:
        self._files = {file.place: file for file in files}
        self._package = package
        self._target = target
        self._read = read
        build = package.settings(target)
        self._settings = dict(build.extensions)
        self._shipped = build.ship_sources
        self._modules: dict[str, NativeModule] = {}

    def found(self) -> NativeSources:
        for file in self._files.values():
            if _is_module(file, self._package, self._settings, self._read):
                self._add(file)
        for name, said in self._settings.items():
            self._add_named(name, said)
        if not self._modules:
            return NativeSources()
        self._check_twins()
        modules = self._with_sources()
        kept = {source for module in modules for source in module.sources}
        kept |= {place for place in self._files if is_native(place, (".pyx", ".pxi", *HEADERS))}
        shipped = {place for place in kept if any(pattern(each).fullmatch(place) for each in self._shipped)}
        return NativeSources(tuple(modules), frozenset(kept - shipped))

    def _key(self, name: str, key: str) -> str:
        shown = name if name.isidentifier() else f'"{name}"'
        return f"{self._package.root / 'pyproject.toml'}: tool.pypackpack.build.extension.{shown}.{key}"

    def _add(self, file: SourceFile) -> None:
        path = file.place.rpartition(".")[0]
        name = path.replace("/", ".")
        other = self._modules.get(path)
        if other is not None and other.main is not None:
            msg = f"{_shown(other.main)} and {_shown(file)} are the same module {name} on {self._target.name}"
            hint = "Keep one of them: C that Cython has made is made again, and need not lie beside its source."
            raise SourceError(msg, hint=hint)
        _check_runnable(path, _shown(file))
        settings = self._settings.get(name, ExtensionSettings())
        module = NativeModule(path, file, (), settings)
        self._modules[path] = self._commented(module) if module.is_cython else module

    def _add_named(self, name: str, said: ExtensionSettings) -> None:
        path = name.replace(".", "/")
        if path in self._modules:
            return
        sound = all(part.isidentifier() for part in name.split("."))
        if sound and not said.sources and self._elsewhere(path):
            return
        if not said.sources or not sound:
            from pypackpack.middleware.project.words import nearest  # noqa: PLC0415 - only for the error

            near = nearest(name, [module.name for module in self._modules.values()])
            msg = f"{self._key(name, 'sources')}: the package has no extension module of that name{near}"
            raise SettingsError(msg, hint=f"It is made of {path}.pyx or {path}.c, or of the files that its sources name.")
        _check_runnable(path, self._key(name, "sources"))
        self._modules[path] = NativeModule(path, None, (), said)

    def _elsewhere(self, path: str) -> bool:
        """Tell whether a layer that is not for this target has a module of that place."""
        layers = filesystem.folders_in(self._package.source)
        names = [f"{path}{suffix}" for suffix in (".pyx", *COMPILED)]
        return any((self._package.source / layer / name).is_file() for layer in layers for name in names)

    def _check_twins(self) -> None:
        for path, module in self._modules.items():
            package = self._modules.get(f"{path}/__init__")
            if package is not None:
                one, other = (_shown(each.main) if each.main else self._key(each.name, "sources") for each in (module, package))
                msg = f"{one} and {other} are the same module {module.name} on {self._target.name}"
                raise SourceError(msg, hint="Keep one of them: Python would import only one.")
            for place in (f"{path}.py", f"{path}/__init__.py", f"{path.removesuffix('/__init__')}.py"):
                twin = self._files.get(place)
                if twin is not None and place != (module.main.place if module.main else ""):
                    mine = _shown(module.main) if module.main else self._key(module.name, "sources")
                    msg = f"{_shown(twin)} and {mine} are the same module {module.name} on {self._target.name}"
                    raise SourceError(msg, hint="Keep one of them: Python would import only one.")

    def _with_sources(self) -> list[NativeModule]:
        mains = {module.main.place for module in self._modules.values() if module.main is not None}
        free = [place for place in self._files if is_native(place, COMPILED) and place not in mains]
        owned: dict[str, list[str]] = {path: [] for path in self._modules}
        taken: set[str] = set()
        for path, module in self._modules.items():
            for word in module.settings.sources or ():
                matching = [place for place in free if pattern(word).fullmatch(place)]
                if not matching:
                    msg = f'{self._key(module.name, "sources")}: "{word}" is no C or C++ file of {self._target.name}'
                    raise SettingsError(msg, hint="Give paths below the package, as src/main has them; * and ** are for many.")
                owned[path] += matching
                taken.update(matching)
            self._check_folders(module)
            self._check_libraries(module)
        rest = [place for place in free if place not in taken]
        included = self._included() if rest else frozenset()
        for place in rest:
            owner = None if place in included else self._owner(place)
            if owner is not None:
                owned[owner].append(place)
        return [self._finished(module, owned[path]) for path, module in sorted(self._modules.items())]

    def _finished(self, module: NativeModule, owned: Iterable[str]) -> NativeModule:
        own = [] if module.main is None or module.is_cython else [module.main.place]
        sources = tuple(dict.fromkeys([*own, *sorted(owned)]))
        made = f"{module.path}{'.cpp' if module.cplusplus else '.c'}"
        if module.is_cython and module.main is not None and made in sources:
            msg = f"{_shown(self._files[made])} has the name of what Cython makes of {_shown(module.main)}"
            hint = "Rename one of them; if Cython has made it, remove it: it is made again, and need not lie there."
            raise SourceError(msg, hint=hint)
        return replace(module, sources=sources)

    def _check_folders(self, module: NativeModule) -> None:
        for word in module.settings.include:
            folder = posixpath.normpath(word)
            if folder != "." and not any(place.startswith(f"{folder}/") for place in self._files):
                msg = f'{self._key(module.name, "include")}: the package has no folder "{word}" on {self._target.name}'
                raise SettingsError(msg, hint="Give folders below the package, as src/main has them.")

    def _check_libraries(self, module: NativeModule) -> None:
        known = PARTS_OF_C.get(self._target.object_format)
        for name in module.settings.libraries:
            if name in C_LIBRARY or (name not in PARTS_OF_C["elf"] if known is None else name in known):
                continue
            msg = f"{self._key(module.name, 'libraries')}: {name} is no part of {self._target.name}'s system"
            hint = "A wheel that needs it would not run wherever its tag says: put its sources into the package."
            raise SettingsError(msg, hint=hint)

    def _owner(self, place: str) -> str | None:
        """Return the module that a C file belongs to which nobody speaks of: the one of the nearest folder that has any."""
        folder = posixpath.dirname(place)
        while True:
            near = [
                path
                for path, module in self._modules.items()
                if posixpath.dirname(path) == folder and module.main is not None and module.settings.sources is None
            ]
            if len(near) > 1:
                names = ", ".join(sorted(path.replace("/", ".") for path in near))
                msg = f"{_shown(self._files[place])} is no extension module, and could belong to several: {names}"
                hint = "Say which: `sources` in [tool.pypackpack.build.extension.<name>]; with an empty list a module takes none."
                raise SourceError(msg, hint=hint)
            if near:
                return near[0]
            if not folder:
                return None
            folder = posixpath.dirname(folder)

    def _included(self) -> frozenset[str]:
        """Return the files that others include: these are not compiled by themselves."""
        found = set()
        for place, file in self._files.items():
            if is_native(place, (*COMPILED, *INCLUDED)):
                for name in text.includes(text.decoded(self._read(file))):
                    if name is not None:
                        found.add(posixpath.normpath(posixpath.join(posixpath.dirname(place), name)))
        return frozenset(found)

    def _commented(self, module: NativeModule) -> NativeModule:
        """Return a module with what its ``# distutils:`` comments say; what the settings say comes after that."""
        cplusplus = False
        said = ExtensionSettings()
        sources: list[str] = []
        for place in (f"{module.path}.pyx", f"{module.path}.pxd"):
            file = self._files.get(place)
            if file is None:
                continue
            try:
                comments = list(text.distutils_comments(text.decoded(self._read(file))))
            except ValueError as error:
                msg = f"{file.path}:{error}: a quotation in this comment is not closed"
                raise SourceError(msg, hint="Close it, or take the comment out.") from None
            for line, key, values in comments:
                where = f"{file.path}:{line}"
                if key == "language":
                    cplusplus = _language(values, where)
                elif key == "sources":
                    sources += [self._near(module, value, where) for value in values]
                else:
                    said = self._said(said, key, values, where, module)
        settings = module.settings
        if settings.sources is None and sources:
            settings = replace(settings, sources=tuple(sources))
        merged = replace(
            settings,
            include=(*said.include, *settings.include),
            define=tuple(sorted({**dict(said.define), **dict(settings.define)}.items())),
            options=(*said.options, *settings.options),
            libraries=(*said.libraries, *settings.libraries),
        )
        return replace(module, settings=merged, cplusplus=cplusplus)

    def _said(
        self, said: ExtensionSettings, key: str, values: Sequence[str], where: str, module: NativeModule
    ) -> ExtensionSettings:
        if key == "depends":
            return said  # what it includes is found anyway
        if key == "include_dirs":
            return replace(said, include=(*said.include, *(self._near(module, value, where) for value in values)))
        if key == "libraries":
            _check_words(values, _LIBRARY, key, where)
            return replace(said, libraries=(*said.libraries, *values))
        if key == "define_macros":
            pairs = [value.partition("=")[::2] for value in values]
            _check_words([name for name, _ in pairs], _MACRO, key, where)
            _check_words([value for _, value in pairs], _MACRO_TEXT, key, where)
            return replace(said, define=(*said.define, *pairs))
        if key == "extra_compile_args":
            for value in values:
                if problem := option_problem(value):
                    msg = f'{where}: extra_compile_args has "{value}": {problem}'
                    raise SourceError(msg, hint="Take it out of the comment.")
            return replace(said, options=(*said.options, *values))
        msg = f'{where}: "# distutils: {key}" is not done here; known are {", ".join(sorted(text.KNOWN_TO_DISTUTILS))}'
        raise SourceError(msg, hint="Take the comment out, or say it in [tool.pypackpack.build.extension.<name>].")

    def _near(self, module: NativeModule, word: str, where: str) -> str:
        """Return the place of a file or folder that a comment names: from its own folder on, or from the package."""
        for start in (posixpath.dirname(module.path), ""):
            place = posixpath.normpath(posixpath.join(start, word))
            if start == "" and place.startswith(f"{self._package.import_name}/"):
                place = place.partition("/")[2]
            if place == "." or place in self._files or any(each.startswith(f"{place}/") for each in self._files):
                return place
        msg = f'{where}: the package has no "{word}"'
        raise SourceError(msg, hint="Paths in comments are relative to the source's folder, or to the package.")


def _check_runnable(path: str, shown: str) -> None:
    if path.rpartition("/")[2] in NEVER_NATIVE:
        msg = f"{shown} cannot be an extension module: `python -m` runs a module's code, which it does not have"
        raise SourceError(msg, hint="Write __main__.py, and let it import the extension module.")


def _check_words(words: Sequence[str], shape: re.Pattern[str], key: str, where: str) -> None:
    for word in words:
        if not shape.fullmatch(word):
            msg = f'{where}: {key} has "{word}", which cannot be used as it stands there'
            raise SourceError(msg, hint="Take it out of the comment.")


def _language(values: Sequence[str], where: str) -> bool:
    word = " ".join(values)
    if word.lower() not in {"c", "c++"}:
        msg = f'{where}: the language is c or c++, and not "{word}"'
        raise SourceError(msg, hint="Say language = c++, or take the comment out.")
    return word.lower() == "c++"


def by_place(files: Iterable[SourceFile], suffixes: tuple[str, ...]) -> Mapping[str, SourceFile]:
    """Return place → file of those with one of the suffixes."""
    return {file.place: file for file in files if file.place.endswith(suffixes)}


def _shown(file: SourceFile) -> str:
    return f"src/{file.layer}/{file.place}"
