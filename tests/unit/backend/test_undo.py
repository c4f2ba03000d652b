"""The way back: after a failure or Ctrl-C everything is as it was, and what is not is said."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem, undo
from pypackpack.backend.undo import Undo
from pypackpack.model.errors import ConflictError, FilesystemError
from tests.interrupt import interrupted_at
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAILURES = [ConflictError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()]

# A file that was being opened at that moment is closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def everything(root: Path, failure: BaseException | None = None) -> None:
    """Make one change of every kind."""
    with filesystem.scratch_folder(root, ".work-") as scratch:
        filesystem.write_scratch(scratch / "site" / "new.py", b"new")
        with Undo() as back:
            back.write(root / "settings", b"after")
            back.write(root / "fresh", b"fresh")
            back.file(root / "lock")
            back.file(root / "no lock")
            filesystem.write_atomic(root / "lock", b"somebody's")
            filesystem.write_atomic(root / "no lock", b"somebody's")
            back.move(root / "gone", root / "aside")
            back.swap(scratch / "site", root / "site")
            back.make_folder(root / "a" / "b" / "c")
            back.made(root / "made")
            filesystem.write_atomic(root / "made" / "file", b"")
            if failure is not None:
                raise failure


def filled(root: Path) -> Path:
    filesystem.write_atomic(root / "settings", b"before")
    filesystem.write_atomic(root / "lock", b"before")
    filesystem.write_atomic(root / "gone" / "mine.py", b"mine")
    filesystem.write_atomic(root / "site" / "old.py", b"old")
    (root / "a").mkdir()
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "root")


def failing(failure: BaseException, work: Callable[[Undo], object], way_out: str = "") -> None:
    with Undo(way_out) as back:
        work(back)
        raise failure


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_everything_is_as_it_was(root: Path, failure: BaseException) -> None:
    before = snapshot(root)
    with pytest.raises(type(failure)) as caught:
        everything(root, failure)
    assert snapshot(root) == before
    assert not getattr(caught.value, "__notes__", [])


def test_without_a_failure_nothing_is_taken_back(root: Path) -> None:
    everything(root)
    assert (root / "settings").read_bytes() == b"after"
    assert (root / "fresh").read_bytes() == b"fresh"
    assert (root / "lock").read_bytes() == b"somebody's"
    assert sorted(path.name for path in root.iterdir()) == [
        "a",
        "aside",
        "fresh",
        "lock",
        "made",
        "no lock",
        "settings",
        "site",
    ]
    assert [path.name for path in (root / "site").iterdir()] == ["new.py"]


def test_ctrl_c_at_every_line(tmp_path: Path) -> None:
    def seen(root: Path) -> dict[str, tuple[str, int, bytes]]:  # a scratch folder may stay, which nobody reads
        return {
            name: (kind, mode & 0o700, data) for name, (kind, mode, data) in snapshot(root).items() if not name.startswith(".")
        }

    before = seen(filled(tmp_path / "before"))
    everything(filled(tmp_path / "after"))
    after = seen(tmp_path / "after")
    line, taken_back = 1, 0
    while interrupted_at(line, (undo, filesystem), partial(everything, filled(tmp_path / str(line)))):
        now = seen(tmp_path / str(line))
        assert now in (before, after), line
        taken_back += now == before
        line += 1
    assert taken_back > 150


def test_what_somebody_else_wrote_meanwhile_stays(root: Path) -> None:
    def work(back: Undo) -> None:
        back.write(root / "settings", b"ours")
        (root / "settings").write_bytes(b"theirs")

    with pytest.raises(ConflictError):
        failing(ConflictError("no"), work)
    assert (root / "settings").read_bytes() == b"theirs"


def test_what_somebody_put_into_a_folder_on_the_way_stays(root: Path) -> None:
    def work(back: Undo) -> None:
        back.make_folder(root / "x" / "y" / "z")
        (root / "x" / "mine").write_bytes(b"")

    with pytest.raises(ConflictError):
        failing(ConflictError("no"), work)
    assert [path.name for path in (root / "x").iterdir()] == ["mine"]


def test_a_file_in_the_place_of_a_folder_stays(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(FilesystemError, match="cannot make"), Undo() as back:
        back.make_folder(root / "settings")
    assert snapshot(root) == before


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_what_cannot_be_taken_back_is_said_and_keeps_nothing_else(root: Path, failure: BaseException) -> None:
    def work(back: Undo) -> None:
        back.write(root / "settings", b"after")
        back.move(root / "gone", root / "aside")
        (root / "gone").write_bytes(b"theirs")
        back.step(".venv is not as it was", (root / "nothing").stat)

    failure = type(failure)(*failure.args)  # notes stay on an error
    with pytest.raises(type(failure)) as caught:
        failing(failure, work, "`pypackpack sync` completes it.")
    assert (root / "settings").read_bytes() == b"before"
    assert (root / "gone").read_bytes() == b"theirs"
    assert (root / "aside" / "mine.py").read_bytes() == b"mine"
    first, second, last = caught.value.__notes__
    assert first.startswith(".venv is not as it was: ")
    assert second == f"{root / 'gone'} could not be put back: something else is in its place; it is {root / 'aside'}"
    assert last == "`pypackpack sync` completes it."


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_it_is_taken_back_stops_nothing(root: Path, times: int) -> None:
    left = [None] * times
    done: list[str] = []

    def step() -> None:
        if left:
            left.pop()
            raise KeyboardInterrupt
        done.append("step")

    def work(back: Undo) -> None:
        back.write(root / "settings", b"after")
        back.step("it", step)

    with pytest.raises(KeyboardInterrupt) as caught:
        failing(ConflictError("no"), work)
    assert getattr(caught.value, "__notes__", []) == ["it: interrupted"] * (times - 1)
    assert (root / "settings").read_bytes() == b"before"
    assert done == ["step"] * (times == 1)
