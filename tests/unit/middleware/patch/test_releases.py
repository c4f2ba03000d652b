"""What is a primary, and which numbers of patches are taken."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.current import note_built
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.patch.releases import check_as_released, kept_wheel, read_releases, release
from pypackpack.middleware.project.read import load_project
from pypackpack.model.build import Artifact
from pypackpack.model.errors import ConflictError, DamagedArtifactError, SettingsError, UsageError
from tests.unit.client.forge import NEW, OLD, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "shop"
    (root / "demo" / "src" / "main").mkdir(parents=True)
    (root / "demo" / "src" / "main" / "__init__.py").touch()
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "0"\n[tool.pypackpack]\npackages = ["demo"]\n')
    (root / "demo" / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1.0"\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n'
    )
    return load_project(root)


def built(project: Project, name: str = "demo-1.0-py3-none-any.whl", **members: bytes) -> Path:
    folder = project.root / "demo" / "build" / "packpack" / "single" / "release" / "instant"
    return wheel(folder / name, {**OLD, **members})


def patched(project: Project, old: Path, number: int = 1, **members: bytes) -> Path:
    folder = project.root / "demo" / "build" / "packpack" / "patch" / "release" / "instant"
    new = wheel(folder / f"demo-1.0+patch.{number}-py3-none-any.whl", {**NEW, **members})
    patch = folder / f"demo-1.0-p{number}-py3-none-any.whl.patch"
    patch.write_bytes(make_patch(old, new, number=number))
    return patch


def test_a_wheel_is_recorded_once_and_its_bytes_are_kept(project: Project) -> None:
    path = built(project)
    built(project, "demo-0.9-py3-none-any.whl")  # of another version: not what is released now
    result = release(project, "demo")
    (primary,) = result.primaries
    assert (primary.file, primary.version, primary.tag, primary.level) == (path.name, "1.0", "py3-none-any", "instant")
    assert kept_wheel(project, primary).read_bytes() == path.read_bytes()
    text = result.file.read_bytes()
    again = release(project, "demo")
    assert (again.primaries, again.known, again.file.read_bytes()) == ((), (path.name,), text)
    assert read_releases(project.packages[0]).primaries == (primary,)
    shutil.rmtree(project.root / "demo" / "build")
    assert kept_wheel(project, primary).is_file()


def test_the_same_members_packed_anew_are_the_same_release(project: Project) -> None:
    path = built(project)
    release(project, "demo")
    data = path.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in OLD.items():
            archive.writestr(name, content)
    assert path.read_bytes() != data
    assert release(project, "demo").known == (path.name,)


def test_another_content_under_a_name_that_people_have(project: Project) -> None:
    built(project)
    file = release(project, "demo").file
    text = file.read_bytes()
    built(project, extra=b"other")
    with pytest.raises(ConflictError, match="released before"):
        release(project, "demo")
    assert file.read_bytes() == text


def test_only_what_was_released_may_go_under_its_name(project: Project) -> None:
    package = project.packages[0]
    path = built(project)
    check_as_released(project, package, [path])  # nothing is recorded, so nothing is contradicted
    (primary,) = release(project, "demo").primaries
    check_as_released(project, package, [path])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in OLD.items():
            archive.writestr(name, content)
    check_as_released(project, package, [path])  # packed anew, the same to every patch

    built(project, extra=b"other")
    with pytest.raises(ConflictError, match="was released before, with another content") as caught:
        check_as_released(project, package, [path])
    kept = kept_wheel(project, primary)
    assert "Raise the version" in caught.value.hint
    assert str(kept) in caught.value.hint
    shutil.copyfile(kept, path)  # as the hint says
    check_as_released(project, package, [path])

    built(project, extra=b"other")
    kept.unlink()
    with pytest.raises(ConflictError) as caught:
        check_as_released(project, package, [path])
    assert caught.value.hint == "Raise the version, build and release that."


def test_a_wheel_of_another_level_under_a_name_that_was_released(project: Project) -> None:
    path = built(project)
    release(project, "demo")
    other = wheel(path.parent.with_name("bytecode") / path.name, {**OLD, "extra": b"compiled"})
    with pytest.raises(ConflictError, match="was released at level instant, and the one of level bytecode is another") as caught:
        check_as_released(project, project.packages[0], [other])
    assert "--level instant" in caught.value.hint
    release(project, "demo")  # as the hint says
    check_as_released(project, project.packages[0], [other])


def test_patches_take_numbers(project: Project) -> None:
    old = built(project)
    first = patched(project, old)
    result = release(project, "demo")
    assert [(each.number, each.version, each.file) for each in result.patches] == [(1, "1.0", first.name)]
    patched(project, old, extra=b"something else under a number that is taken")
    with pytest.raises(ConflictError, match="p1-py3"):
        release(project, "demo")


def test_a_patch_to_another_version_is_left_out_unless_it_was_released(project: Project) -> None:
    old = built(project)
    shipped = patched(project, old)
    release(project, "demo")
    never = patched(project, old, number=2)
    file = project.root / "demo" / "pyproject.toml"
    file.write_text(file.read_text().replace('"1.0"', '"1.1"'))
    project = load_project(project.root)
    built(project, "demo-1.1-py3-none-any.whl")
    result = release(project, "demo")
    assert result.patches == ()
    assert (never.name, "a patch to demo 1.0+patch.2, and its version is 1.1 now") in result.left_out
    assert shipped.name in result.known
    assert [each.number for each in read_releases(project.packages[0]).patches] == [1]


def test_a_patch_of_what_was_not_released(project: Project, tmp_path: Path) -> None:
    patched(project, wheel(tmp_path / "demo-0.1-py3-none-any.whl", OLD))
    with pytest.raises(UsageError, match="not released"):
        release(project, "demo")
    assert not (project.root / "demo" / "releases.toml").exists()


def test_damaged_things_are_not_released(project: Project) -> None:
    old = built(project)
    patch = patched(project, old)
    patch.write_bytes(patch.read_bytes()[:-1])
    with pytest.raises(DamagedArtifactError, match="cut"):
        release(project, "demo")
    patch.unlink()
    old.write_bytes(old.read_bytes()[:-30])
    with pytest.raises(DamagedArtifactError):
        release(project, "demo")
    assert not (project.root / "demo" / "releases.toml").exists()


def test_nothing_to_release_and_no_such_package(project: Project) -> None:
    with pytest.raises(UsageError, match="nothing in build/"):
        release(project, "demo")
    with pytest.raises(UsageError, match="no package other"):
        release(project, "other")


@pytest.mark.parametrize(
    "text",
    ["[[wheel]]\nfile = 1\n", "wheel = 3\n", "[[wheel]]\n", "[[patch]]\nnumber = '1'\n", "[other]\n", "not toml"],
)
def test_a_file_that_release_has_not_written(project: Project, text: str) -> None:
    built(project)
    file = project.root / "demo" / "releases.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"releases\.toml"):
        release(project, "demo")
    assert file.read_text() == text


def test_wheels_and_patches_of_earlier_settings_are_left_out(project: Project) -> None:
    folder = built(project).parent
    with_code = built(project, "demo-1.0-cp311-none-any.whl")
    with pytest.raises(UsageError, match=r"are both for linux_x86_64 and Python 3\.11") as caught:
        release(project, "demo")  # nobody knows which of them was built later
    assert str(folder) in caught.value.hint
    assert not (project.root / "demo" / "releases.toml").exists()
    package = project.packages[0]
    note_built(folder, package, [_artifact(with_code)])
    first = release(project, "demo")
    assert [each.file for each in first.primaries] == [with_code.name]
    assert [name for name, _ in first.left_out] == ["demo-1.0-py3-none-any.whl"]

    patch = patched(project, folder / "demo-1.0-py3-none-any.whl")
    newer = wheel(patch.with_name("demo-1.0+patch.1-cp311-none-any.whl"), NEW)
    note_built(patch.parent, package, [_artifact(newer)])
    second = release(project, "demo")
    assert second.patches == ()
    assert (patch.name, True) in [(name, "superseded by" in reason) for name, reason in second.left_out]


def _artifact(path: Path) -> Artifact:
    return Artifact(path, "wheel", "demo", ("linux_x86_64",), (3, 11), 1, filesystem.sha256_file(path), cached=False)
