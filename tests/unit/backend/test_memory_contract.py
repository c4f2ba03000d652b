"""What the engine may expect of a memory: one suite for the store on disk and for the dictionary that stands for it in tests."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend.store import Store
from pypackpack.model.action import ActionResult
from tests.memory import Dictionary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = tuple(hashlib.sha256(bytes([number])).hexdigest() for number in range(4))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.fixture(params=["store", "dictionary"])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    def fresh() -> Any:  # noqa: ANN401 - one of the two
        folder: Path = tmp_path_factory.mktemp("memory")
        return Store(folder) if request.param == "store" else Dictionary(strict=True)

    return fresh


def test_nothing_is_known_of_what_was_never_recorded(make: Callable[[], Any]) -> None:
    memory = make()
    assert memory.result(KEYS[0]) is None
    assert memory.read(KEYS[0]) is None
    assert not memory.has(KEYS[0])


def test_the_last_record_of_a_key_counts(make: Callable[[], Any]) -> None:
    memory = make()
    one, two = memory.put(b"one"), memory.put(b"two")
    memory.record(KEYS[0], ActionResult({"out": one}))
    memory.record(KEYS[0], ActionResult({"out": two}, {"why": "ä\n\"'"}))
    assert memory.result(KEYS[0]) == ActionResult({"out": two}, {"why": "ä\n\"'"})
    assert memory.result(KEYS[1]) is None


def test_a_result_counts_only_while_all_its_blobs_are_there(make: Callable[[], Any]) -> None:
    memory = make()
    one = memory.put(b"one")
    memory.record(KEYS[0], ActionResult({"out": one, "more": hashlib.sha256(b"two").hexdigest()}))
    assert memory.result(KEYS[0]) is None
    memory.put(b"two")
    assert memory.result(KEYS[0]) is not None


def test_a_result_without_outputs_is_a_result(make: Callable[[], Any]) -> None:
    memory = make()
    memory.record(KEYS[0], ActionResult(facts={"refused": "line 3"}))
    assert memory.result(KEYS[0]) == ActionResult(facts={"refused": "line 3"})


def test_many_threads_may_use_it(make: Callable[[], Any]) -> None:
    memory = make()
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(20):
            digest = memory.put(b"%d" % turn)
            memory.record(KEYS[turn % 4], ActionResult({"out": digest}, {"turn": str(turn)}))
            found = memory.result(KEYS[turn % 4])
            if found is None or memory.read(found.outputs["out"]) != found.facts["turn"].encode():
                wrong.append((number, turn, found))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(KEYS),
            st.dictionaries(TEXTS, st.binary(max_size=20), max_size=3),
            st.dictionaries(TEXTS, TEXTS, max_size=3),
        ),
        max_size=8,
    )
)
def test_it_gives_back_what_it_was_given(
    steps: list[tuple[str, dict[str, bytes], dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store, model = Store(tmp_path_factory.mktemp("store")), Dictionary(strict=True)
    for key, outputs, facts in steps:
        for memory in (store, model):
            digests = {name: memory.put(data) for name, data in outputs.items()}
            memory.record(key, ActionResult(digests, facts))
    for key in KEYS:
        assert store.result(key) == model.result(key)
    for digest, data in model.blobs.items():
        assert store.read(digest) == data
