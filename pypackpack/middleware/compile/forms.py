"""The forms of a module that no compiler makes: its text, and its bytecode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import bytecode
from pypackpack.backend.tools.bytecode import SyntaxProblem
from pypackpack.middleware.compile.content import Content
from pypackpack.middleware.compile.source import source_task
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.interpreter import Interpreter


def bytecode_task(source: Source, python: Interpreter, shop: Workshop, *, checked: bool) -> Task:
    """Return the task that makes a module's bytecode, or finds out that Python cannot read the module.

    Args:
        source: The module.
        python: Of which Python.
        shop: The tools.
        checked: Whether Python compares the source's hash at import (it does not need the source otherwise).
    """
    place = source.place
    version = ".".join(map(str, python.version))

    def run(needs: Needs) -> ActionResult:
        made = shop.bytecode(python).compile(place, source.text(needs, shop), checked=checked)
        if isinstance(made, SyntaxProblem):
            facts = {"line": str(made.line), "column": str(made.column), "message": made.message, "text": made.text}
            return ActionResult(facts=facts)
        return ActionResult({"pyc": shop.store.put(made.pyc)}, {"tables": str(made.tables)} if made.tables else {})

    # Targets may have other wishes about one file's text.
    form = f" of {filesystem.sha256_bytes(source.maker)[:8]}" if source.maker else ""
    inputs = (
        ("place", place),
        ("bytecode worker", bytecode.fingerprint()),
        ("Python", python.release or version),
        ("format of bytecode", str(python.magic)),
        ("checked", str(checked)),
    )
    return source_task(
        source, f"bytecode {source.package}/{source.shown} {version}{form}", "bytecode", "bytecode-3", inputs, run, 0.01
    )


def bytecode_files(text: Content, pyc: str, python: Interpreter, *, release: bool) -> tuple[Content, ...]:
    """Return a module as bytecode: beside its text, or in a release instead of it.

    Args:
        text: Its text, by its place in the wheel.
        pyc: SHA-256 of the bytecode.
        python: Of which Python the bytecode is.
        release: Whether it stands alone.
    """
    if release:
        return (Content(f"{text.place}c", pyc),)
    folder, _, name = text.place.rpartition("/")
    cache = f"{folder}/__pycache__" if folder else "__pycache__"
    tag = f"cpython-{python.series[0]}{python.series[1]}"
    return (text, Content(f"{cache}/{name[: -len('.py')]}.{tag}.pyc", pyc))
