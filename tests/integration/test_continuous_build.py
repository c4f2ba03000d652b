"""``build --continuous`` on a real disk: what is heard of, what is done again, and how it ends."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend.watching import Eyes
from pypackpack.middleware.build import Hooks, build
from pypackpack.middleware.continuous import keep_building
from pypackpack.model.build import BuildRequest, BuildResult, Bundle, Level, Silent
from tests.builds import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pypackpack.middleware.continuous import Round
    from pypackpack.model.journal import TaskReport

PATIENCE = 120
"""Seconds until a test gives up; nothing is measured by it."""


class Over(Exception):  # noqa: N818 - the end of a test
    """Enough rounds."""


class Running:
    """The real command, line by line."""

    def __init__(self, root: Path, *words: str, env: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "pypackpack", "build", "small", "source", "single", "--continuous", *words]
        environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "NO_COLOR": "1", **(env or {})}
        self.process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: Any) -> None:  # noqa: ANN401 - a text stream
        for line in stream:
            self.lines.put(line.rstrip("\n"))

    def until(self, words: str) -> str:
        """Return the next line with these words."""
        passed = []
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                pytest.fail(f"no line with {words!r} after {passed}")
            passed.append(line)
            if words in line:
                return line

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def running(own_cache: Path, small_project: Callable[..., Path]) -> Iterator[Callable[..., tuple[Running, Path]]]:
    """A function that starts the command in a project and returns it with the package's ``src``."""
    assert own_cache
    started: list[Running] = []

    def start(*words: str, env: dict[str, str] | None = None) -> tuple[Running, Path]:
        root = small_project()
        version = ".".join(map(str, sys.version_info[:3]))
        (root / ".python-version").write_text(version)
        path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        started.append(Running(root, *words, env={"PATH": path, **(env or {})}))
        return started[-1], root / "small" / "src"

    yield start
    for each in started:
        each.close()


def save(path: Path, text: str) -> None:
    """Save as editors do: a file beside it takes its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    aside.write_text(text)
    aside.replace(path)


def members(src: Path, level: str) -> dict[str, bytes]:
    wheels = (src.parent / "build" / "packpack" / "single" / "debug" / level).glob("*.whl")
    wheel = max(wheels, key=lambda path: path.stat().st_mtime_ns)
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_day_of_work(running: Callable[..., tuple[Running, Path]]) -> None:
    command, src = running("--level", "bytecode")
    command.until("waiting for changes of small")
    save(src / "main" / "mod.py", "X = 1\n")
    assert "small/src/main/mod.py: 2 tasks run, 1 from the cache, 1 artifact new" in command.until("mod.py")
    assert members(src, "bytecode")["small/mod.py"] == b"X = 1\n"

    (src / "test").mkdir()
    save(src / "test" / "test_mod.py", "assert 1\n")  # not shipped, so nothing is built
    save(src / "main" / "mod.py", "X = (\n")
    told = sorted(command.until("mod.py") for _ in range(2))  # one of stdout, one of stderr, in whichever order they come
    assert ": failed" in told[0]  # begins with the time
    assert told[1].startswith("error[bad-source]")
    assert "mod.py:1" in told[1]
    save(src / "main" / "mod.py", "X = 1\n")
    assert ": nothing to do" in command.until("mod.py")

    settings = src.parent / "pyproject.toml"
    before = settings.read_text()
    save(settings, before + "[tool.pypackpack.build]\nstrictt = true\n")
    command.until("strictt")
    save(settings, before.replace('version = "1.0"', 'version = "2.0"'))
    command.until("small/pyproject.toml: 1 task run")

    (src / "linux").mkdir()  # an overlay that was not there, and a folder in it
    save(src / "linux" / "deep" / "new.py", "Y = 2\n")
    command.until("small/src/linux")
    save(src / "linux" / "deep" / "new.py", "Y = 3\n")
    assert "small/src/linux/deep/new.py: 2 tasks run" in command.until("deep/new.py: 2")
    assert members(src, "bytecode")["small/deep/new.py"] == b"Y = 3\n"
    assert command.interrupt() == 130


def test_events_of_each_round_where_the_system_tells_nothing(running: Callable[..., tuple[Running, Path]]) -> None:
    command, src = running("--json", env={"WATCHFILES_FORCE_POLLING": "1"})

    waiting: list[str] = []

    def events() -> Iterator[dict[str, Any]]:
        while True:
            line = command.lines.get(timeout=PATIENCE)
            if line.startswith("{"):
                yield json.loads(line)
            elif "waiting for changes of small" in line:
                waiting.append(line)

    def words(last: str) -> list[str]:
        found: list[str] = []
        while last not in found:
            found.append(next(stream)["event"])
        return found

    stream = events()
    assert words("result")[0] == "build-started"
    if not waiting:  # the events are of stdout, this is of stderr: they come in whichever order
        command.until("waiting for changes of small")
    save(src / "main" / "mod.py", "X = 1\n")
    changed = next(stream)
    assert changed == {"event": "sources-changed", "paths": ["small/src/main/mod.py"]}
    assert words("result")[0] == "build-started"
    save(src / "main" / "Mod.py", "X = 1\n")  # differs from the other in case only
    assert next(stream)["event"] == "sources-changed"
    assert "build-started" in words("error")
    assert command.interrupt() == 130
    assert words("error") == ["error"]


def test_wrong_words_end_it(running: Callable[..., tuple[Running, Path]]) -> None:
    command, _ = running("--target", "amiga")
    command.until("amiga")
    assert command.process.wait(PATIENCE) == 2


class Journal:
    """Builds for ever in this process; after each change that a test makes, it may look at what ran."""

    def __init__(self, root: Path, level: Level, act: Callable[[TaskReport], None], enough: int) -> None:
        self.eyes = Eyes()
        self.rounds: list[Round] = []
        self.ran: Counter[str] = Counter()
        self._act = act
        self._request = BuildRequest(root, "small", Bundle.SINGLE, level=level, jobs=1)
        self._enough = enough

    def work(self, halted: Callable[[], bool], begun: Round) -> BuildResult:
        assert begun.number
        return build(self._request, Silent(), Hooks(self.told, halted))

    def told(self, report: TaskReport) -> None:
        self._act(report)
        self.ran[report.name.split(" small/src/main/")[-1].split(" ")[0], report.step] += report.source == "run"  # type: ignore[index]

    def ended(self, ended: Round) -> None:
        self.rounds.append(ended)
        if len(self.rounds) == self._enough:
            raise Over

    def run(self) -> None:
        try:
            with pytest.raises(Over):
                keep_building(self._request, self.eyes, self.work, self.ended)
        finally:
            self.eyes.close()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.usefixtures("cold_cache")
def test_a_change_while_a_module_is_compiled_repeats_only_what_it_touches(
    small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
    long = "X = 1\n" + "# the longest path begins first\n" * 999
    root = small_project({"main/long.py": long}, settings='[tool.pypackpack.build]\nnative.exclude = ["__init__"]\n')
    (root / ".python-version").write_text(".".join(map(str, sys.version_info[:3])))
    other = root / "small" / "src" / "main" / "mod.py"

    def change(report: TaskReport) -> None:
        if report.step == "compile" and report.source == "started" and "long.py" in report.name and other.stat().st_size != 6:
            save(other, "X = 2\n")
            until(journal.eyes.pending)

    journal = Journal(root, Level.NATIVE, change, enough=2)
    journal.run()
    first, second = journal.rounds
    assert first.halted
    assert second.changed == ("small/src/main/mod.py",)
    assert second.result is not None
    ran = dict(journal.ran)
    assert ran["long.py", "compile"] == 1, "what was being compiled was finished and is remembered"
    assert ran["long.py", "transcompile"] == ran["long.py", "bytecode"] == 1
    assert ran["mod.py", "bytecode"] == 2
    assert ran["mod.py", "compile"] == 1, "of what was changed nothing began any more"
    assert second.result.tasks_run + second.result.tasks_cached == 3 + 2 + 2 + 1
