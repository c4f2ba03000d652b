"""Nuitka: the C of a module, made by the Python that it is for, and the same for every target of that Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack.data
from pypackpack.backend.tools import headers, nuitka, nuitka_text
from pypackpack.middleware.compile.transcompile.common import hiding, module_task, runtime_task
from pypackpack.middleware.compile.workshop import PYCONFIG
from pypackpack.model.csource import CSource, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.backend.tools.bytecode import Examined
    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.action import ActionResult
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import PythonVersion, Target

SECONDS = 2.5
SECONDS_PER_BYTE = 1 / 10_000
RUNTIME_SECONDS = 12.0

RUNTIME = "nuitka_runtime.c"
_SHARED = "__constants.h"
"""What a module's C and the runtime's have in common: where the constants stand that Nuitka itself uses."""

EMSCRIPTEN = Path(pypackpack.data.__path__[0]) / "nuitka_emscripten"
"""What Nuitka's C needs of Emscripten's headers besides those that are there for all."""

_BIG_ENDIAN = frozenset({"s390x"})


def why_not(target: Target, python: PythonVersion) -> str:
    """Return why Nuitka's C cannot be compiled for a target and a Python X.Y; empty when it can."""
    del python
    if target.arch in _BIG_ENDIAN:
        return "has another byte order than Nuitka writes its constants in"
    return ""


def adapts(target: Target, python: PythonVersion) -> bool:
    """Tell whether modules are compiled with the internal headers of Python as Nuitka changes them.

    With them a module finds its way in interpreters of other micro versions, and built with other options, than the headers are
    of. As ``_shallCreateAdaptedPythonHeaderFiles`` of Nuitka has it for modules and for zig.
    """
    if python >= (3, 14):
        return target.family != "windows"
    return python >= (3, 13) and target.family == "linux"


class NuitkaCompiler:
    """Nuitka as a `transcompile.Transcompiler`."""

    name = "nuitka"

    def __init__(self, shop: Workshop) -> None:
        """Take a workshop.

        Raises:
            MissingToolError: Nuitka is not there, or not of a version that was tried.
        """
        nuitka.find()
        self._shop = shop
        self._headers: dict[tuple[str, Interpreter], tuple[HeaderFolder, ...]] = {}

    @property
    def version(self) -> str:
        """The version of the installed Nuitka."""
        return nuitka.find().version

    def task(self, source: Source, python: Interpreter, _target: Target) -> Task:
        """Return the task that makes the C of a module."""
        shop, place = self._shop, source.place

        def make(data: bytes, _seen: Examined) -> ActionResult:
            made = self._generate(python, place, data)
            if made.reason:
                return refusal(f"{place}:0:0: {made.reason}", keep=made.lasting)
            files = {f"nuitka/{path}": shop.store.put(data) for path, data in made.files.items()}
            member = "" if made.apart else f"nuitka/{nuitka_text.MEMBER}"
            sources = tuple(f"nuitka/{path}" for path in made.sources)
            return CSource(files, sources, ("nuitka",), member=member, apart=made.apart).result()

        made_by, *inputs = self._inputs(python)
        variant, cost = f" nuitka {'.'.join(map(str, python.version))}", SECONDS + source.size * SECONDS_PER_BYTE
        kind = "transcompile-nuitka-3"
        return module_task(shop, self, python, source, made_by, tuple(inputs), variant, kind, make, cost)

    def runtime(self, package: str, python: Interpreter) -> tuple[Task, float]:
        """Return the task of the C that every module links: nine tenths of the work of compiling a small one."""
        shop = self._shop

        def make() -> ActionResult:
            made = self._generate(python, "empty.py", b"")
            if made.reason:
                return refusal(f"an empty module: {made.reason}", keep=False)
            files = {f"nuitka/{_SHARED}": made.files[_SHARED], RUNTIME: b'#include "CompiledFunctionType.c"\n'}
            member, apart = f"nuitka/{nuitka_text.START}", ""
            try:
                start = nuitka_text.start(made.files, "module.empty.c")
                files |= {f"nuitka/{path}": data for path, data in start.items()}
            except nuitka_text.ApartError as error:
                member, apart = "", str(error)
            kept = {path: shop.store.put(data) for path, data in files.items()}
            return CSource(kept, (RUNTIME,), ("nuitka",), member=member, apart=apart).result()

        variant = f" {'.'.join(map(str, python.version))}"
        task = runtime_task(package, self.name, variant, "runtime-nuitka-2", self._inputs(python), make, cost=SECONDS)
        return task, RUNTIME_SECONDS

    def _inputs(self, python: Interpreter) -> tuple[tuple[str, str], ...]:
        return (
            ("Nuitka", nuitka.fingerprint()),
            ("Python", python.release or ".".join(map(str, python.version))),
            ("host", python.platform),
        )

    def _generate(self, python: Interpreter, place: str, source: bytes) -> nuitka.Generated:
        with self._shop.folder() as folder:
            return nuitka.generate(python, place, source, folder, self._shop.cache)

    def headers(self, target: Target, python: Interpreter) -> tuple[HeaderFolder, ...]:
        """Return Nuitka's own folders, and Python's internal headers where they are to be others than the installed ones."""
        key = (target.name, python)
        if key not in self._headers:
            self._headers[key] = self._make_headers(target, python)
        return self._headers[key]

    def _make_headers(self, target: Target, python: Interpreter) -> tuple[HeaderFolder, ...]:
        shop, record = self._shop, Path(nuitka.find().record)
        folders = [(folder, record) for folder in nuitka.folders()]
        if target.family == "emscripten":
            folders.insert(0, (EMSCRIPTEN, EMSCRIPTEN / "bits" / "stat.h"))
        if python.series >= (3, 13):
            folders.append((python.include / "internal" / "mimalloc", python.include / "patchlevel.h"))
        internal = self._internal(target, python)
        return (
            *([shop.kept(internal)] if internal is not None else []),
            *(
                shop.kept(lambda cache, look, each=each: headers.installed_folder(*each, cache, look=look))  # type: ignore[misc]
                for each in folders
            ),
        )

    def _internal(self, target: Target, python: Interpreter) -> Callable[[Path, bool], HeaderFolder] | None:
        """Return what makes the folder of Python's internal headers for a target, if it is not to see the installed ones."""
        from pypackpack.middleware.compile import pyconfig  # noqa: PLC0415 - import cost

        adapted = adapts(target, python.series)
        amendments = pyconfig.header_amendments(target.name, python.series)
        if not adapted and not amendments:
            return None

        def texts() -> dict[str, str]:
            if adapted:
                with self._shop.folder() as folder:
                    found = nuitka.adapted_headers(python, folder, self._shop.cache)
            else:
                found = headers.internal_headers(python)
            for amendment in amendments:
                found[amendment.file] = pyconfig.amended(found[amendment.file], amendment)
            return found

        facts = f"internal {target.name} {adapted} {python.include} {nuitka.fingerprint() if adapted else ''}"
        sources = (python.include / "patchlevel.h", *PYCONFIG)
        return lambda cache, look: headers.noted_folder(facts, sources, texts, cache, look=look)

    def defines(self, target: Target, python: Interpreter) -> tuple[tuple[str, str], ...]:
        """Return the macros that Nuitka's own build gives."""
        found = nuitka.macros(python.series)
        if adapts(target, python.series):
            found = (*found, ("_NUITKA_ADAPTED_PYTHON_HEADERS", "1"))
        return (*found, ("NUITKA_SENDFILE_FALLBACK", "1")) if target.family == "emscripten" else found

    def options(self, target: Target) -> tuple[str, ...]:
        """Return what Nuitka's own build tells compilers besides."""
        return hiding(target)
