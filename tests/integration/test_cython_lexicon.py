"""The tables of Cython's lexer, kept in a file: in processes of their own, since Cython has one lexer for each."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import Cython

from pypackpack.backend.tools import cython

if TYPE_CHECKING:
    import pytest

PLACE = Path(Cython.__file__).parent
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import cython_lexicon
tables = cython_lexicon.Tables(sys.argv[2])
tables.keep()
from Cython.Compiler import Lexicon
from Cython import Plex
"""
COMPARE = """
from Cython.Plex import Lexicons
kept = Lexicon.make_lexicon().machine
def shown(machine):
    # By what it does: the order of Cython's states differs from process to process.
    order = [machine.initial_states[name] for name in sorted(machine.initial_states)]
    places = {id(state): place for place, state in enumerate(order)}
    result = []
    for state in order:  # which grows meanwhile
        leads = {event: to for event, to in state.items() if event not in ("number", "action") and to is not None}
        for event in sorted(leads):
            if id(leads[event]) not in places:
                places[id(leads[event])] = len(order)
                order.append(leads[event])
        result.append(({event: places[id(to)] for event, to in leads.items()}, repr(state["action"])))
    return sorted(machine.initial_states), result
before = sum(map(len, kept.states))
tables.whole([b"plain"])
still = sum(map(len, kept.states))
tables.whole(["gr\\u00f6\\u00dfe".encode()])
Plex.Lexicon = Lexicons.Lexicon
fresh = Lexicon.make_lexicon().machine
print(json.dumps({"read": tables.was_read, "same": shown(kept) == shown(fresh), "before": before, "still": still,
                  "after": sum(map(len, kept.states)), "fresh": sum(map(len, fresh.states))}))
"""


def compared(file: Path) -> dict[str, object]:
    """Let a process use the file, and compare its tables with those that Cython makes."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + COMPARE, str(cython.WORKER.parent), str(file)], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def was_read(file: Path) -> bool:
    """Let a process use the file, and tell whether it did."""
    code = SCRIPT + "Lexicon.make_lexicon(); print(tables.was_read)"
    words = [sys.executable, "-c", code, str(cython.WORKER.parent), str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "True"


def test_what_comes_from_the_file_is_what_cython_makes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "lexer.tables"
    first = compared(file)
    assert (first["read"], first["same"]) == (False, True)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    second = compared(file)
    assert (second["read"], second["same"]) == (True, True)
    assert second["before"] == second["still"] < 20_000  # no character outside of ASCII yet
    assert second["after"] == second["fresh"] > 1_000_000


def test_a_file_that_is_not_what_was_written_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "lexer.tables"
    assert not was_read(file)
    good = file.read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    content = b'{"states":[],"initial":{"":7}}\n[]'
    for bad in (good[:-9], bytes(flipped), b"", hashlib.sha256(content).hexdigest().encode() + b"\n" + content):
        file.write_bytes(bad)
        assert (was_read(file), was_read(file)) == (False, True)
        assert len(file.read_bytes()) == len(good)


def test_a_folder_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = compared(tmp_path / "file" / "lexer.tables")
    assert (found["read"], found["same"]) == (False, True)


def test_names_outside_of_ascii_are_compiled_after_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPACKPACK_CACHE_DIR", str(tmp_path / "cache"))
    hidden = "# coding: utf-7\ngr+APY-sse = 1\n"  # all its bytes are ASCII
    sources = ("# coding: UTF_8\nx = 1\n", hidden, "größe = 'ä'\n\ndef f(été, 文字):\n    return été + 文字\n", "y = f'{2}ß'\n")
    made = []
    for number in range(2):
        with cython.Cython(tmp_path / f"scratch-{number}") as pool:
            made.append([pool.transcompile("pkg/mod.py", "pkg.mod", source.encode()) for source in sources])
    assert all(each.c and not each.errors for each in made[0])
    assert made[0] == made[1]
    assert len(list((tmp_path / "cache" / cython.TABLES).iterdir())) == 1


def test_what_cython_brings_has_no_names_outside_of_ascii() -> None:
    """Otherwise the ASCII part would not be enough to read a source that is ASCII and uses them."""
    for file in (*PLACE.glob("Includes/**/*.px?"), *PLACE.glob("Utility/*")):
        if file.is_file():
            text = file.read_text(encoding="utf-8-sig")
            assert not [char for char in set(text) if not char.isascii() and ("a" + char).isidentifier()], file
