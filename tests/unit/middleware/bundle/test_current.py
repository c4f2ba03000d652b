"""Which wheels in build/ are of the present settings, when others lie beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.current import note_built, note_of, standing
from pypackpack.middleware.project.read import load_project
from pypackpack.model.build import Artifact
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.bundle.current import Standing
    from pypackpack.model.project import Package

LINUX, WINDOWS, WASM = "linux_x86_64", "windows_amd64", "emscripten_wasm32"
TAGS = {LINUX: "manylinux_2_17_x86_64.manylinux2014_x86_64", WINDOWS: "win_amd64"}


class Shelf:
    """A folder of wheels, and the package whose they are."""

    def __init__(self, root: Path) -> None:
        (root / "demo" / "src" / "main").mkdir(parents=True)
        (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "0"\n[tool.pypackpack]\npackages = ["demo"]\n')
        (root / "demo" / "pyproject.toml").write_text(
            f'[project]\nname = "demo"\nversion = "1.0"\n[tool.pypackpack]\ntargets = ["{LINUX}", "{WINDOWS}", "{WASM}"]\n'
        )
        self.package: Package = load_project(root).packages[0]
        self.folder = root / "demo" / "build" / "packpack" / "single" / "release" / "native"
        self.folder.mkdir(parents=True)
        self.clock = 0

    def file(self, tags: str, version: str = "1.0") -> Path:
        """Put a wheel there, other bytes each time."""
        self.clock += 1
        path = self.folder / f"demo-{version}-{tags}.whl"
        path.write_bytes(b"%d" % self.clock)
        return path

    def build(self, *wheels: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Do what a build does that makes these wheels, for these targets; return what is superseded."""
        made = []
        for tags, targets in wheels:
            path = self.file(tags)
            made.append(Artifact(path, "wheel", "demo", targets, None, 1, filesystem.sha256_file(path), cached=False))
        return tuple(name.removeprefix("demo-1.0-").removesuffix(".whl") for name in note_built(self.folder, self.package, made))

    def standing(self, *targets: str, package: Package | None = None) -> Standing:
        return standing(self.folder, package or self.package, Version("1.0"), targets=targets, build="pypackpack build demo")

    def current(self, *targets: str) -> list[str]:
        return sorted(each.path.name[len("demo-1.0-") : -len(".whl")] for each in self.standing(*targets).wheels)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shop")


def native(target: str, python: str = "cp313", abi: str = "") -> tuple[str, tuple[str, ...]]:
    return f"{python}-{abi or python}-{TAGS[target]}", (target,)


def test_another_abi_takes_the_place_of_the_former(shelf: Shelf) -> None:
    old, new = native(LINUX), native(LINUX, "cp311", "abi3")
    assert shelf.build(old, native(WINDOWS)) == ()
    assert shelf.build(new) == (old[0],)  # of one target: the other target's stays
    assert shelf.current() == sorted([new[0], native(WINDOWS)[0]])
    assert shelf.current(LINUX) == [new[0]]
    [(name, reason)] = shelf.standing().left_out
    assert name == f"demo-1.0-{old[0]}.whl"
    assert f"superseded by demo-1.0-{new[0]}.whl" in reason
    assert shelf.build(new) == (old[0],)  # said again, as long as it lies there
    assert shelf.build(old) == (new[0],)  # and back
    assert shelf.current(LINUX) == [old[0]]
    (shelf.folder / f"demo-1.0-{new[0]}.whl").unlink()
    assert shelf.build(old) == ()


def test_wheels_of_several_pythons_stand_side_by_side(shelf: Shelf) -> None:
    each = [native(LINUX, "cp311"), native(LINUX, "cp313")]
    assert [shelf.build(one) for one in each] == [(), ()]
    abi3 = [native(LINUX, "cp311", "abi3"), native(LINUX, "cp313", "abi3")]
    assert shelf.build(abi3[1]) == (each[1][0],)
    assert shelf.build(abi3[0]) == (each[0][0], each[1][0])  # an installer ranks two abi3 wheels by itself
    assert shelf.current() == [wheel for wheel, _ in abi3]


def test_a_fallback_on_one_target_is_no_rival_of_the_others(shelf: Shelf) -> None:
    """Where nothing became native on one target, its wheel says ``any``, and pip prefers the others' where they fit."""
    every = [("cp313-none-any", (WASM,)), native(LINUX), native(WINDOWS)]
    assert shelf.build(*every) == ()
    assert shelf.build(every[1]) == ()
    assert shelf.build(every[0]) == ()
    assert shelf.current() == sorted(wheel for wheel, _ in every)
    assert shelf.current(WASM) == ["cp313-none-any"]
    assert shelf.current(LINUX) == [every[1][0]]


def test_an_overlay_supersedes_the_wheel_for_all(shelf: Shelf) -> None:
    assert shelf.build(("py3-none-any", (LINUX, WINDOWS, WASM))) == ()
    assert shelf.build(("py3-none-any", (LINUX,))) == ()  # a build for one target; it is the same wheel for all
    own = f"py3-none-{TAGS[WINDOWS]}"
    assert shelf.build((own, (WINDOWS,))) == ("py3-none-any",)
    assert shelf.current() == [own]


def test_wheels_of_an_older_pypackpack_have_no_note(shelf: Shelf) -> None:
    old = shelf.file("cp312-cp312-win_amd64"), shelf.file("py3-none-any")
    assert shelf.build(native(LINUX)) == ("py3-none-any",)
    assert shelf.current() == sorted(["cp312-cp312-win_amd64", native(LINUX)[0]])
    assert all(path.exists() for path in old)  # nobody's files are removed


def test_two_that_nobody_built_here_are_refused_by_name(shelf: Shelf) -> None:
    shelf.file(f"cp313-cp313-{TAGS[LINUX]}")
    shelf.file("cp313-cp313-win_amd64")
    assert len(shelf.current()) == 2
    shelf.file("cp311-abi3-win_amd64")
    with pytest.raises(UsageError, match=r"cp311-abi3-win_amd64.whl and .*cp313-cp313-win_amd64.whl are both for windows_amd64") as caught:
        shelf.standing()
    assert "Python 3.13" in caught.value.message
    assert "`pypackpack build demo`" in caught.value.hint
    assert os_name(shelf.folder) in caught.value.hint
    assert shelf.current(LINUX) == [f"cp313-cp313-{TAGS[LINUX]}"]
    shelf.build(native(WINDOWS))
    assert len(shelf.current()) == 2


def os_name(path: Path) -> str:
    return str(path)


def test_a_file_that_was_put_in_the_place_of_a_superseded_one_is_another_one(shelf: Shelf) -> None:
    shelf.build(native(LINUX))
    shelf.build(native(LINUX, "cp311", "abi3"))
    shelf.file(native(LINUX)[0])
    with pytest.raises(UsageError, match="both for linux_x86_64"):
        shelf.standing()


def test_targets_and_pythons_that_the_settings_name_no_more(shelf: Shelf) -> None:
    shelf.build(native(LINUX), native(WINDOWS), native(LINUX, "cp311"))
    less = replace(shelf.package, targets=shelf.package.targets[:1], pythons=((3, 13),))
    there = shelf.standing(package=less)
    assert [each.path.name for each in there.wheels] == [f"demo-1.0-{native(LINUX)[0]}.whl"]
    assert {reason for _, reason in there.left_out} == {
        "for no target that demo has now",
        "for no Python that demo is for now (3.13)",
    }


def test_other_versions_are_nobodys_rivals(shelf: Shelf) -> None:
    shelf.file("py3-none-any", "0.9")
    shelf.file("py3-none-any", "1.0.post1")
    assert shelf.build(native(LINUX)) == ()
    assert shelf.current() == [native(LINUX)[0]]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "wheels": []}', '{"format": 1, "wheels": [{"file": 1}]}', "[" * 100_000])
def test_a_note_that_cannot_be_read_lets_nothing_through(text: str, shelf: Shelf) -> None:
    shelf.build(native(LINUX))
    shelf.build(native(LINUX, "cp311", "abi3"))
    note_of(shelf.folder).write_text(text)
    with pytest.raises(UsageError, match="both for"):
        shelf.standing()


def test_a_build_that_changes_nothing_writes_nothing(shelf: Shelf) -> None:
    shelf.build(native(LINUX))
    shelf.build(native(LINUX, "cp311", "abi3"))
    note, made = note_of(shelf.folder), shelf.folder / f"demo-1.0-{native(LINUX, 'cp311', 'abi3')[0]}.whl"
    before = note.stat()
    again = Artifact(made, "wheel", "demo", (LINUX,), (3, 11), 1, filesystem.sha256_file(made), cached=True, later=True)
    note_built(shelf.folder, shelf.package, [again])
    assert (note.stat().st_mtime_ns, note.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert {row["file"] for row in json.loads(note.read_text())["wheels"]} == {path.name for path in shelf.folder.iterdir()}
