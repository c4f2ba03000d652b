"""A module's source, as compilers and what makes bytecode get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.middleware.graph.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.action import ActionResult

TEXT = "text"
"""Output of the task that makes a source's text, where it is not the file's own."""


@dataclass(frozen=True)
class Beside:
    """What a compiler may look at beside a module: declarations of types (Cython's ``.pxd``), and C headers.

    Attributes:
        declarations: Place below site-packages → file.
        headers: Path for a C compiler → file.
        folders: Folders of headers in which ``#include`` looks.
        packages: Folders that are packages, as far as they matter.
        inputs: What a key has of all that.
        variant: What parts the names of tasks that see other files.
    """

    declarations: tuple[tuple[str, SourceFile], ...] = ()
    headers: tuple[tuple[str, SourceFile], ...] = ()
    folders: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    variant: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Where all of it stands."""
        return tuple(place for place, _ in (*self.declarations, *self.headers))


@dataclass(frozen=True)
class Source:
    """A file as it was when it was planned.

    Attributes:
        file: Where it is.
        package: Name of the package that it belongs to, as its person wrote it; of a dependency its name and version.
        place: Its place below site-packages, with ``/``.
        name: Its module's full name.
        digest: SHA-256 of its bytes.
        size: Its bytes.
        maker: Name of the task whose result its text is, where that is not the file's own.
        beside: What Cython may look at for it besides.
    """

    file: SourceFile
    package: str
    place: str
    name: str
    digest: str
    size: int
    maker: str = ""
    beside: Beside = Beside()

    @property
    def shown(self) -> str:
        """What a person knows it by: its path in the package's folder, or where a dependency has it."""
        return f"src/{self.file.layer}/{self.file.place}" if self.file.layer else self.place

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the tasks that a task which reads its text needs."""
        return (self.maker,) if self.maker else ()

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """What such a task has of it among its inputs; the text that another task makes is in the key by itself."""
        return () if self.maker else ((self.shown, self.digest),)

    def text(self, needs: Needs, shop: Workshop) -> bytes:
        """Return its text.

        Raises:
            ConflictError: The file was changed since it was planned.
            LostError: The cache lost what the task had made.
        """
        if not self.maker:
            return shop.read(self.file)
        return shop.stored(needs[self.maker].outputs[TEXT], f"the text of {self.place}")


def source_task(
    source: Source,
    name: str,
    step: str,
    kind: str,
    inputs: tuple[tuple[str, str], ...],
    run: Callable[[Needs], ActionResult],
    cost: float,
) -> Task:
    """Return a task that reads a source, which targets share.

    Args:
        source: What it reads.
        name: Its name.
        step: What it does, in a word.
        kind: What function this is, with its version.
        inputs: What decides its result besides the source's text.
        run: The work.
        cost: Rough seconds.
    """
    return Task(
        name=name,
        package=source.package,
        target="",
        step=step,
        kind=kind,
        inputs=(*source.inputs, *inputs),
        needs=source.needs,
        run=run,
        cost=cost,
        label=source.place,
        asked=(source.package,),
    )
