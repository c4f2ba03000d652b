"""The folder of a binary: what goes in, what stays out, when it is left alone."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.binary import BinaryFolder, write_binary
from pypackpack.middleware.bundle.installed import Installed, installed_in
from pypackpack.model.errors import ConflictError, FilesystemError, WorkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.middleware.bundle.metadata import CoreFiles

FACTS = {
    "package": "Demo.App",
    "version": "1.0",
    "target": "linux_x86_64",
    "python": "3.13.1",
    "level": "native",
    "type": "debug",
}
OWN = {"demo_app/__init__.py": b"import dep\n", "demo_app/data.txt": "Ü".encode(), "demo_app/run": b"#!"}


def build(folder: Path, site: Path | None = None, own: Mapping[str, bytes] = OWN, **more: Any) -> BinaryFolder:  # noqa: ANN401
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in own.items()}
    arguments: dict[str, Any] = {"read": own.__getitem__, "executable": lambda path: path.endswith("run"), "facts": FACTS}
    digest = more.pop("digest", filesystem.sha256_file)
    names = {"demo-app"}
    found = installed_in(site, digest, leave_out=names) if site is not None else Installed()
    return write_binary(folder, digests=digests, dependencies=found, digest=digest, **(arguments | more))


def install(site: Path, name: str, version: str, files: Mapping[str, bytes], *, extra: str = "") -> None:
    """Put a distribution into a folder as uv and pip do."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for note in ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"):
        (info / note).write_text(f"{site}")
    lines = []
    for path, data in files.items():
        place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        lines.append(f"{path},sha256={hashlib.sha256(data).hexdigest()},{len(data)}")
    cache = site / name / "__pycache__" / "a.cpython-313.pyc"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(str(site).encode())
    rows = [
        *lines,
        f"{info.name}/METADATA,,",
        f"{info.name}/INSTALLER,,",
        f"{info.name}/RECORD,,",
        f"{name}/__pycache__/a.cpython-313.pyc,,",
    ]
    (info / "RECORD").write_text("\n".join(rows) + "\n" + extra)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    install(
        folder,
        "dep",
        "2.0",
        {"dep/__init__.py": b"", "dep/core.pyc": b"code", "dep.libs/libx.so": b"elf", "space.pth": b"import types\n"},
        extra="../../bin/dep,sha256=x,1\nbin/dep,sha256=x,1\n",
    )
    (folder / "bin").mkdir()
    (folder / "bin" / "dep").write_text(f"#!{folder}/python\n")
    (folder / "__editable__.demo_app.pth").write_text(str(folder))
    (folder / "away.pth").write_text(f"{folder}\n")
    (folder / "_virtualenv.py").write_text("")
    (folder / "loose.py").write_text("")
    return folder


def listed(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_package_and_dependencies_stand_as_they_import(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    folder = tmp_path / "out" / "linux_x86_64"
    made = build(folder, site, metadata=[core])
    assert listed(folder) == [
        "demo_app-1.0.dist-info/METADATA",
        "demo_app-1.0.dist-info/RECORD",
        "demo_app-1.0.dist-info/licenses/LICENSE",
        "demo_app/__init__.py",
        "demo_app/data.txt",
        "demo_app/run",
        "dep-2.0.dist-info/METADATA",
        "dep-2.0.dist-info/RECORD",
        "dep.libs/libx.so",
        "dep/__init__.py",
        "dep/core.pyc",
        "loose.py",
        "manifest.json",
        "space.pth",
    ]
    assert not made.unchanged
    assert made.size == sum((folder / path).stat().st_size for path in listed(folder))
    assert made.sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    if sys.platform != "win32":
        assert os.access(folder / "demo_app/run", os.X_OK)
        assert not os.access(folder / "demo_app/data.txt", os.X_OK)


def test_the_manifest_says_it_all_and_nothing_of_this_machine(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    folder = tmp_path / "out" / "linux_x86_64"
    build(folder, site, metadata=[core])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {key: manifest[key] for key in FACTS} == FACTS
    assert manifest["dependencies"] == [{"name": "dep", "version": "2.0", "level": "instant"}]
    assert [entry["path"] for entry in manifest["files"]] == [path for path in listed(folder) if path != "manifest.json"]
    for entry in manifest["files"]:
        data = (folder / entry["path"]).read_bytes()
        assert (entry["sha256"], entry["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert str(tmp_path).encode() not in data
    assert str(tmp_path) not in (folder / "manifest.json").read_text(encoding="utf-8")


def test_importlib_metadata_knows_both(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    folder = tmp_path / "out"
    build(folder, site, metadata=[core])
    found = {item.name: item for item in importlib.metadata.distributions(path=[str(folder)])}
    assert sorted(found) == ["Demo.App", "dep"]
    for item in found.values():
        assert item.files
        assert all(file.locate().is_file() for file in item.files)  # type: ignore[attr-defined]
    assert sorted(map(str, found["Demo.App"].files or ())) == [path for path in listed(folder) if path.startswith("demo_app")]


def test_the_same_inputs_give_the_same_folder_anywhere(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    other = tmp_path / "elsewhere" / "site"
    other.parent.mkdir()
    one = build(tmp_path / "one", site, metadata=[core])
    site.rename(other)
    two = build(tmp_path / "two", other, own=dict(reversed(OWN.items())), metadata=[core])
    assert one.sha256 == two.sha256


def test_what_is_right_is_left_untouched(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    folder = tmp_path / "out"
    first = build(folder, site, metadata=[core])
    mark = folder.stat().st_ino
    cache = folder / "demo_app" / "__pycache__" / "x.pyc"
    cache.parent.mkdir()
    cache.write_bytes(b"made by whoever imported it")

    def never(path: str) -> bytes:
        raise AssertionError(path)

    again = build(folder, site, metadata=[core], read=never)
    assert again.unchanged
    assert (again.sha256, again.size) == (first.sha256, first.size)
    assert folder.stat().st_ino == mark
    assert cache.is_file()


@pytest.mark.parametrize("damage", ["changed", "gone", "more", "mode", "manifest", "sizes"])
def test_what_somebody_changed_is_made_again(tmp_path: Path, site: Path, damage: str) -> None:
    folder = tmp_path / "out"
    first = build(folder, site)
    place = folder / "dep/core.pyc"
    if damage == "changed":
        place.write_bytes(b"EDOC")
    elif damage == "gone":
        place.unlink()
    elif damage == "more":
        (folder / "dep/more.py").write_text("")
    elif damage == "mode":
        if sys.platform == "win32":
            place.unlink()
        else:
            place.chmod(0o755)
    elif damage == "manifest":
        (folder / "manifest.json").write_text("[]")
    else:
        text = (folder / "manifest.json").read_text(encoding="utf-8")
        (folder / "manifest.json").write_text(text.replace('"size": ', '"size": 1'), encoding="utf-8")
    again = build(folder, site)
    assert not again.unchanged
    assert (again.sha256, again.size) == (first.sha256, first.size)
    assert build(folder, site).unchanged


def test_old_files_go(tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "out"
    build(folder, site)
    build(folder, None, own={"demo_app/new.py": b""})
    assert listed(folder) == ["demo_app/new.py", "manifest.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "site-packages"]


class TestConflicts:
    """Two owners of one path."""

    def test_two_distributions_with_different_contents(self, tmp_path: Path, site: Path) -> None:
        install(site, "rival", "1.0", {"dep/__init__.py": b"other"})
        with pytest.raises(WorkError, match=r"dep 2\.0 and rival 1\.0 both install 'dep/__init__\.py'"):
            build(tmp_path / "out", site)
        assert not (tmp_path / "out").exists()

    def test_two_distributions_with_the_same_contents(self, tmp_path: Path, site: Path) -> None:
        install(site, "friend", "1.0", {"dep/__init__.py": b""})
        build(tmp_path / "out", site)
        for name in ("dep-2.0", "friend-1.0"):
            assert "dep/__init__.py," in (tmp_path / "out" / f"{name}.dist-info" / "RECORD").read_text()

    def test_a_distribution_and_the_package(self, tmp_path: Path, site: Path) -> None:
        install(site, "rival", "1.0", {"demo_app/data.txt": b""})
        with pytest.raises(WorkError, match=r"'demo_app/data\.txt' twice \(from Demo\.App and from rival 1\.0\)"):
            build(tmp_path / "out", site)

    def test_a_distribution_and_the_manifest(self, tmp_path: Path, site: Path) -> None:
        install(site, "rival", "1.0", {"manifest.json": b"{}"})
        with pytest.raises(WorkError, match=r"manifest\.json"):
            build(tmp_path / "out", site)

    @pytest.mark.parametrize(("target", "refused"), [("windows_amd64", True), ("macos_arm64", True), ("linux_x86_64", False)])
    def test_case_counts_where_the_target_ignores_it(self, tmp_path: Path, target: str, refused: bool) -> None:
        own = {"demo_app/a.py": b"", "Demo_app/b.py": b""}
        facts = FACTS | {"target": target}
        if refused:
            with pytest.raises(WorkError, match="one and the same"):
                build(tmp_path / "out", own=own, facts=facts)
        else:
            build(tmp_path / "out", own=own, facts=facts)


def test_the_package_itself_in_the_environment_stays_there(tmp_path: Path, site: Path, core: CoreFiles) -> None:
    install(site, "demo_app", "0.9", {"demo_app/data.txt": b"old", "demo_app/gone.py": b""})
    build(tmp_path / "out", site, metadata=[core])
    assert (tmp_path / "out/demo_app/data.txt").read_bytes() == OWN["demo_app/data.txt"]
    assert "demo_app/gone.py" not in listed(tmp_path / "out")
    assert "demo_app-0.9.dist-info/METADATA" not in listed(tmp_path / "out")


def test_an_environment_that_is_not_whole_is_said(tmp_path: Path, site: Path) -> None:
    (site / "dep/core.pyc").unlink()
    with pytest.raises(WorkError, match=r"dep 2\.0 is not whole in .*: dep/core\.pyc is gone"):
        build(tmp_path / "out", site)


def test_a_file_that_changes_meanwhile_is_noticed_and_the_old_folder_stays(tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "out"
    before = build(folder, site)
    with pytest.raises(ConflictError, match="changed while it was copied"):
        build(folder, site, digest=lambda _path: "0" * 64)
    assert build(folder, site) == BinaryFolder(folder, before.sha256, before.size, unchanged=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FilesystemError):
        build(tmp_path / "file" / "out")


def test_without_dependencies_and_metadata(tmp_path: Path) -> None:
    build(tmp_path / "out")
    assert listed(tmp_path / "out") == sorted([*OWN, "manifest.json"])
