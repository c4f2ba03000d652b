"""``build <package> resource``: which files, which archives, what is remembered, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.tools import chunker
from pypackpack.client import resource_format
from pypackpack.client.resource import Resource, open_resource
from pypackpack.client.resource_format import HEADER, Manifest, head_size
from pypackpack.client.resource_update import update
from pypackpack.middleware.build import build
from pypackpack.middleware.clean import clean
from pypackpack.middleware.continuous import view_of
from pypackpack.middleware.inspect.resource import compare_resources, inspect_resource
from pypackpack.middleware.preview import preview
from pypackpack.middleware.project.read import find_project
from pypackpack.middleware.resource import plan, write
from pypackpack.middleware.verify.resource import verify_resource
from pypackpack.model.build import BuildRequest, Bundle, Silent
from pypackpack.model.errors import (
    ConflictError,
    DamagedArtifactError,
    FilesystemError,
    MissingToolError,
    SourceError,
    UsageError,
)
from tests.data_project import FILES, TARGETS, noise, project
from tests.unit.client.resource_forge import archive, parts, together

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.build import BuildResult
    from pypackpack.model.comparison import ResourceComparison


def changed(found: ResourceComparison) -> list[tuple[str, str]]:
    return [(member.path, member.change) for member in found.members]


def request(root: Path, **changes: object) -> BuildRequest:
    return replace(BuildRequest(start=root, package="small", bundle=Bundle.RESOURCE), **changes)  # type: ignore[arg-type]


def made(root: Path, **changes: object) -> BuildResult:
    return build(request(root, **changes), Silent())


def archives(result: BuildResult) -> dict[str, tuple[str, ...]]:
    return {artifact.path.name: artifact.targets for artifact in result.artifacts}


def contents(path: Path) -> dict[str, bytes]:
    with open_resource(path) as resource:
        resource.verify()
        return {entry.path: resource.read(entry.path) for entry in resource}


def test_the_data_files_and_nothing_else(tmp_path: Path) -> None:
    root = project(tmp_path)
    result = made(root)
    assert archives(result) == {"small-1.0-any.resource": TARGETS}
    (artifact,) = result.artifacts
    assert artifact.path.parent == root / "small" / "build" / "packpack" / "resource"
    assert (artifact.kind, artifact.python, artifact.run, artifact.cached) == ("resource", None, "", False)
    assert artifact.sha256 == filesystem.sha256_file(artifact.path)
    assert artifact.size == artifact.path.stat().st_size
    code = ("main/__init__.py", "main/mod.py", "main/mod.pyi", "main/py.typed")
    data = {place[5:]: content for place, content in FILES.items() if place.startswith("main/") and place not in code}
    assert contents(artifact.path) == data
    assert artifact.size < 300_000 + 60_000  # what is there twice is in it once
    assert (result.tasks_run, result.tasks_cached) == (4, 0)


def test_the_second_time_all_is_remembered_and_the_bytes_are_the_same_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path)
    (first,) = made(root).artifacts
    again = made(root)
    assert (again.tasks_run, again.tasks_cached, again.artifacts[0].cached) == (0, 4, True)
    clean(find_project(root), (), Silent())
    assert not first.path.exists()
    assert (made(root).tasks_run, first.path.is_file()) == (0, True)
    monkeypatch.setenv(filesystem.CACHE_VARIABLE, str(tmp_path / "other"))
    shutil.copytree(root / "small" / "src", tmp_path / "b" / "project" / "small" / "src")
    (second,) = made(project(tmp_path / "b", {})).artifacts
    assert second.path.read_bytes() == first.path.read_bytes()


def test_overlays_as_with_code(tmp_path: Path) -> None:
    files = {**FILES, "windows/data/one.txt": b"windows", "windows_arm64/data/two.txt": b"arm", "emscripten/mod.py": b"X = 2\n"}
    root = project(tmp_path, files)
    result = made(root)
    assert archives(result) == {
        "small-1.0-any.resource": ("linux_x86_64", "emscripten_wasm32"),  # another module is no other data
        "small-1.0-windows.resource": ("windows_amd64",),
        "small-1.0-windows_arm64.resource": ("windows_arm64",),
    }
    by_name = {artifact.path.name: contents(artifact.path) for artifact in result.artifacts}
    assert [each["data/one.txt"] for each in by_name.values()] == [b"1", b"windows", b"windows"]
    assert [each.get("data/two.txt") for each in by_name.values()] == [None, None, b"arm"]
    change = compare_resources(*(artifact.path for artifact in result.artifacts[:2]))
    assert (changed(change), change.chunks) == ([("data/one.txt", "changed")], 1)  # large files are packed once for all
    assert result.tasks_run == 3 + 2 + 3
    alone = made(root, targets=("windows_arm64",))
    assert (archives(alone), alone.tasks_run) == ({"small-1.0-windows_arm64.resource": ("windows_arm64",)}, 0)
    assert inspect_resource(result.artifacts[2].path).tag == "windows_arm64"


def test_an_older_archive_that_clients_would_take_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "windows/data/one.txt": b"windows", "windows_arm64/data/two.txt": b"arm"})
    assert made(root).warnings == ()
    assert made(root).warnings == ()
    shutil.rmtree(root / "small" / "src" / "windows_arm64")
    (warning,) = made(root).warnings
    assert "small-1.0-windows_arm64.resource is of an earlier build" in warning
    assert "clients on windows_arm64 would take it instead of small-1.0-windows.resource: remove it" in warning
    assert made(root, targets=("linux_x86_64",)).warnings == ()  # what it has, clients of it take
    shutil.rmtree(root / "small" / "src" / "windows")
    family, own = made(root).warnings
    assert "windows_arm64 would take it instead of small-1.0-any.resource" in own
    assert "clients on windows_amd64, windows_arm64 would take it instead of small-1.0-any.resource" in family
    for path in (root / "small" / "build" / "packpack" / "resource").glob("*windows*"):
        path.unlink()
    assert made(root).warnings == ()


def test_an_older_archive_for_a_target_that_has_no_data_any_more(tmp_path: Path) -> None:
    root = project(tmp_path, {"main/__init__.py": b"", "main/x.txt": b"x", "windows/y.txt": b"y"})
    assert made(root).warnings == ()
    (root / "small" / "src" / "main" / "x.txt").unlink()
    (warning,) = made(root).warnings
    assert "clients on linux_x86_64, emscripten_wasm32 would take it, and there are no data files for them now: remove it" in warning


def test_a_target_without_data_is_left_out_and_a_package_without_any_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, {"main/__init__.py": b"", "windows/x.txt": b"x"})
    result = made(root)
    assert archives(result) == {"small-1.0-windows.resource": ("windows_amd64", "windows_arm64")}
    assert result.left_out == (("linux_x86_64", "has no data files"), ("emscripten_wasm32", "has no data files"))
    with pytest.raises(SourceError, match="no data files on linux_x86_64"):
        made(root, targets=("linux_x86_64",))


def test_settings_choose(tmp_path: Path) -> None:
    settings = '[tool.pypackpack.bundle.resource]\ninclude = ["data/**"]\nexclude = ["**/*.bin", "data/not-*"]\n'
    root = project(tmp_path, {**FILES, "main/top.txt": b"no"}, settings=settings)
    assert set(contents(made(root).artifacts[0].path)) == {"data/words.txt", "data/one.txt", "data/empty"}


def test_sources_of_extension_modules_are_code(tmp_path: Path) -> None:
    files = {
        "main/__init__.py": b"",
        "main/fast.pyx": b"X = 1\n",
        "main/fast.h": b"",
        "main/x.json": b"{}",
        "main/lib/one.c": b"int x;\n",
    }
    assert set(contents(made(project(tmp_path, files)).artifacts[0].path)) == {"x.json"}
    del files["main/fast.pyx"]
    (tmp_path / "project" / "small" / "src" / "main" / "fast.pyx").unlink()
    assert set(contents(made(project(tmp_path, files)).artifacts[0].path)) == {"fast.h", "x.json", "lib/one.c"}


def test_what_the_next_version_costs(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = tmp_path / "before.resource"
    shutil.copy(made(root).artifacts[0].path, before)
    words = root / "small" / "src" / "main" / "data" / "words.txt"
    words.write_bytes(words.read_bytes().replace(b"4500 words", b"four thousand and so on"))
    result = made(root)
    assert result.tasks_run == 2
    after = result.artifacts[0].path
    change = compare_resources(before, after)
    assert changed(change) == [("data/words.txt", "changed")]
    assert change.chunks == 1
    assert change.fetch < 20_000 < change.sizes[1]
    data = after.read_bytes()
    with open_resource(before) as old:
        update([old], data[: head_size(data[: HEADER.size])], lambda start, count: data[start : start + count], tmp_path / "made")
    assert (tmp_path / "made").read_bytes() == data


def test_one_small_file_more_moves_no_other_chunks(tmp_path: Path) -> None:
    files = {"main/__init__.py": b"", **{f"main/data/{number:04}.bin": noise(900, number) for number in range(1500)}}
    root = project(tmp_path, files)
    before = tmp_path / "before.resource"
    shutil.copy(made(root).artifacts[0].path, before)
    (root / "small" / "src" / "main" / "data" / "0700-and-more.bin").write_bytes(noise(900, 5000))
    after = made(root).artifacts[0].path
    assert 1 <= compare_resources(before, after).chunks <= 3
    assert inspect_resource(after).chunks > 12


def test_what_would_run_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "windows/data/one.txt": b"windows"})
    found = preview(request(root), Silent())
    assert [(task.step, task.target, task.state) for task in found.tasks] == [
        ("pack", "", "to do"),
        ("pack", "", "to do"),
        ("pack", "", "to do"),
        ("pack", "windows", "to do"),
        ("bundle", "", "behind"),
        ("bundle", "windows", "behind"),
    ]
    assert not (root / "small" / "build").exists()
    made(root)
    assert {task.state for task in preview(request(root), Silent()).tasks} == {"remembered"}
    (root / "small" / "src" / "main" / "data" / "words.txt").write_bytes(b"x" * 70_000)
    states = {task.name: task.state for task in preview(request(root), Silent()).tasks}
    assert states["pack small/src/main/data/words.txt"] == "to do"
    assert states["pack small/src/main/data/big.bin"] == "remembered"
    assert states["resource small any"] == "behind"


def test_the_reason_is_the_file_that_changed(tmp_path: Path) -> None:
    root = project(tmp_path)
    made(root)
    (root / "small" / "src" / "main" / "data" / "one.txt").write_bytes(b"2")
    reports = {report.name: report for report in made(root, report=True).tasks}
    reason = reports["pack small small files any"].reason
    assert reason is not None
    assert "src/main/data/one.txt" in str(reason)
    assert reports["pack small/src/main/data/big.bin"].source == "store"


def test_steps_and_tasks_run_again_when_they_are_named(tmp_path: Path) -> None:
    root = project(tmp_path)
    made(root)
    assert made(root, rerun=True, rerun_tasks=("bundle",)).tasks_run == 1
    assert made(root, rerun=True, rerun_tasks=("pack",)).tasks_run == 3
    with pytest.raises(UsageError, match="no task of this build is called"):
        made(root, rerun=True, rerun_tasks=("compile",))


def test_continuous_watches_the_sources(tmp_path: Path) -> None:
    root = project(tmp_path)
    view = view_of(request(root))
    assert view.matters(str(root / "small" / "src" / "main" / "data" / "one.txt"))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("main/data/aux.txt", "device"),
        ("main/data/a:b", "does not allow"),
        ("main/" + "/".join(["x" * 200] * 6), "longer than"),
        ("main/data/ONE.txt", "differ in case only"),
        ("windows/Data/x", "lie in"),
    ],
)
def test_names_that_some_system_cannot_have(tmp_path: Path, place: str, words: str) -> None:
    root = project(
        tmp_path, {**FILES, place: b"x"}, targets=("linux_x86_64", "windows_amd64") if "windows" in place else ("linux_x86_64",)
    )
    with pytest.raises(SourceError, match=words):
        made(root)
    assert not (root / "small" / "build" / "packpack" / "resource").exists()


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_FILES", 4)
    with pytest.raises(SourceError, match="6 data files"):
        made(project(tmp_path))


def test_files_that_pack_so_well_that_no_reader_believes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_format, "SMALL", 1000)
    with pytest.raises(SourceError, match="no reader takes"):
        made(project(tmp_path, {"main/zeros": bytes(3 << 20)}, targets=("linux_x86_64",)))


def test_a_file_that_changes_while_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path)
    real = write.pack

    def meanwhile(stream: io.BufferedIOBase, out: io.BufferedIOBase, average: int) -> object:
        big = root / "small" / "src" / "main" / "data" / "big.bin"
        if big.read_bytes()[:1] != b"!":
            big.write_bytes(b"!" + big.read_bytes()[1:])
        return real(stream, out, average)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "pack", meanwhile)
    with pytest.raises(ConflictError, match="changed while it was being built"):
        made(root, jobs=1)
    monkeypatch.undo()


def test_what_does_not_need_a_broken_file_is_built_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {**FILES, "windows/data/other.bin": noise(90_000, 7)})
    made(root, targets=("linux_x86_64",))
    real = write.pack

    def broken(stream: io.BufferedIOBase, out: io.BufferedIOBase, average: int) -> object:
        if stream.peek(4)[:4] == noise(90_000, 7)[:4]:  # type: ignore[attr-defined]
            raise OSError(5, "Input/output error")
        return real(stream, out, average)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "pack", broken)
    watcher = Silent()
    place = root / "small" / "build" / "packpack" / "resource" / "small-1.0-any.resource"
    place.unlink()
    with pytest.raises(FilesystemError, match="Input/output"):
        build(request(root, keep_going=True), watcher)
    assert any("built all the same" in note for note in watcher.notes)
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_large_packed_contents_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = made(project(tmp_path / "a")).artifacts[0].path.read_bytes()
    monkeypatch.setattr(plan, "_IN_MEMORY", 1000)
    root = project(tmp_path / "b")
    assert made(root, rerun=True).artifacts[0].path.read_bytes() == expected


def test_chunks_have_the_sizes_that_the_documentation_says() -> None:
    assert [write.average(size) for size in (0, (1 << 20) - 1, 1 << 20)] == [16 << 10, 16 << 10, 64 << 10]
    for average in (chunker.FINE, chunker.COARSE):
        sizes = [len(each) for each in chunker.chunks(io.BytesIO(noise(3 << 20)), average)]
        assert sum(sizes) == 3 << 20
        assert min(sizes[:-1]) >= average // 4
        assert max(sizes) <= average * 4
        assert average / 2 < sum(sizes) / len(sizes) < average * 2
    assert list(chunker.chunks(io.BytesIO(b""), chunker.FINE)) == []


def test_cuts_are_those_of_every_machine() -> None:
    from pyfastcdc.py import FastCDC  # noqa: PLC0415 - what runs where no compiled form is

    data = noise(500_000, 3)
    pure = FastCDC(chunker.FINE, min_size=chunker.FINE // 4, max_size=chunker.FINE * 4, normalized_chunking=2)
    assert [bytes(each.data) for each in pure.cut_stream(io.BytesIO(data))] == list(
        chunker.chunks(io.BytesIO(data), chunker.FINE)
    )


def test_the_head_is_what_the_description_of_the_format_says() -> None:
    files = {"data/a": b"abc" * 30_000, "b": b""}
    manifest, _, _ = parts(files)
    out = io.BytesIO()
    rows = write.pack(io.BytesIO(files["data/a"]), out, 4096)
    told = Manifest("demo", "1.0", "demo", "any", tuple(tuple(each) for each in manifest["files"]))  # type: ignore[arg-type]
    assert write.manifest_bytes(told) == json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    with Resource(io.BytesIO(write.head(told, rows) + out.getvalue())) as resource:
        resource.verify()


def test_archives_are_looked_at_with_errors_of_ours(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    with pytest.raises(UsageError, match="not there"):
        inspect_resource(place)
    with pytest.raises(UsageError, match="no file"):
        inspect_resource(tmp_path)
    place.write_bytes(b"nothing")
    with pytest.raises(DamagedArtifactError, match="no resource archive"):
        inspect_resource(place)
    place.write_bytes(together(*parts(), said_version=9))
    with pytest.raises(MissingToolError, match="format 9"):
        inspect_resource(place)
    damaged = bytearray(archive({"a": noise(100)}))
    damaged[-1] ^= 1
    place.write_bytes(bytes(damaged))
    assert inspect_resource(place).data[0].size == 100
    with pytest.raises(DamagedArtifactError, match="digest"):
        verify_resource(place)
