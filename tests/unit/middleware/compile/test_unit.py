"""What is generated for a package that is one extension module, and when there is none."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend.tools.toolchain import RefusedError
from pypackpack.middleware.compile.extension import Extension, Way
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.toolchains import choose
from pypackpack.middleware.compile.unit import FINDER, Member, link_tasks, object_tasks, symbol, table, why_no_unit
from pypackpack.middleware.target.table import find, parts_of
from pypackpack.model.action import ActionResult
from pypackpack.model.csource import CSource, c_source, refusal
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BuildSettings, NativePattern

if TYPE_CHECKING:
    from pypackpack.backend.tools.toolchain import ModuleJob
    from pypackpack.middleware.compile.workshop import Workshop

FILES = tuple(SourceFile(place, Path("src", place), "main") for place in ("__init__.py", "a.py"))


def member(name: str, *, package: bool) -> Member:
    return Member(Extension("pkg", name, name, name, "c", 1), cast("Way", None), package, (name,))


def test_the_table_has_functions_and_names_in_one_order() -> None:
    text = table("pkg", [member("pkg", package=True), member("pkg.größe", package=False)]).decode("ascii")
    assert f"    {symbol('pkg')},\n    {symbol('pkg.größe')},\n" in text
    assert "#define UNIT_INIT PyInit_pkg\n" in text
    numbers = text.partition("unit_modules[] = {\n")[2].partition("}")[0].replace("\n", "").strip(", ")
    code = bytes(int(number) for number in numbers.split(","))
    assert code.startswith(FINDER.read_bytes())
    assert code.endswith(b"\nMODULES.update({'pkg': (0, True), 'pkg.gr\\xf6\\xdfe': (1, False)})\n\0")


def test_symbols_differ_by_full_name_and_are_of_c() -> None:
    found = {symbol(name) for name in ("pkg.a", "pkg.b.a", "pkg.ä")}
    assert len(found) == 3
    assert all(each.isidentifier() and each.isascii() for each in found)


@pytest.mark.parametrize(
    ("settings", "files", "why"),
    [
        (BuildSettings(), FILES, ""),
        (BuildSettings(native=NativePattern(exclude=("__init__",))), FILES, "native.exclude names it: __init__"),
        (BuildSettings(), FILES[1:], "pkg/__init__.py is not there"),
    ],
)
def test_where_there_is_no_unit_the_reason_is_said(settings: BuildSettings, files: tuple[SourceFile, ...], why: str) -> None:
    found = why_no_unit("pkg", settings, files)
    assert bool(found) is bool(why)
    assert why in found


def test_a_unit_that_wants_what_the_target_has_not_is_a_refusal_and_an_error_in_ours_is_one(tmp_path: Path) -> None:
    error = RefusedError("pkg/__init__ uses fopencookie, and zig knows only a part of Android's C library")

    def refuse(*_words: object) -> bytes:
        raise error

    target = find("android_24_arm64")
    python = Interpreter(tmp_path / "python", (3, 13, 1), "cpython", tmp_path, True, False, "x")
    way = Way(target, python, release=True, headers=(), choice=choose(target, BuildSettings(toolchain="zig")))
    unit = Extension("pkg", "pkg", "pkg", "pkg/__init__", "c", 1)
    shop = SimpleNamespace(
        toolchain=lambda _choice: SimpleNamespace(build_object=refuse, build_module=refuse),
        sound=lambda *_words: (),
        stored=lambda *_words: b"object",
        folder=lambda: contextlib.nullcontext(tmp_path),
    )
    (task,) = link_tasks(unit, way, [Member(unit, way, True, ("object of pkg",))], cast("Workshop", shop))
    result = task.run({"object of pkg": ActionResult({"object": "1"})})
    assert result.facts == {"refused": error.message}
    assert not result.keep
    error = RefusedError("compiling unit.c failed", details="unit.c:1:1: error: no")
    with pytest.raises(RefusedError, match=r"compiling unit\.c"):
        task.run({"object of pkg": ActionResult({"object": "1"})})


def test_a_target_of_two_processors_has_two_links_with_the_same_modules(tmp_path: Path) -> None:
    linked: list[tuple[str, bytes, tuple[bytes, ...]]] = []

    def build_module(job: ModuleJob, _folder: Path) -> bytes:
        linked.append((job.target.name, job.files["unit_table.h"], job.objects))
        return job.target.name.encode()

    whole, settings = find("macos_universal2"), BuildSettings()
    python = Interpreter(tmp_path / "python", (3, 13, 1), "cpython", tmp_path, True, False, "x")
    parts = tuple(Way(part, python, True, (), choose(part, settings)) for part in parts_of(whole))
    way = Way(whole, python, True, (), None, parts=parts)
    modules = [Extension("pkg", name, name, name, f"c of {name}", 1) for name in ("pkg", "pkg.a", "pkg.b")]
    shop = SimpleNamespace(
        toolchain=lambda _choice: SimpleNamespace(build_object=build_module, build_module=build_module),
        sound=lambda *_words: (),
        stored=lambda digest, _what: digest.encode(),
        store=SimpleNamespace(put=lambda data: data.decode("latin-1")),
        folder=lambda: contextlib.nullcontext(tmp_path),
    )
    members = [
        Member(
            each,
            way,
            each.name == "pkg",
            tuple(task.name for task in object_tasks(each, way, cast("Workshop", shop), [None, None])),
        )
        for each in modules
    ]
    assert [len(member.tasks) for member in members] == [2, 2, 2]
    assert len({name for member in members for name in member.tasks}) == 6
    first, second, join = link_tasks(modules[0], way, members, cast("Workshop", shop), [(), ()])
    assert join.needs == (first.name, second.name)
    assert (first.target, second.target, join.target) == (whole.name,) * 3
    needs = {name: ActionResult({"object": f"{name}"}) for member in members for name in member.tasks}
    needs[members[2].tasks[1]] = ActionResult(facts={"refused": "one processor's compiler cannot"})
    results = {task.name: task.run(needs) for task in (first, second)}
    assert [name for name, _, _ in linked] == ["macos_x86_64", "macos_arm64"]
    assert linked[0][1] == linked[1][1]  # the table: the same modules in both
    assert [objects for _, _, objects in linked] == [
        tuple(member.tasks[number].encode() for member in members[:2]) for number in range(2)
    ]
    assert {result.outputs["module"] for result in results.values()} == {"macos_x86_64", "macos_arm64"}
    needs[members[0].tasks[0]] = ActionResult(facts={"refused": "no"})
    assert "cannot be compiled" in second.run(needs).facts["refused"]


SHARED = CSource({"x/__constants.h": "1", "runtime.c": "2"}, ("runtime.c",), member="x/start/__start.c")
MEMBER = CSource({"x/__constants.h": "1", "x/__member.c": "3", "x/__entry.c": "4"}, ("x/__entry.c",), member="x/__member.c")


class Recorder:
    """A shop whose toolchain keeps what it was to compile."""

    def __init__(self, folder: Path) -> None:
        self.jobs: list[ModuleJob] = []
        self.folder = lambda: contextlib.nullcontext(folder)
        self.store = SimpleNamespace(put=lambda _data: "object")

    def toolchain(self, _choice: object) -> object:
        return SimpleNamespace(build_object=self.build, build_module=self.build)

    def build(self, job: ModuleJob, _folder: Path) -> bytes:
        self.jobs.append(job)
        return b"object"

    def sound(self, *_words: object) -> tuple[()]:
        return ()

    def stored(self, digest: str, _what: str) -> bytes:
        return f"of {digest}\n".encode()


def joined(tmp_path: Path, c: ActionResult, shared: ActionResult) -> tuple[ActionResult, Recorder]:
    """Compile a module for a unit, given its C and what its modules have in common."""
    shop = Recorder(tmp_path)
    python = Interpreter(tmp_path / "python", (3, 13, 1), "cpython", tmp_path, True, False, "x")
    way = Way(find("linux_arm64"), python, release=True, headers=(), choice=choose(find("linux_arm64"), BuildSettings()))
    (task,) = object_tasks(Extension("pkg", "pkg", "pkg.mod", "pkg/mod", "c", 1), way, cast("Workshop", shop), ["common"])
    assert task.needs == ("c", "common")
    return task.run({"c": c, "common": shared}), shop


def test_a_member_is_compiled_by_a_name_of_its_own(tmp_path: Path) -> None:
    result, shop = joined(tmp_path, MEMBER.result(), SHARED.result())
    assert result.outputs == {"object": "object"}
    (job,) = shop.jobs
    assert job.sources == ("x/__member.c",)
    assert job.files["x/__member.c"] == f"#define MEMBER {symbol('pkg.mod')}\n#line 1\nof 3\n".encode()


@pytest.mark.parametrize(
    ("c", "shared", "why"),
    [
        (replace(MEMBER, member="", apart="its entry is another"), SHARED, "it cannot be compiled: its entry is another"),
        (replace(MEMBER, files={**MEMBER.files, "x/__constants.h": "9"}), SHARED, "its x/__constants.h is another than that of"),
    ],
)
def test_a_module_that_cannot_be_joined_is_a_refusal(tmp_path: Path, c: CSource, shared: CSource, why: str) -> None:
    result, shop = joined(tmp_path, c.result(), shared.result())
    assert why in result.facts["refused"]
    assert shop.jobs == []


def test_without_what_all_have_in_common_there_is_none(tmp_path: Path) -> None:
    result, shop = joined(tmp_path, MEMBER.result(), refusal("an empty module: no"))
    assert (result.facts["refused"], shop.jobs) == ("an empty module: no", [])


def test_c_that_a_task_left_is_read_as_it_was() -> None:
    for each in (MEMBER, SHARED, CSource({"a.c": "1"}, ("a.c",), ("x",), (("A", ""),)), replace(MEMBER, apart="why")):
        assert c_source(each.result()) == each
