"""mypyc: the C of a typed module, made for one Python X.Y, one platform and one size of pointers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend.tools import headers, mypyc
from pypackpack.middleware.compile.transcompile.common import hiding, module_task, refused_at, runtime_task
from pypackpack.middleware.target.table import parts_of
from pypackpack.model.csource import CSource

if TYPE_CHECKING:
    from pypackpack.backend.tools.bytecode import Examined
    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.action import ActionResult
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import PythonVersion, Target

SECONDS = 1.0
SECONDS_PER_BYTE = 1 / 20_000
RUNTIME_SECONDS = 3.0

RUNTIME = "mypyc_runtime.c"


def _size(target: Target, python: PythonVersion) -> int:
    """Return the bytes of a ``size_t`` on a target; the parts of one that is put together from others agree on it."""
    from pypackpack.middleware.compile.pyconfig import size_of_size_t  # noqa: PLC0415 - import cost, only where mypyc is chosen

    return size_of_size_t(parts_of(target)[0].name, python)


class MypycCompiler:
    """mypyc as a `transcompile.Transcompiler`."""

    name = "mypyc"

    def __init__(self, shop: Workshop) -> None:
        """Take a workshop.

        Raises:
            MissingToolError: mypy is not there, or not of a version that was tried.
        """
        mypyc.find()
        self._shop = shop

    @property
    def version(self) -> str:
        """The version of the installed mypy, which mypyc is a part of."""
        return mypyc.find().version

    def task(self, source: Source, python: Interpreter, target: Target) -> Task:
        """Return the task that makes the C of a module; targets of one platform and size share it."""
        shop, place, platform = self._shop, source.place, target.sys_platform
        machine = mypyc.Machine(python.series, _size(target, python.series))

        def make(data: bytes, _seen: Examined) -> ActionResult:
            made = shop.mypyc(machine).generate(place, source.name, data, platform)
            if not made.files:
                return refused_at(place, made.errors)
            folder = f"mypyc/{place.removesuffix('.py')}"
            files = {f"{folder}/{name}": shop.store.put(each) for name, each in made.files.items()}
            return CSource(files, (f"{folder}/{made.source}",), (folder,)).result()

        series = ".".join(map(str, python.series))
        made_by = ("mypyc", mypyc.fingerprint())
        inputs = (
            ("module", source.name),
            ("Python", series),
            ("platform", platform),
            ("bytes of a pointer", str(machine.size)),
        )
        variant, cost = f" mypyc {series} {platform}-{machine.size * 8}", SECONDS + source.size * SECONDS_PER_BYTE
        kind = "transcompile-mypyc-1"
        return module_task(shop, self, python, source, made_by, inputs, variant, kind, make, cost)

    def runtime(self, package: str, python: Interpreter) -> tuple[Task, float]:
        """Return the task of the C that every module links: it includes what lies in mypyc's own folder."""
        del python
        shop = self._shop

        def make() -> ActionResult:
            return CSource({RUNTIME: shop.store.put(mypyc.runtime())}, (RUNTIME,)).result()

        inputs = (("mypyc", mypyc.fingerprint()), ("files", " ".join(mypyc.RUNTIME_FILES)))
        return runtime_task(package, self.name, "", "runtime-mypyc-1", inputs, make, cost=0.01), RUNTIME_SECONDS

    def headers(self, _target: Target, _python: Interpreter) -> tuple[HeaderFolder, ...]:
        """Return mypyc's own folder."""
        folder, record = mypyc.library(), Path(mypyc.find().record)
        return (self._shop.kept(lambda cache, look: headers.installed_folder(folder, record, cache, look=look)),)

    def defines(self, _target: Target, _python: Interpreter) -> tuple[tuple[str, str], ...]:
        """Return nothing."""
        return ()

    def options(self, target: Target) -> tuple[str, ...]:
        """Return what keeps the names of its library within a module."""
        return hiding(target)
