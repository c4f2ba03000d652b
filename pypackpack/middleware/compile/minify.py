"""Smaller modules: a task for each, whose result is the text that goes on instead of the file's own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.backend.tools import minifier
from pypackpack.middleware.compile.source import TEXT, source_task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Minified
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Minify

STEP = "minify"


def minify_task(source: Source, wanted: Minify, python: Interpreter, shop: Workshop) -> Task:
    """Return the task that makes a module smaller.

    Its result always has a text: the file's own, with the fact ``kept``, where the module stays as it is.
    """
    words = ", ".join(f"{name} {value}" for name, value in sorted(asdict(wanted).items()))

    def run(needs: Needs) -> ActionResult:
        data = source.text(needs, shop)
        try:
            made = shop.minifier(python).minify(data, wanted)
        except ToolError as error:  # it died on this module, or took too long
            return ActionResult({TEXT: shop.store.put(data)}, {"kept": error.message, "size": str(len(data))}, keep=False)
        text = data if made.text is None else made.text
        facts = {"size": str(len(text)), **({"kept": made.kept} if made.kept else {})}
        return ActionResult({TEXT: shop.store.put(text)}, facts)

    series = ".".join(map(str, python.series))
    inputs = (("minifier", minifier.fingerprint()), ("options", words), ("Python", python.release or series))
    return source_task(source, f"minify {source.package}/{source.shown} {series} ({words})", STEP, "minify-1", inputs, run, 0.05)


@dataclass(frozen=True)
class Text:
    """What became of a module that stays Python: its name, the bytes of its file, and what its task left behind."""

    module: str
    before: int
    made: ActionResult


def total(package: str, texts: Iterable[Text]) -> Minified:
    """Return what became of the sizes of some modules of a package, or of a dependency."""
    every = tuple(texts)
    kept = dict.fromkeys((each.module, reason) for each in every if (reason := each.made.facts.get("kept", "")))
    before, after = sum(each.before for each in every), sum(int(each.made.facts["size"]) for each in every)
    return Minified(package, len(every), before, after, tuple(kept))


def minified(source: Source, task: Task) -> Source:
    """Return a source whose text is what a `minify_task` made of it."""
    return replace(source, maker=task.name)
