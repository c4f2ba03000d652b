"""The tools of one build: opened once, shared by its tasks, closed at its end."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack.data
from pypackpack.backend import filesystem
from pypackpack.backend.digests import FileDigests
from pypackpack.backend.store import Store
from pypackpack.backend.tools import headers
from pypackpack.backend.tools.bytecode import Bytecode
from pypackpack.backend.tools.cython import Cython
from pypackpack.backend.tools.pyx import Pyx
from pypackpack.middleware.cache import SCRATCH, in_use, settle
from pypackpack.middleware.dependency.vendored import vendor_folder
from pypackpack.model.errors import ConflictError, LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pypackpack.backend.remote_cache import RemoteCache
    from pypackpack.backend.tools.headers import HeaderFolder
    from pypackpack.backend.tools.minifier import Minifier
    from pypackpack.backend.tools.mypyc import Machine, Mypyc
    from pypackpack.backend.tools.toolchain import Toolchain
    from pypackpack.backend.tools.zig import Zig
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.toolchains import Choice
    from pypackpack.middleware.graph.schedule import Distant
    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Project
    from pypackpack.model.target import Target


PYCONFIG = (Path(__file__).parent / "pyconfig.py", Path(pypackpack.data.__path__[0]) / "pyconfig.toml")
"""What a pyconfig.h is made from."""


class Workshop:
    """What tasks reach the world through.

    With ``look`` it is for looking at what is known: nothing is written, and the remote cache is not asked.
    """

    def __init__(
        self, project: Project, scratch: Path, cache: Path, *, offline: bool, watcher: Watcher, look: bool = False
    ) -> None:
        self._closing = contextlib.ExitStack()
        self._look = look
        self._remote = _remote(project, offline=offline, watcher=watcher)
        self.store = Store(cache, signers=self._remote.signers if self._remote else (), far=None if look else self._remote)
        self.digests = FileDigests(cache, project.root)
        self.watcher = watcher
        self.distant: Distant | None = None if look else self._remote
        if self._remote is not None and not look:
            self._remote.attach(self.store)
            self._closing.callback(self._remote.close)
        self.cache = cache
        self._scratch = scratch
        self._offline = offline
        self._vendor = vendor_folder(project)
        self._lock = threading.Lock()
        self.cython = self._closing.enter_context(Cython(scratch))
        self.pyx = self._closing.enter_context(Pyx(scratch))
        self._bytecode: dict[Interpreter, Bytecode] = {}
        self._minifiers: dict[Interpreter, Minifier] = {}
        self._mypyc: dict[Machine, Mypyc] = {}
        self._zig: Zig | None = None
        self._headers: dict[Interpreter, HeaderFolder] = {}
        self._header_lock = threading.Lock()
        self._sound: set[HeaderFolder] = set()
        self._makers: dict[HeaderFolder, Callable[[], HeaderFolder]] = {}
        self._pyconfig: dict[tuple[str, tuple[int, int], str], tuple[HeaderFolder, ...]] = {}

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Open a fresh folder for one task; it is gone behind the block.

        Raises:
            FilesystemError: It cannot be made.
        """
        with filesystem.scratch_folder(self._scratch) as place:
            yield place

    def stored(self, digest: str, what: str, work: str = "compiled") -> bytes:
        """Return the bytes that a task left behind.

        Args:
            digest: SHA-256 of them.
            what: What they are, for an error.
            work: What was being done with it, for an error.

        Raises:
            LostError: The cache has them no more.
        """
        data = self.store.read(digest)
        if data is None:
            msg = f"the cache lost {what} while it was being {work}"
            raise LostError(msg, digest=digest)
        return data

    def bytecode(self, python: Interpreter) -> Bytecode:
        """Return the bytecode makers of an interpreter."""
        with self._lock:
            if python not in self._bytecode:
                self._bytecode[python] = self._closing.enter_context(Bytecode(python))
            return self._bytecode[python]

    def minifier(self, python: Interpreter) -> Minifier:
        """Return what makes modules smaller, on an interpreter."""
        with self._lock:
            if python not in self._minifiers:
                from pypackpack.backend.tools.minifier import Minifier  # noqa: PLC0415 - only when it is wished for

                self._minifiers[python] = self._closing.enter_context(Minifier(python))
            return self._minifiers[python]

    def mypyc(self, machine: Machine) -> Mypyc:
        """Return what makes C of typed modules, for a kind of machine."""
        with self._lock:
            if machine not in self._mypyc:
                from pypackpack.backend.tools.mypyc import Mypyc  # noqa: PLC0415 - only when it is wished for

                self._mypyc[machine] = self._closing.enter_context(Mypyc(self._scratch, machine))
            return self._mypyc[machine]

    def zig(self) -> Zig:
        """Return zig, fetched on first use."""
        with self._lock:
            if self._zig is None:
                from pypackpack.backend.tools.zig import ensure  # noqa: PLC0415 - only when something is compiled

                self._zig = ensure(self.cache, offline=self._offline, watcher=self.watcher, vendor=self._vendor)
            return self._zig

    def includes(self, target: Target, python: Interpreter, toolchain: str = "zig") -> tuple[HeaderFolder, ...]:
        """Return the header folders that a compile for a target looks at, first ones first.

        Args:
            target: For what.
            python: For which Python.
            toolchain: Name of what compiles: zig needs headers of a C library where it has none of its own.
        """
        with self._lock:
            if python not in self._headers:
                self._headers[python] = headers.python_headers(python, self.cache, look=self._look)
            key = (target.name, python.series, toolchain)
            if key not in self._pyconfig:
                self._pyconfig[key] = self._target_folders(target, python, toolchain)
            return (*self._pyconfig[key], self._headers[python])

    def kept(self, make: Callable[[Path, bool], HeaderFolder]) -> HeaderFolder:
        """Return a header folder that a compiler brings, and remember how it is made, should it turn out to be damaged.

        Args:
            make: Makes it, if it is not there: takes the cache, and whether to write nothing.
        """
        folder = make(self.cache, self._look)
        self._makers[folder] = lambda: make(self.cache, self._look)
        return folder

    def toolchain(self, choice: Choice) -> Toolchain:
        """Return what compiles and links."""
        return self.zig() if choice.found.name == "zig" else choice.adapter.open(choice.found, self.cache)

    def sound(
        self, folders: tuple[HeaderFolder, ...], target: Target, python: Interpreter, toolchain: str = "zig"
    ) -> tuple[Path, ...]:
        """Return the paths of header folders for a compiler that starts now: a damaged one is thrown away and made again.

        Args:
            folders: What `includes` gave for this target, Python and toolchain, after what `kept` gave.
            target: For what.
            python: For which Python.
            toolchain: Name of what compiles.

        Raises:
            ConflictError: A damaged one cannot be made again as it was, since the Python has other headers now.
        """
        with self._header_lock:
            damaged = [folder for folder in folders if folder not in self._sound and not headers.is_whole(folder)]
            if damaged:
                self._heal(damaged)
                again = self.includes(target, python, toolchain)
                own = folders[: -len(again)]
                if (*(self._makers[folder]() for folder in own), *again) != folders:
                    msg = f"the headers of {python.executable} changed while it was being built for"
                    raise ConflictError(msg, hint="Run the same command again.")
            self._sound.update(folders)
        return tuple(folder.path for folder in folders)

    def _heal(self, damaged: list[HeaderFolder]) -> None:
        with filesystem.lock(self.cache / headers.FOLDER / ".lock"):
            for folder in damaged:
                if not headers.is_whole(folder):  # another build may have been faster
                    self.watcher.note(f"the headers in {folder.path} were damaged; they are made again")
                    headers.throw_away(folder)
            with self._lock:
                self._headers.clear()
                self._pyconfig.clear()

    def _target_folders(self, target: Target, python: Interpreter, toolchain: str) -> tuple[HeaderFolder, ...]:
        def make() -> dict[str, str]:
            from pypackpack.middleware.compile.pyconfig import pyconfig_header  # noqa: PLC0415 - import cost, not in a no-op

            return {"pyconfig.h": pyconfig_header(target.name, python.series)}

        facts = f"pyconfig.h {target.name} {python.series[0]}.{python.series[1]}"
        folders = [headers.noted_folder(facts, PYCONFIG, make, self.cache, look=self._look)]
        if target.object_format == "wasm" and toolchain == "zig":
            folders.append(headers.text_folder(headers.emscripten_overlay(), self.cache, look=self._look))
        if target.family == "android" and toolchain == "zig":
            from pypackpack.backend.tools.zig_android import overlay  # noqa: PLC0415 - few build for it

            folders.append(headers.text_folder(overlay(), self.cache, look=self._look))
        return tuple(folders)

    def read(self, file: SourceFile) -> bytes:
        """Return a source file's bytes as they were when the build was planned.

        Raises:
            ConflictError: It was changed meanwhile.
        """
        data = filesystem.read_bytes(file.path)
        if filesystem.sha256_bytes(data) != self.digests.planned(file.path)[0]:
            msg = f"{file.path} changed while it was being built"
            raise ConflictError(msg, hint="Run the same command again.")
        return data

    def check_sources(self, among: Iterable[Path] | None = None) -> None:
        """Look whether the sources are still what was planned: nobody, and no tool, may have changed one meanwhile.

        Args:
            among: Planned ones to look at; None looks at all of them.

        Raises:
            ConflictError: One is not.
        """
        path = self.digests.changed(among)
        if path is not None:
            msg = f"{path} changed while it was being built"
            raise ConflictError(msg, hint="Run the same command again; what was compiled is remembered.")

    def rest(self) -> None:
        """Let go of the compilers' workers, which nobody needs for now; they end while others work."""
        with self._lock:
            workers = [self.cython.close, *(each.close for each in self._mypyc.values())]
        resting = threading.Thread(target=lambda: [close() for close in workers], name="rest", daemon=True)
        resting.start()
        self._closing.callback(resting.join, 5)  # Windows removes no folder that somebody works in

    def finish(self) -> None:
        """Wait, a bounded time, for what is still on its way to the remote cache."""
        if self._remote is not None:
            self._remote.finish()

    def close(self) -> None:
        """End all helpers."""
        self._closing.close()


def _remote(project: Project, *, offline: bool, watcher: Watcher) -> RemoteCache | None:
    """Return the project's remote cache, if it has one and may reach it."""
    if project.cache.remote is None or offline:
        return None
    from pypackpack.backend.remote_cache import RemoteCache  # noqa: PLC0415 - most projects have none

    return RemoteCache(project.cache.remote, watcher)


@contextlib.contextmanager
def open_workshop(project: Project, *, offline: bool, watcher: Watcher, cache: Path | None = None) -> Iterator[Workshop]:
    """Open a workshop for one build and clean up after it, whatever happens; ``cache`` is one of its own."""
    cache = cache or filesystem.cache_folder(project.cache.folder)
    interrupted = False
    with contextlib.ExitStack() as last, in_use(cache, f"a build of {project.root}", watcher) as use:
        workshop = Workshop(project, use.scratch, cache, offline=offline, watcher=watcher)
        last.callback(
            lambda: settle(workshop.store, cache, project.cache.size, watcher, sweep=use.others_died, hurry=interrupted)
        )
        try:
            yield workshop
            workshop.digests.save()
            workshop.finish()
        except Exception:  # also of a build that was halted, since something changed: what it has made is worth as much
            workshop.finish()
            raise
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            workshop.close()


@contextlib.contextmanager
def looking(project: Project, *, watcher: Watcher) -> Iterator[Workshop]:
    """Open a workshop for looking at what is known; nothing is written but scratch that is gone at the end."""
    cache = filesystem.cache_folder(project.cache.folder)
    workshop = Workshop(project, cache / SCRATCH, cache, offline=False, watcher=watcher, look=True)
    try:
        yield workshop
    finally:
        workshop.close()
