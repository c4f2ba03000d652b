"""Links in the sources of a package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pypackpack.backend import filesystem
from pypackpack.model.errors import SourceError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the sources of one package, in a folder that is itself behind a link."""
    real = tmp_path / "real"
    main = real / "project" / "demo" / "src" / "main"
    for name in ("__init__.py", "data/one.txt", "data/sub/two.txt", "z.py"):
        (main / name).parent.mkdir(parents=True, exist_ok=True)
        (main / name).write_text(name)
    (real / "outside").mkdir()
    (real / "outside" / "secret.txt").touch()
    (real / "project" / "shared").mkdir()
    (real / "project" / "shared" / "three.txt").touch()
    (tmp_path / "link").symlink_to(real)
    return tmp_path / "link" / "project"


def found(project: Path, layer: str = "main") -> list[str]:
    folder = project / "demo" / "src" / layer
    return [path.relative_to(folder).as_posix() for path in filesystem.source_files(folder, [project / "demo", project])]


def test_links_inside_the_project_are_followed(project: Path) -> None:
    main = project / "demo" / "src" / "main"
    plain = found(project)
    (main / "again").symlink_to("data")
    (main / "more.txt").symlink_to(Path("..", "..", "..", "shared", "three.txt"))
    (main / "shared").symlink_to(project / "shared")
    (main / "data" / "sub" / "one.txt").symlink_to(Path("..", "one.txt"))
    expected = [
        *plain,
        "again/one.txt",
        "again/sub/one.txt",
        "again/sub/two.txt",
        "data/sub/one.txt",
        "more.txt",
        "shared/three.txt",
    ]
    assert sorted(found(project)) == sorted(expected)


def test_a_layer_may_be_a_link(project: Path) -> None:
    (project / "demo" / "src" / "linux").symlink_to("main")
    assert found(project, "linux") == found(project)


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("main/out.txt", "../../../../outside/secret.txt", "leads out of the project"),
        ("main/data/out", "../../../../../outside", "leads out of the project"),
        ("main/gone", "not/there.txt", "is a link to not.there.txt, which is not there"),
        ("main/self", "self", "leads to itself"),
        ("main/data/up", "..", "no end"),
        ("main/data/root", "../../../..", "no end"),
        ("main/here", ".", "no end"),
        ("linux", "../../../outside", "leads out of the project"),
        ("linux", "gone", "which is not there"),
    ],
)
def test_what_cannot_be_followed_is_an_error_that_names_the_link(project: Path, name: str, target: str, words: str) -> None:
    link = project / "demo" / "src" / name
    link.symlink_to(target)
    with pytest.raises(SourceError, match=words) as caught:
        found(project, name.partition("/")[0])
    assert str(link) in caught.value.message
    assert caught.value.hint


def test_two_links_to_each_other_have_no_end(project: Path) -> None:
    main = project / "demo" / "src" / "main"
    (main / "other").mkdir()
    (main / "data" / "x").symlink_to(Path("..", "other"))
    (main / "other" / "y").symlink_to(Path("..", "data"))
    with pytest.raises(SourceError, match=re.escape(str(main / "data" / "x" / "y")) + ".*no end"):
        found(project)


def test_a_layer_that_is_not_there_has_no_files(project: Path) -> None:
    assert found(project, "windows") == []
