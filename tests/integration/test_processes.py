"""Child processes that say much, take long, or neither: real ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import process
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = [sys.executable, "-I", "-S", "-c"]
FLOOD = "import sys\nwhile True: sys.{}.write('x' * 100000)"


def test_what_a_child_says_on_both_streams_comes_whole() -> None:
    code = "import sys; text = sys.stdin.read(); sys.stderr.write('e' * 300000); print(text * 300000, end=''); sys.exit(3)"
    done = process.run([*PYTHON, code], text_input="ü")
    assert (done.code, done.stdout, done.stderr) == (3, "ü" * 300_000, "e" * 300_000)


def test_a_child_that_reads_nothing_is_no_trouble() -> None:
    assert process.run([*PYTHON, "print('done')"], text_input="x" * 300_000).stdout.split() == ["done"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_child_that_does_not_stop_to_talk_is_ended(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_OUTPUT", 2_000_000)
    with pytest.raises(ToolError, match=r"wrote more than 2 MB") as caught:
        process.run([*PYTHON, FLOOD.format(stream)])
    assert caught.value.hint.startswith(f"The command was: {sys.executable}")
    assert not process._live


def test_a_child_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = f"import subprocess, time; subprocess.Popen({[*PYTHON, 'import time; time.sleep(600)']!r}); time.sleep(600)"
    with pytest.raises(ToolError, match=r"did not end within 0\.3 seconds"):
        process.run([*PYTHON, code], timeout=0.3, cwd=tmp_path)
    assert not process._live


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_worker_that_does_not_stop_to_talk_is_ended(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_ANSWER", 2_000_000)
    code = FLOOD.format("stdout") if stream == "stdout" else "import sys; sys.stderr.write('x' * 10**8); print(1)"
    worker = process.Worker([*PYTHON, code])
    try:
        if stream == "stderr":
            assert worker.request({}) == 1
            assert sum(map(len, worker._errors)) <= process.SHOWN_LINES * process.PIECE
        else:
            with pytest.raises(ToolError, match="gave an answer of more than 2 MB"):
                worker.request({})
    finally:
        worker.close()
