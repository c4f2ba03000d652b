"""What is in the key of the task that makes a module smaller, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend.tools import minifier
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.minify import minified, minify_task
from pypackpack.middleware.compile.source import Source
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import Minify

if TYPE_CHECKING:
    from pypackpack.middleware.compile.workshop import Workshop

SOURCE = Source(SourceFile("a.py", Path("/here/src/main/a.py"), "main"), "small", "small/a.py", "small.a", "1" * 64, 10)
PYTHON = Interpreter(Path("/here/python"), (3, 13, 1), "cpython", Path(), True, False, "x", release="3.13.1")


def key(source: Source = SOURCE, wanted: Minify = Minify(), python: Interpreter = PYTHON) -> str:  # noqa: B008 - frozen
    return minify_task(source, wanted, python, cast("Workshop", None)).key({})


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minifier, "fingerprint", lambda: "python-minifier 1")


def test_what_decides_the_text_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [
        key(),
        key(replace(SOURCE, digest="2" * 64)),
        *(key(wanted=each) for each in (Minify(docstrings=True), Minify(annotations=True), Minify(names="locals"))),
        key(python=replace(PYTHON, release="3.13.2")),
    ]
    monkeypatch.setattr(minifier, "fingerprint", lambda: "python-minifier 2")
    keys.append(key())
    assert len(set(keys)) == len(keys)


def test_where_the_file_lies_and_which_program_reads_it_is_not() -> None:
    elsewhere = replace(SOURCE, file=replace(SOURCE.file, path=Path("/there/src/main/a.py")))
    assert key(elsewhere, python=replace(PYTHON, executable=Path("/there/python"))) == key()


def test_what_reads_the_smaller_text_waits_for_it() -> None:
    task = minify_task(SOURCE, Minify(), PYTHON, cast("Workshop", None))
    small = minified(SOURCE, task)
    assert (small.needs, small.inputs) == ((task.name,), ())
    assert minify_task(small, Minify(docstrings=True), PYTHON, cast("Workshop", None)).needs == (task.name,)
