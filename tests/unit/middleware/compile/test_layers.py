"""Names and links that a package's sources cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.compile.layers import Layers, windows_problems
from pypackpack.middleware.target import table
from pypackpack.model.errors import SourceError
from pypackpack.model.project import BundleSettings, Package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Layers]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def layers(*files: str) -> Layers:
        root = tmp_path / "demo"
        for file in ("main/__init__.py", *files):
            place = root / "src" / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        return Layers(Package("demo", "demo", root, "1", (), (), (), {}, {}, BundleSettings()))

    return layers


def places(layers: Layers, target: str) -> list[str]:
    return [file.place for file in layers.on(table.find(target))]


@pytest.mark.parametrize("name", ["data/aux.txt", "a:b.txt", "what?", "nul/x.txt", "end./x"])
def test_what_windows_cannot_have_is_refused_for_windows_only(make: Make, name: str) -> None:
    layers = make(f"main/{name}")
    assert places(layers, "linux_x86_64") == sorted(["__init__.py", name])
    with pytest.raises(SourceError, match=r"Windows|device") as caught:
        places(layers, "windows_arm64")
    assert f"src/main/{name}" in caught.value.message
    (said,) = windows_problems(layers.on(table.find("macos_arm64")))
    assert f"src/main/{name}" in said


def test_another_familys_overlay_may_have_it(make: Make) -> None:
    layers = make("linux/aux.txt")
    assert places(layers, "windows_amd64") == ["__init__.py"]
    assert places(layers, "linux_arm64") == ["__init__.py", "aux.txt"]


@pytest.mark.parametrize("name", ["a\\b.txt", "line\nbreak"])
def test_what_no_wheel_can_have_is_refused(make: Make, name: str) -> None:
    with pytest.raises(SourceError, match="its path has a"):
        places(make(f"main/{name}"), "linux_x86_64")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("main/Twin.txt", "main/twin.txt"),
        ("main/Data/one.txt", "main/data/two.txt"),
        ("main/x/Y/one/two.txt", "linux/x/y/one/three.txt"),
        ("main/data/x.txt", "linux/Data"),
        ("main/gr\u00f6\u00dfe.txt", "main/gro\u0308sse.txt"),
    ],
)
def test_what_windows_and_macos_take_for_the_same_is_refused(make: Make, one: str, two: str) -> None:
    layers = make(one, two)
    with pytest.raises(SourceError, match="Windows and macOS cannot tell apart") as caught:
        places(layers, "linux_x86_64")
    assert f"src/{one}" in caught.value.message
    assert f"src/{two}" in caught.value.message


def test_folders_with_many_files_are_one_folder(make: Make) -> None:
    assert (
        len(places(make("main/a/b/one.txt", "main/a/b/two.txt", "main/a/three.txt", "linux/a/b/four.txt"), "linux_x86_64")) == 5
    )


def test_a_link_that_leads_out_is_refused(make: Make, tmp_path: Path) -> None:
    layers = make()
    (tmp_path.parent / "secret.txt").touch()
    (tmp_path / "demo" / "src" / "main" / "data.txt").symlink_to(tmp_path.parent / "secret.txt")
    with pytest.raises(SourceError, match=r"data\.txt is a link that leads out of the project"):
        places(layers, "linux_x86_64")
