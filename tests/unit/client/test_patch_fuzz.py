"""A thousand patches that say anything, with digests that are right: refused, or applied to what they name; never anything else."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypackpack.client.patch import PatchError, apply_patch, read_patch, received
from pypackpack.client.patch_installed import patch_installed
from pypackpack.middleware.patch.make import make_patch, read_identity
from tests.unit.client.forge import NEW, OLD, put_together, raw, taken_apart, wheel
from tests.unit.client.forge_elf import versions
from tests.unit.client.test_patch_installed import installed, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda each: st.lists(each) | st.dictionaries(st.text(max_size=5), each), max_leaves=8
)
NEAR = st.integers(-3, 70_000) | JSON
"""Numbers that may fit, more often than others."""


class Case:
    """A primary, as a wheel and installed, and a patch for it; a large one has a dictionary, and one with code addresses."""

    def __init__(self, folder: Path, *, large: bool = False, code: bool = False) -> None:
        lines = [hashlib.sha256(b"%d" % number).hexdigest()[: 9 + number % 9] for number in range(900)]
        text = "\n".join(lines).encode()
        shuffled = "\n".join(lines[number * 7 % 900] for number in range(900)).encode()
        more: list[dict[str, bytes]] = [{}, {}]
        if large:
            more = [{"demo/big.py": text}, {"demo/big.py": shuffled}]
        if code:
            more = [{"demo/code.so": each} for each in versions("arm64")]
        old = wheel(folder / "demo-1.0-py3-none-any.whl", {**OLD, **more[0]}, record="demo-1.0.dist-info")
        new = wheel(folder / "new" / "demo-1.1-py3-none-any.whl", {**NEW, **more[1]}, record="demo-1.1.dist-info")
        self.old, self.out, self.patch = old, folder / "out", folder / "demo-1.0-p1-py3-none-any.whl.patch"
        self.out.mkdir()
        self.good = make_patch(old, new, number=1)
        self.site = installed(old, folder / "site")
        self.kept = state(self.site)

    def ask(self, data: bytes) -> None:
        """Apply a patch to the wheel, and to what is installed; see that it is refused, or right."""
        self.patch.write_bytes(data)
        try:
            result = apply_patch(self.patch, self.old, self.out)
        except PatchError:
            assert list(self.out.iterdir()) == []
            try:
                patch_installed(self.patch, self.site)
            except PatchError:
                assert state(self.site) == self.kept
            else:  # what only a wheel file has (the order, its RECORD) may be wrong
                self.back()
        else:
            assert read_identity(result) == read_patch(self.patch).result.identity
            result.unlink()
            assert list(self.out.iterdir()) == []

    def back(self) -> None:
        """Make the installed primary what it was."""
        for path in state(self.site):
            if path not in self.kept:
                (self.site / path).unlink()
        for path, data in self.kept.items():
            (self.site / path).parent.mkdir(exist_ok=True)
            (self.site / path).write_bytes(data)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = Case(tmp_path_factory.mktemp("case"), large=True)
    made.ask(made.good)
    assert read_patch(made.patch).segments[0].dictionary  # else nothing of that would be asked
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("code"), code=True)


def fuzzed(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))(given(st.data())(test))

    return decorated


@fuzzed(250)
def test_a_manifest_with_anything_in_one_place(case: Case, data: st.DataObject) -> None:
    manifest, streams = taken_apart(case.good, behind=True)
    place: Any = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.integers(0, 4)) == 0:
            break
        place = place[key]
    place[key] = data.draw(NEAR)
    case.ask(raw(json.dumps(manifest).encode()) + b"".join(streams))


@fuzzed(100)
def test_addresses_of_anything(code: Case, data: st.DataObject) -> None:
    manifest, streams = taken_apart(code.good, behind=True)
    step = next(each for each in manifest["steps"] if len(each) == 9)
    for _ in range(data.draw(st.integers(1, 3))):
        rows = step[data.draw(st.sampled_from([6, 7, 8]))]
        if not rows:
            rows.append([0, 0])
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        number = st.integers(-1, 100) | st.integers(0, 1 << 63) | NEAR
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(number)
    code.ask(raw(json.dumps(manifest).encode()) + b"".join(streams))


@fuzzed(350)
def test_streams_with_anything_in_them(plain: Case, data: st.DataObject) -> None:
    """What is unpacked is changed, and packed again."""
    manifest, streams = taken_apart(plain.good)
    for _ in range(data.draw(st.integers(1, 3))):
        which = data.draw(st.integers(0, 2))
        stream = streams[which]
        at = data.draw(st.integers(0, len(stream)))
        streams[which] = stream[:at] + data.draw(st.binary(max_size=5)) + stream[at + data.draw(st.integers(0, 5)) :]
    plain.ask(put_together(manifest, streams))


@fuzzed(200)
def test_packed_streams_with_anything_in_them(case: Case, data: st.DataObject) -> None:
    """What the decoder gets is changed, and the digests are put right."""
    manifest, (control, difference, literal) = taken_apart(case.good, behind=True)
    packed = [control, difference, literal]
    which = data.draw(st.integers(0, 2))
    stream = bytearray(packed[which])
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    packed[which] = bytes(stream)
    case.ask(put_together(manifest, packed, packed=True))


@fuzzed(150)
def test_bytes_changed_at_random(case: Case, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(case.good) - 1))
    piece = data.draw(st.binary(min_size=0, max_size=40))
    changed = case.good[:start] + piece + case.good[start + data.draw(st.integers(0, 40)) :]
    case.ask(changed)
    try:
        right, whole = received(case.patch)
    except PatchError:
        return
    assert right <= whole
