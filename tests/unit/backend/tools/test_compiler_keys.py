"""What goes into a key of how a compiler is called: the words themselves, and nothing of this machine."""

from __future__ import annotations

import os

import pytest

from pypackpack.backend.tools import zig
from pypackpack.middleware.target import table

TARGETS = ("linux_x86_64", "linux_musl_arm64", "windows_amd64", "macos_arm64", "emscripten_wasm32", "android_24_arm64")


@pytest.fixture(autouse=True)
def fresh() -> None:
    zig.key_flags.cache_clear()


def keys() -> dict[tuple[str, bool], tuple[str, ...]]:
    zig.key_flags.cache_clear()
    both = (True, False)
    return {(name, release): zig.ADAPTER.flags(table.find(name), release=release) for name in TARGETS for release in both}


def test_every_target_and_type_has_a_key_of_its_own() -> None:
    found = keys()
    assert len(set(found.values())) == len(found)
    assert found == keys()
    for (name, release), words in found.items():
        assert words[:-1] == zig.compile_flags(table.find(name), release=release).words
        assert not any(os.sep in word for word in words)


@pytest.mark.parametrize(
    ("attribute", "value", "changed"),
    [
        ("version_script", lambda symbol: f"{{ global: {symbol}; }};", TARGETS),
        ("_HIDING", ("-fvisibility=hidden",), TARGETS),
        ("_LINK", ("-O1",), ("windows_amd64",)),
        ("_COMMON", ("-std=c11",), TARGETS),
        ("dialect", lambda flags, _source, *, own: [*flags, f"{own}"], TARGETS),
    ],
)
def test_a_changed_word_is_another_key(
    attribute: str, value: object, changed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys()
    monkeypatch.setattr(zig, attribute, value)
    after = keys()
    assert {name for name, _ in before if before[name, True] != after[name, True]} == set(changed)


def test_each_word_of_a_link_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before, links = keys(), zig.link_flags
    for own in (True, False):

        def other(target: object, *, own: bool, _mine: bool = own, **rest: object) -> list[str]:
            return [*links(target, own=own, **rest), *(["--more"] if own is _mine else [])]  # type: ignore[arg-type]

        monkeypatch.setattr(zig, "link_flags", other)
        assert all(before[key] != words for key, words in keys().items())
