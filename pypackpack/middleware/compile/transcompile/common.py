"""What the tasks of all transcompilers have in common: the guard before them, refusals, the C that all modules link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.tools import bytecode
from pypackpack.middleware.compile.source import source_task
from pypackpack.middleware.graph.task import Task
from pypackpack.model.csource import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pypackpack.backend.tools.bytecode import Examined
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.transcompile import Transcompiler
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.action import ActionResult
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import Target

Input = tuple[str, str]


def refused_at(place: str, lines: Iterable[str]) -> ActionResult:
    """Return the refusal of a module.

    Args:
        place: Where it lies.
        lines: Each with line, column and reason: ``3:0: reason``.
    """
    return refusal("\n".join(f"{place}:{line}" for line in lines))


def module_task(
    shop: Workshop,
    compiler: Transcompiler,
    python: Interpreter,
    source: Source,
    made_by: Input,
    inputs: tuple[Input, ...],
    variant: str,
    kind: str,
    make: Callable[[bytes, Examined], ActionResult],
    cost: float,
) -> Task:
    """Return the task that makes the C of a module, unless the guard refuses it for that compiler.

    Args:
        shop: The workshop.
        compiler: What makes it.
        python: The Python that reads the source for the guard.
        source: The module.
        made_by: Name and fingerprint of the compiler, for the key.
        inputs: What decides the C besides that, the source and the guard.
        variant: What tells the task's name from those of the same module for others.
        kind: What function this is, with its version.
        make: Takes the source's bytes and what the guard found, and returns a `model.csource.CSource` or a refusal.
        cost: Rough seconds.
    """

    def run(needs: Needs) -> ActionResult:
        data = source.text(needs, shop)
        seen = shop.bytecode(python).examine(data, compiler.name, compiler.version)
        return refused_at(source.place, bytecode.places(seen.refused)) if seen.refused else make(data, seen)

    name = f"transcompile {source.package}/{source.shown}{variant}"
    decides = (("place", source.place), made_by, ("guard", bytecode.examiner()), *inputs)
    return source_task(source, name, "transcompile", kind, decides, run, cost)


def runtime_task(
    package: str, compiler: str, variant: str, kind: str, inputs: tuple[Input, ...], make: Callable[[], ActionResult], cost: float
) -> Task:
    """Return the task of the C that all modules of a compiler link.

    Args:
        package: For which package.
        compiler: Its name.
        variant: What tells the task's name from those for others.
        kind: What function this is, with its version.
        inputs: What decides the C.
        make: Returns a `model.csource.CSource` or a refusal.
        cost: Rough seconds.
    """
    label = f"{compiler} runtime"
    return Task(
        name=f"transcompile {package}/{label}{variant}",
        package=package,
        target="",
        step="transcompile",
        kind=kind,
        inputs=inputs,
        run=lambda _needs: make(),
        cost=cost,
        label=label,
        asked=(package,),
    )


def hiding(target: Target) -> tuple[str, ...]:
    """Return the words that keep the names of a compiler's library within a module; Windows shows no names by itself."""
    return () if target.object_format == "coff" else ("-fvisibility=hidden",)
