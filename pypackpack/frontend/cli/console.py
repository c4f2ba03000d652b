"""Where text goes: results to stdout, everything else to stderr; and who watches long work."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, TextIO

from pypackpack.frontend.cli.board import Board, sums
from pypackpack.frontend.cli.style import Style, make_safe, wants_colour
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypackpack.frontend.cli.argv import General
    from pypackpack.frontend.cli.events import EventStream
    from pypackpack.frontend.cli.live import Screen
    from pypackpack.model.build import Step, Watcher


def as_json(value: object) -> object:
    """Return a value with paths, enums and frozen dataclasses turned into what JSON has.

    Raises:
        TypeError: JSON has nothing for it.
    """
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(as_json(key)): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((as_json(item) for item in value), key=str)
    msg = f"no JSON for {type(value).__name__}"
    raise TypeError(msg)


class Console:
    """The two streams of this run.

    Args:
        general: What the call says about output.
        out: Where results go.
        err: Where everything else goes.
    """

    def __init__(self, general: General, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.general = general
        self.lost = False  # whether stdout cannot take anything any more
        # A program without streams (pythonw) has None there; its output goes nowhere instead of failing.
        self.out: TextIO = out or sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end
        self.err: TextIO = err or sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end
        make_safe(self.out)
        make_safe(self.err)
        self.events: EventStream | None = None  # where the command writes events with --json, not one value
        self.style_out = Style(on=wants_colour(self.out))
        self.style_err = Style(on=wants_colour(self.err))

    @property
    def width(self) -> int | None:
        """Columns of the terminal that results go to; None when they go elsewhere and need no limit."""
        if not _is_terminal(self.out):
            return None
        return shutil.get_terminal_size((80, 24)).columns

    @property
    def width_err(self) -> int | None:
        """Columns of the terminal that errors go to; None when they go elsewhere."""
        if not _is_terminal(self.err):
            return None
        with contextlib.suppress(OSError, ValueError):  # stdout, which shutil asks, may be a pipe
            return os.get_terminal_size(self.err.fileno()).columns or 80
        return shutil.get_terminal_size((80, 24)).columns

    def write(self, lines: list[str]) -> None:
        """Write lines of a result."""
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def stream(self) -> None:
        """From now on write events, one JSON object per line, where one JSON value would be written."""
        from pypackpack.frontend.cli.events import EventStream  # noqa: PLC0415 - only where it is asked for

        self.events = EventStream(self.out)

    def write_json(self, value: object) -> None:
        """Write the one JSON value of this run, or the last of its events; only ASCII, so that no console can garble it."""
        if self.events is not None:
            self.events.last(value)
            if self.events.error is not None:
                raise self.events.error
            return
        self.out.write(json.dumps(as_json(value), indent=2) + "\n")
        self.out.flush()

    def tell(self, lines: list[str]) -> None:
        """Write lines that are not the result."""
        # Somebody who closed stderr does not want to hear of it, and least of all as another error.
        with contextlib.suppress(OSError, ValueError):
            self.err.write(masked("".join(f"{line}\n" for line in lines)))
            self.err.flush()

    def confirm(self, question: str) -> bool | None:
        """Ask a yes-or-no question; None when there is no person to ask. No answer means no."""
        if not (_is_terminal(sys.stdin) and _is_terminal(self.err)):
            return None
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Show long work while it runs: a live table on a terminal, plain lines with ``--verbose``, else a line now and then."""
        if self.events is not None:
            with self._watching() as watcher:
                yield _Telling(watcher, self.events)
            return
        with self._watching() as watcher:
            yield watcher

    @contextlib.contextmanager
    def _watching(self) -> Iterator[Watcher]:
        if self.general.quiet:
            yield PlainWatcher(self, steps=False, notes=False)
        elif self.general.verbose or not _is_terminal(self.err) or os.environ.get("TERM") == "dumb":
            plain = PlainWatcher(self, steps=self.general.verbose, notes=True, patience=PATIENCE)
            try:
                yield plain
            finally:
                plain.close()
        else:
            watcher = LiveWatcher(self)
            try:
                yield watcher
            finally:
                watcher.close()


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


class _Telling:
    """Hands on what a watcher gets, and tells the notes as events too."""

    def __init__(self, watcher: Watcher, events: EventStream) -> None:
        self._watcher = watcher
        self._events = events

    def step(self, event: Step) -> None:
        """Hand it on."""
        self._watcher.step(event)

    def note(self, text: str) -> None:
        """Hand it on and tell it."""
        self._watcher.note(text)
        self._events.note(text)


PATIENCE = 60.0
"""Seconds of silence after which a log gets a line: who reads it, person or machine, takes a longer one for a hang."""
_MOST_ROWS = 3


class PlainWatcher:
    """Shows a line when a step begins and when it ends; or, without steps, one now and then that says how far work is."""

    def __init__(self, console: Console, *, steps: bool, notes: bool, patience: float = 0) -> None:
        self._console = console
        self._board = Board()
        self._steps = steps
        self._notes = notes
        self._patience = patience
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def step(self, event: Step) -> None:
        """Take note of one event; may be called from any thread."""
        fresh = self._board.record(event)
        if not self._steps:
            self._begin()
            return
        if not fresh:
            return
        words = [word for word in (event.package, event.target, event.step) if word]
        count = f" {event.done}/{event.total}" if event.total > 0 else ""
        cached = f" ({event.cached} cached)" if event.cached else ""
        detail = f": {event.detail}" if event.detail else ""
        self._console.tell([" ".join(words) + count + cached + detail])

    def _begin(self) -> None:
        with self._lock:
            if self._patience and self._thread is None and not self._over.is_set():
                self._thread = threading.Thread(target=self._tell_on, name="progress", daemon=True)
                self._thread.start()

    def _tell_on(self) -> None:
        while not self._over.wait(self._patience):
            if line := far_line(self._board):
                self._console.tell([line])

    def close(self) -> None:
        """Tell no more."""
        with self._lock:
            self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def note(self, text: str) -> None:
        """Show one line that a person should read now."""
        if self._notes:
            self._console.tell([text])


def far_line(board: Board) -> str:
    """Return in one line how far work is, and what it is at; nothing where nothing is left to do."""
    rows = board.rows()
    done, total, _ = sums(rows)
    left = [row for row in rows if not row.finished]
    now = [" ".join(filter(None, (row.package, row.target, row.current.step, row.current.detail))) for row in left[:_MOST_ROWS]]
    more = [f"{len(left) - _MOST_ROWS} more"] if len(left) > _MOST_ROWS else []
    return f"{board.clock()}: {done} of {total} tasks done; now {', '.join([*now, *more])}" if now else ""


class LiveWatcher:
    """Shows a table that changes in place, once work takes long enough to be looked at.

    rich is imported by the thread that draws, so that work which is done at once does not pay for it.
    """

    def __init__(self, console: Console, patience: float = 0.25) -> None:
        self._console = console
        self._board = Board()
        self._lock = threading.Lock()
        self._screen: Screen | None = None
        self._over = threading.Event()
        self._patience = patience
        self._thread: threading.Thread | None = None

    def step(self, event: Step) -> None:
        """Take note of one event; may be called from any thread."""
        self._board.record(event)
        with self._lock:
            if self._thread is None and not self._over.is_set():
                self._thread = threading.Thread(target=self._draw, name="progress", daemon=True)
                self._thread.start()

    def _draw(self) -> None:
        if self._over.wait(self._patience):
            return
        from pypackpack.frontend.cli.live import Screen  # noqa: PLC0415 - import cost of rich

        with self._lock:
            if self._over.is_set():
                return
            screen = self._screen = Screen(self._board, self._console.err)
            screen.start()
        while not self._over.wait(0.125):
            with self._lock:
                screen.refresh()

    def note(self, text: str) -> None:
        """Show one line that a person should read now."""
        with self._lock:
            screen = self._screen
            if screen is None:
                self._console.tell([text])
            else:
                screen.note(masked(text))

    def close(self) -> None:
        """Take the table away."""
        self._over.set()
        with self._lock:
            screen, self._screen = self._screen, None
            if screen is not None:
                screen.stop()
        if self._thread is not None:
            self._thread.join(timeout=1)
