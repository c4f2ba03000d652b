"""What turns Python modules into C: one file per compiler behind one interface.

A compiler of this kind (Cython, Nuitka …) makes C once for all targets between which it sees no difference; it is compiled for
each. What its C wants to be told of a target when it is compiled, it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pypackpack.middleware.compile.transcompile.cython import CythonCompiler
from pypackpack.middleware.compile.transcompile.mypyc import MypycCompiler
from pypackpack.middleware.compile.transcompile.nuitka import NuitkaCompiler, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import PythonVersion, Target


class Transcompiler(Protocol):
    """Makes C of modules."""

    name: str
    """As in ``[tool.pypackpack.build] compiler``."""

    @property
    def version(self) -> str:
        """The version of the compiler that is in use, as the report in a wheel says it."""

    def task(self, source: Source, python: Interpreter, target: Target) -> Task:
        """Return the task that makes the C of a module.

        Its name says what the C depends on: without the Python in it, all Pythons share it, and so do targets. Its result is a
        `model.csource.CSource`, or a refusal: a fact ``refused`` with the reason, one line for each place.
        """

    def headers(self, target: Target, python: Interpreter) -> tuple[HeaderFolder, ...]:
        """Return the compiler's own header folders, which its C includes; these come before Python's."""

    def defines(self, target: Target, python: Interpreter) -> tuple[tuple[str, str], ...]:
        """Return the macros that its C wants on a target: name and value."""

    def options(self, target: Target) -> tuple[str, ...]:
        """Return the words for the C compiler that its C wants on a target."""

    def runtime(self, package: str, python: Interpreter) -> tuple[Task, float] | None:
        """Return the task of the C that all modules have in common, and seconds to compile it; None if they have none.

        Its result is a `model.csource.CSource` with one source, or a refusal. Where the C of a module has a file of the same path
        and other content, that module is compiled with a runtime of its own. Modules that are joined in one extension module also
        link, once, what its `model.csource.CSource.member` becomes.
        """


COMPILERS: Mapping[str, Callable[[Workshop], Transcompiler]] = {
    "cython": CythonCompiler,
    "mypyc": MypycCompiler,
    "nuitka": NuitkaCompiler,
}
"""Every compiler, by its name in the settings."""

FOR_DEPENDENCIES: Mapping[str, str] = {"mypyc": "cython"}
"""What compiles dependencies instead of a compiler that changes what code means, which is for its author to choose."""


def prepare(shop: Workshop, names: Iterable[str]) -> None:
    """Let the compilers that will be needed load themselves in the background, where that takes long."""
    if "cython" in names:
        shop.cython.prepare()


WHY_NOT: Mapping[str, Callable[[Target, PythonVersion], str]] = {"nuitka": why_not}
"""By the name of a compiler what says why its C cannot be compiled for a target and a Python X.Y; empty when it can."""
