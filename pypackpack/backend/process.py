"""The one door to child processes.

Children run in a process group of their own, so that Ctrl-C reaches us first and we end them, whole trees, in
order: nothing half-written is left by a compiler that was told to stop at the same moment as we were. No shell is
ever used.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from pypackpack.model.errors import MissingToolError, ToolError, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_live: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()
_stopping = threading.Event()

_heard = threading.local()

_PYTHON_PREFIXES = ("PYTHON", "CYTHON", "__PYVENV")

SHOWN_LINES = 60
SECRETS = frozenset({"PYPACKPACK_CACHE_KEY", "PYPACKPACK_CACHE_TOKEN", "PYPACKPACK_CACHE_PASSWORD"})
"""Variables that no tool gets: who can sign for the remote cache can make everybody build anything."""
END_SECONDS = 5.0
"""So long the pipes of a child that was ended are read on: what it started may have got away and hold them."""
MOST_OUTPUT = 256_000_000
"""A child that writes more bytes than this is ended: nothing that we run has so much to say, and we hold it in memory."""
MOST_ANSWER = 1_000_000_000
"""As above, for one answer of a worker, which may hold the C of a large module."""
PIECE = 1 << 16
HEARD_CHARACTERS = 64_000
"""So many characters of what the children of one block say are kept by `hearing`."""


@dataclass(frozen=True)
class Completed:
    """A child that ended: its exit code and what it wrote (UTF-8, undecodable bytes replaced)."""

    command: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def how(self) -> str:
        """How it ended, in words."""
        return how_ended(self.code)


def how_ended(code: int) -> str:
    """Return in words what an exit code says: ``exit code 3``, ``ended by SIGSEGV``."""
    if code < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"ended by {names.get(-code, f'signal {-code}')}"
    return f"exit code {code}" if code < 0x8000_0000 else f"exit code 0x{code:08X}"  # Windows: a crash, 0xC0000005


def _popen(
    command: Sequence[str | Path], *, cwd: Path | None, env: Mapping[str, str] | None, inherit: bool = False
) -> subprocess.Popen[bytes]:
    """Start a child in its own group and remember it."""
    words = [os.fspath(word) for word in command]
    extra: dict[str, Any] = {}
    if not inherit:
        if sys.platform == "win32":
            extra["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            extra["start_new_session"] = True
    stream = None if inherit else subprocess.PIPE
    with _lock:
        if _stopping.is_set():
            raise KeyboardInterrupt
        try:
            child = subprocess.Popen(  # noqa: S603 - a list of words, never a shell; this is the one door
                words, cwd=cwd, env=_environment(env, inherit=inherit), stdin=stream, stdout=stream, stderr=stream, **extra
            )
        except FileNotFoundError as error:
            msg = f"cannot start {words[0]}: it is not there"
            raise MissingToolError(msg, hint="Install it, or name the right path.") from error
        except OSError as error:
            msg = f"cannot start {words[0]}: {error.strerror or error}"
            raise WorkError(msg) from error
        _live.add(child)
    return child


def _environment(env: Mapping[str, str] | None, *, inherit: bool) -> dict[str, str] | None:
    """Return a tool's environment: without what only we should know. What a person runs through us (``inherit``) gets all of it.

    A tool may be a stranger's code, such as the build backend of a dependency.
    """
    if inherit or not any(name in (os.environ if env is None else env) for name in SECRETS):
        return None if env is None else dict(env)
    return {name: value for name, value in (os.environ if env is None else env).items() if name not in SECRETS}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything that it started."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        child.kill()


def stop_all() -> None:
    """End every child and refuse new ones; called once, when the person interrupts us."""
    _stopping.set()
    with _lock:
        children = list(_live)
    for child in children:
        _end(child)


def stopping() -> bool:
    """Tell whether `stop_all` was called."""
    return _stopping.is_set()


@contextlib.contextmanager
def hearing(limit: float | None = None) -> Iterator[list[str]]:
    """Gather what the children of this thread say in the block, each with its command, and end those that take too long.

    Args:
        limit: Seconds that a child may take which is given no time of its own; None means for ever.

    Yields:
        Texts, more of them with each child that says something.
    """
    texts: list[str] = []
    before = getattr(_heard, "now", None)
    _heard.now = (texts, limit)
    try:
        yield texts
    finally:
        _heard.now = before


def _note_words(command: Sequence[str], said: str) -> None:
    now = getattr(_heard, "now", None)
    if now is not None and said.strip():
        text = f"$ {' '.join(command)}\n{said.rstrip()}\n"
        room = HEARD_CHARACTERS - sum(len(each) for each in now[0])
        if room > 0:
            now[0].append(text[:room])


def _time_limit(timeout: float | None) -> float | None:
    now = getattr(_heard, "now", None)
    return timeout if timeout is not None or now is None else now[1]


def _shown_limit(limit: float | None, timeout: float | None) -> str:
    """Say a limit in words, and whose it is where a person can change it."""
    return f"{limit:g} seconds" + (", its `time-limit` in [tool.pypackpack.build]" if timeout is None else "")


def environment(changes: Mapping[str, str | None], *, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with changes; None removes a variable."""
    result = dict(os.environ if base is None else base)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


_WINDOWS_BASICS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
_BASICS = frozenset(("PATH", "HOME", "TMPDIR", "TMP", "TEMP", *_WINDOWS_BASICS))


def compiler_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return an environment for a C compiler: of a person's variables only those that every program needs, and ``changes``.

    clang goes by dozens of others (CPATH, CCC_OVERRIDE_OPTIONS, SDKROOT …) that no key has.
    """
    return environment(changes, base={name: value for name, value in os.environ.items() if name.upper() in _BASICS})


class _Pipes:
    """The pipes of a child, read by a thread each: what it writes is kept up to a limit, beyond which it is ended."""

    def __init__(self, child: subprocess.Popen[bytes], text: bytes) -> None:
        self.too_much = False
        self._child = child
        self._size = 0
        self._pieces: tuple[list[bytes], list[bytes]] = ([], [])
        streams = zip((child.stdout, child.stderr), self._pieces, strict=True)
        self._threads = [threading.Thread(target=self._read, args=each, daemon=True) for each in streams]
        self._threads.append(threading.Thread(target=self._write, args=(text,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _read(self, stream: IO[bytes], pieces: list[bytes]) -> None:
        with contextlib.suppress(OSError), stream:
            while not self.too_much and (piece := os.read(stream.fileno(), PIECE)):
                self._size += len(piece)  # two threads may lose a piece's size to each other, which does not matter
                pieces.append(piece)
                if self._size > MOST_OUTPUT:
                    self.too_much = True
                    _end(self._child)

    def _write(self, text: bytes) -> None:
        with contextlib.suppress(OSError), self._child.stdin or contextlib.nullcontext() as stream:
            if stream is not None and text:
                stream.write(text)

    def wait(self, seconds: float | None) -> bool:
        """Wait until all pipes are at their end and the child is, too; return whether that came before the time was over."""
        end = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if end is None else max(end - time.monotonic(), 0))
            if thread.is_alive():
                return False
        try:
            self._child.wait(None if end is None else max(end - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def said(self) -> tuple[bytes, bytes]:
        """Return what came on stdout and on stderr."""
        return b"".join(self._pieces[0]), b"".join(self._pieces[1])


def python_environment() -> dict[str, str]:
    """Return our environment for a Python that works for us: nothing in it changes what that Python, or Cython on it, does.

    A leaked PYTHONPATH brings other modules, PYTHONHOME another standard library, PYTHONOPTIMIZE another bytecode;
    __PYVENV_LAUNCHER__ is macOS's own way to make a framework Python believe that it is another one.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PYTHON_PREFIXES)}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text_input: str = "",
    timeout: float | None = None,
) -> Completed:
    """Run a child to its end and return what it wrote.

    Args:
        command: The words; the first is the program.
        cwd: Folder to run in.
        env: The whole environment; None hands on ours. See `environment`.
        text_input: What it reads on stdin.
        timeout: Seconds until it is ended; None means the limit of the block that `hearing` opened, if there is one.

    Raises:
        MissingToolError: The program is not there.
        ToolError: It took longer than that, or wrote more than `MOST_OUTPUT`.
        KeyboardInterrupt: `stop_all` was called meanwhile.
    """
    child = _popen(command, cwd=cwd, env=env)
    words = tuple(os.fspath(word) for word in command)
    limit = _time_limit(timeout)
    try:
        pipes = _Pipes(child, text_input.encode())
        ended = pipes.wait(limit)
        if not ended:
            _end(child)
            pipes.wait(END_SECONDS)
    except BaseException:
        _end(child)
        child.wait()
        raise
    finally:
        with _lock:
            _live.discard(child)
    if _stopping.is_set():
        raise KeyboardInterrupt
    out, err = (said.decode(errors="replace") for said in pipes.said())
    if pipes.too_much or not ended:
        msg = f"{words[0]} wrote more than {MOST_OUTPUT // 1_000_000} MB" if pipes.too_much else ""
        msg = msg or f"{words[0]} did not end within {_shown_limit(limit, timeout)}"
        raise ToolError(msg, hint="The command was: " + " ".join(words))
    done = Completed(words, child.returncode, out, err)
    _note_words(words, done.stdout + done.stderr)
    return done


def checked(
    command: Sequence[str | Path],
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a child that must succeed; ``what`` names the work for the error.

    Raises:
        ToolError: It ended with another exit code than 0; its words are in ``details``.
    """
    done = run(command, cwd=cwd, env=env, timeout=timeout)
    if done.code != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        msg = f"{what} failed ({done.how})"
        raise ToolError(msg, details="\n".join(words[-SHOWN_LINES:]))
    return done


def run_attached(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run a child on our own terminal (it keeps stdin, stdout, stderr and signals) and return its exit code."""
    child = _popen(command, cwd=cwd, env=env, inherit=True)
    try:
        return child.wait()
    except BaseException:
        _end(child) if sys.platform == "win32" else child.terminate()
        child.wait()
        raise
    finally:
        with _lock:
            _live.discard(child)


class Worker:
    """A child that answers requests, one JSON value per line on stdin and stdout.

    Used where starting a process for each piece of work would cost more than the work. One request at a time;
    a worker belongs to one thread at a time.
    """

    def __init__(self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        self._child = _popen(command, cwd=cwd, env=env)
        self._words = tuple(os.fspath(word) for word in command)
        self._errors: list[bytes] = []
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._drain.start()

    def _read_errors(self) -> None:
        if self._child.stderr is not None:
            while line := self._child.stderr.readline(PIECE):
                self._errors.append(line)
                del self._errors[:-SHOWN_LINES]

    def request(self, value: object) -> Any:  # noqa: ANN401 - a JSON value; the caller knows its shape
        """Send a JSON value and return the answer.

        Raises:
            ToolError: The worker died or answered nonsense; its last words are in ``details``.
        """
        stdin, stdout = self._child.stdin, self._child.stdout
        late = threading.Event()
        if stdin is None or stdout is None:
            msg = "worker without pipes"
            raise WorkError(msg)
        try:
            with self._watched() as late:
                stdin.write(json.dumps(value).encode() + b"\n")
                stdin.flush()
                line = stdout.readline(MOST_ANSWER)
        except (OSError, ValueError):
            line = b""
        if _stopping.is_set():
            raise KeyboardInterrupt
        if late.is_set():
            msg = f"{self._words[0]} did not answer within {_shown_limit(_time_limit(None), None)}"
            raise ToolError(msg, hint="The command was: " + " ".join(self._words))
        if len(line) == MOST_ANSWER:
            _end(self._child)
            msg = f"{self._words[0]} gave an answer of more than {MOST_ANSWER // 1_000_000} MB"
            raise ToolError(msg, hint="The command was: " + " ".join(self._words))
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            self._drain.join(timeout=2)
            raise ToolError(
                f"{self._words[0]} {self._how()} in the middle of its work",
                hint="The command was: " + " ".join(self._words),
                details=b"".join(self._errors).decode(errors="replace").strip(),
            ) from error

    def _how(self) -> str:
        """Say how the worker ended, if it did."""
        try:
            code = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "answered nonsense"
        return how_ended(code) if code < 0 else f"ended ({how_ended(code)})"

    @contextlib.contextmanager
    def _watched(self) -> Iterator[threading.Event]:
        """End the worker when an answer takes longer than the limit of `hearing`; the event tells that it did."""
        late, limit = threading.Event(), _time_limit(None)
        if limit is None:
            yield late
            return

        def end() -> None:
            late.set()
            _end(self._child)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def abandon(self) -> None:
        """End the worker although it may be working: nobody wants its answer any more."""
        _end(self._child)
        self.close()

    def close(self) -> None:
        """End the worker."""
        with contextlib.suppress(OSError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        try:
            self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            _end(self._child)
            self._child.wait()
        finally:
            with _lock:
                _live.discard(self._child)
            self._drain.join(timeout=2)
            for stream in (self._child.stdout, self._child.stderr):
                if stream is not None:
                    stream.close()
