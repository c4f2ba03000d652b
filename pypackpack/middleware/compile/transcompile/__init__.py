"""What turns Python modules into C: one file per compiler behind one interface.

A compiler of this kind (Cython, Nuitka …) never sees a target: its C is made once and compiled for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pypackpack.middleware.compile.transcompile.cython import CythonCompiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.interpreter import Interpreter


class Transcompiler(Protocol):
    """Makes C of modules."""

    name: str
    """As in ``[tool.pypackpack.build] compiler``."""

    @property
    def version(self) -> str:
        """The version of the compiler that is in use, as the report in a wheel says it."""

    def task(self, source: Source, python: Interpreter) -> Task:
        """Return the task that makes the C of a module.

        Its name says what the C depends on: without the Python in it, all Pythons share it. Its result is a
        `model.csource.CSource`, or a refusal: a fact ``refused`` with the reason, one line for each place.
        """

    def headers(self, python: Interpreter) -> tuple[HeaderFolder, ...]:
        """Return the compiler's own header folders, which its C includes."""


COMPILERS: Mapping[str, Callable[[Workshop], Transcompiler]] = {"cython": CythonCompiler}
"""Every compiler, by its name in the settings."""


def prepare(shop: Workshop, names: Iterable[str]) -> None:
    """Let the compilers that will be needed load themselves in the background, where that takes long."""
    if "cython" in names:
        shop.cython.prepare()
