"""Cython: the C of a module, the same for all targets and Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.tools import cython
from pypackpack.middleware.compile.transcompile.common import module_task, refused_at
from pypackpack.model.csource import CSource

if TYPE_CHECKING:
    from pypackpack.backend.tools.bytecode import Examined
    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.action import ActionResult
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import Target

SECONDS_PER_BYTE = 1 / 40_000


class CythonCompiler:
    """Cython as a `transcompile.Transcompiler`."""

    name = "cython"

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    @property
    def version(self) -> str:
        """The version of the installed Cython."""
        return cython.version()

    def task(self, source: Source, python: Interpreter, _target: Target) -> Task:
        """Return the task that makes the C of a module, whichever of the Pythons looks into the source first."""
        shop, place, beside = self._shop, source.place, source.beside

        def make(data: bytes, seen: Examined) -> ActionResult:
            declared = {path: shop.read(each) for path, each in beside.declarations}
            made = shop.cython.transcompile(place, source.name, data, seen.trailer, declared, beside.packages)
            if made.c is None:
                return refused_at(place, made.errors)
            file = f"{place.removesuffix('.py')}.c"
            headers = {path: shop.store.put(shop.read(each)) for path, each in beside.headers}
            return CSource({file: shop.store.put(made.c), **headers}, (file,), beside.folders).result()

        made_by, inputs = ("Cython", cython.fingerprint()), (("module", source.name), *beside.inputs)
        cost = 0.1 + source.size * SECONDS_PER_BYTE
        kind = "transcompile-cython-5"
        return module_task(shop, self, python, source, made_by, inputs, beside.variant, kind, make, cost)

    def headers(self, _target: Target, _python: Interpreter) -> tuple[HeaderFolder, ...]:
        """Return nothing: its C needs Python's headers only."""
        return ()

    def defines(self, _target: Target, _python: Interpreter) -> tuple[tuple[str, str], ...]:
        """Return that constant strings stay as they are: packed, the whole table is another one after a change, in each patch."""
        return (("CYTHON_COMPRESS_STRINGS", "0"),)

    def options(self, _target: Target) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def runtime(self, _package: str, _python: Interpreter) -> None:
        """Return nothing: each module brings all that it needs."""
