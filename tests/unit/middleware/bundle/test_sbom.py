"""The bill of materials of a wheel: valid by CycloneDX's own schema, the same each time, and true to the lock."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pypackpack.middleware.bundle.bill import Bill, Place
from pypackpack.middleware.bundle.locked import dependencies_of, needed_by
from pypackpack.middleware.bundle.metadata import CoreFiles
from pypackpack.middleware.bundle.sbom import pypi_purl, write_sbom
from pypackpack.middleware.compile.content import Contents
from pypackpack.middleware.compile.extension import STARTUP, link_facts
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.linked import Brought, header_part, linked_parts, making_tools, with_parts
from pypackpack.middleware.compile.native.packages import Foreign
from pypackpack.middleware.target import table
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import DamagedLockError, WorkError
from pypackpack.model.inspection import Tool
from pypackpack.model.sbom import Dependencies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

HASH = "{:064x}"
LOCK = """
version = 1

[[package]]
name = "demo-app"
version = "0"
source = { virtual = "." }

[[package]]
name = "alpha"
version = "1.5"
source = { registry = "https://user:secret@index.example/simple" }
sdist = { url = "https://index.example/alpha-1.5.tar.gz", hash = "sha256:S" }
wheels = [
    { url = "https://user:secret@index.example/alpha-1.5-cp311-cp311-win_amd64.whl", hash = "sha256:W" },
    { url = "https://index.example/alpha-1.5-cp311-cp311-manylinux_2_17_x86_64.whl", hash = "sha256:L" },
]
dependencies = [
    { name = "beta", extra = ["fast"] },
    { name = "winonly", marker = "sys_platform == 'win32'" },
]

[[package]]
name = "beta"
version = "2.0+local"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://index.example/beta-2.0%2Blocal-py3-none-any.whl", hash = "sha256:B" }]
dependencies = [{ name = "alpha" }]

[package.optional-dependencies]
fast = [{ name = "gamma" }]

[[package]]
name = "gamma"
version = "3"
source = { git = "https://token@example.com/gamma?rev=main#0123456789" }

[[package]]
name = "winonly"
version = "4"
source = { url = "https://name:password@example.com/winonly-4-py3-none-any.whl" }
wheels = [{ url = "https://example.com/winonly-4-py3-none-any.whl", hash = "sha256:O" }]

[[package]]
name = "unwanted"
version = "9"
source = { registry = "https://index.example/simple" }
"""
for letter in "SWLBO":
    LOCK = LOCK.replace(f"sha256:{letter}", "sha256:" + HASH.format(ord(letter)))

METADATA = """Metadata-Version: 2.4
Name: Demo.App
Version: 1.0
License-Expression: MIT OR Apache-2.0
Requires-Python: >=3.11
Requires-Dist: alpha>=1
Requires-Dist: unwanted; extra == "more"

Requires-Dist: text
"""
LINUX, WINDOWS = table.find("linux_x86_64"), table.find("windows_amd64")


def read(metadata: str = METADATA, lock: str | None = LOCK, *targets: Target) -> dict[str, Any]:
    """Write the file for a wheel of these targets and Python 3.11, look whether it is valid, and return what is in it."""
    where = [Place(target, (3, 11)) for target in targets or (LINUX,)]
    found = dependencies_of(metadata, lock.encode() if lock is not None else None, "demo-app", where)
    linked = linked_parts(targets[0] if targets else LINUX, [Tool("cython", "3.3.1")], Tool("zig", "0.17.0"), cplusplus=True)
    tools = making_tools([Tool("cython", "3.3.1")], Tool("zig", "0.17.0"))
    core = CoreFiles("Demo.App", "1.0", metadata)
    data = write_sbom(core, found, linked, tools)
    assert data == write_sbom(core, found, tuple(reversed(linked)), tuple(reversed(tools)))
    return valid(data)


VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def valid(data: bytes) -> dict[str, Any]:
    """Check a file by the schema that CycloneDX publishes, strictly."""
    assert VALIDATOR.validate_str(data.decode()) is None
    found: dict[str, Any] = json.loads(data)
    return found


def files(content: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        each["name"]: [(reference["url"], reference["hashes"][0]["content"]) for reference in each.get("externalReferences", ())]
        for each in content["components"]
    }


def test_start_up_code_is_named_where_it_is() -> None:
    zig, mypyc = Tool("zig", "0.17.0"), Tool("mypyc", "2.4.1")
    with_it = linked_parts(WINDOWS, [mypyc], zig, cplusplus=False, startup=True)
    assert [(each.name, each.license) for each in with_it] == [("mypyc", "MIT AND PSF-2.0"), ("mingw-w64", "ZPL-2.1")]
    assert [each.name for each in linked_parts(WINDOWS, [mypyc], zig, cplusplus=False)] == ["mypyc"]
    assert [each.name for each in linked_parts(WINDOWS, [], Tool("msvc", "19"), cplusplus=True, startup=True)] == []
    module = bytearray(0x200)
    struct.pack_into("<I", module, 0x3C, 0x80)
    assert link_facts(WINDOWS, bytes(module)) == {}
    struct.pack_into("<I", module, 0x80 + 40, 0x1000)
    assert link_facts(WINDOWS, bytes(module)) == {STARTUP: "1"}
    assert link_facts(LINUX, b"\x7fELF") == {}
    with pytest.raises(WorkError, match="not a PE image"):
        link_facts(WINDOWS, b"MZ")


def test_what_compiling_brings_into_a_dependency() -> None:
    results = [ActionResult({"module": "x"}), ActionResult({"module": "y"}, {STARTUP: "1"})]
    found = with_parts(Contents((), False, True, (), True), WINDOWS, Tool("cython", "3.3.1"), Tool("zig", "0.17.0"), results)
    assert [each.name for each in found.linked] == ["Cython", "mingw-w64"]
    assert [each.name for each in found.made_with] == ["Cython", "zig"]


def test_headers_that_were_compiled_in() -> None:
    file = SourceFile("x", Path("x"), "")
    names = ("num_py/a.pxd", "num_py/include/b.h", "other/c.h")
    foreign = Foreign(dict.fromkeys(names, file), (), frozenset(), {"num_py": "Num_Py 2.1.0", "other": "other 1"})
    brought = Brought()
    brought.note("module", foreign, ["demo/mod.py", "num_py/a.pxd", "other/nothing.h"])
    brought.note("own", foreign, ["module"], "gather own")
    brought.note("none", Foreign(), ["num_py/a.pxd"])
    outputs = dict.fromkeys((".packages/num_py/include/b.h", ".packages/other/c.h", "demo/own.c"), "digest")
    outcomes = cast("Mapping[str, Outcome]", {"gather own": SimpleNamespace(result=ActionResult(outputs))})
    assert brought.labels(["module", "none", "unknown"], outcomes) == ("Num_Py 2.1.0",)
    assert brought.labels(["own"], outcomes) == ("Num_Py 2.1.0", "other 1")
    part = header_part("Num_Py 2.1.0")
    assert (part.name, part.version, part.purl) == ("num-py", "2.1.0", "pkg:pypi/num-py@2.1.0")


def test_it_names_the_wheel_its_parts_and_its_tools() -> None:
    content = read()
    wheel = content["metadata"]["component"]
    assert (wheel["name"], wheel["version"], wheel["purl"]) == ("Demo.App", "1.0", "pkg:pypi/demo-app@1.0")
    assert wheel["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert [each["name"] for each in wheel["components"]] == ["Cython", "libc++", "libc++abi"]
    assert wheel["components"][1]["licenses"] == [{"expression": "Apache-2.0 WITH LLVM-exception"}]
    (formula,) = content["formulation"]
    assert [(each["name"], each["version"]) for each in formula["components"]] == [("Cython", "3.3.1"), ("zig", "0.17.0")]


def test_nothing_of_the_moment_the_machine_or_the_index_is_in_it() -> None:
    text = json.dumps(read(METADATA, LOCK, WINDOWS))
    assert not [word for word in ("timestamp", "serialNumber", "index.example", "secret", "token", "password") if word in text]


def test_each_platform_has_the_files_that_it_installs() -> None:
    assert files(read(METADATA, LOCK, LINUX)) == {
        "alpha": [("alpha-1.5-cp311-cp311-manylinux_2_17_x86_64.whl", HASH.format(ord("L")))],
        "beta": [("beta-2.0%2Blocal-py3-none-any.whl", HASH.format(ord("B")))],
        "gamma": [],
    }
    windows = read(METADATA, LOCK, WINDOWS)
    assert files(windows)["alpha"] == [("alpha-1.5-cp311-cp311-win_amd64.whl", HASH.format(ord("W")))]
    assert "winonly" in files(windows)
    both = read(METADATA, LOCK, LINUX, WINDOWS, table.find("macos_arm64"))
    assert [name for name, _ in files(both)["alpha"]] == [
        "alpha-1.5-cp311-cp311-manylinux_2_17_x86_64.whl",
        "alpha-1.5-cp311-cp311-win_amd64.whl",
        "alpha-1.5.tar.gz",  # macOS has no wheel
    ]


def test_what_needs_what_is_told_to_the_end() -> None:
    content = read(METADATA, LOCK, WINDOWS)
    edges = {each["ref"]: each.get("dependsOn", []) for each in content["dependencies"]}
    alpha, beta = "pkg:pypi/alpha@1.5", "pkg:pypi/beta@2.0%2Blocal"
    (gamma,) = [ref for ref in edges if ref.startswith("pkg:pypi/gamma@3?vcs_url=git%2Bhttps%3A%2F%2F")]
    (other,) = [ref for ref in edges if ref.startswith("pkg:pypi/winonly@4?download_url=")]
    assert edges["wheel"] == [alpha]
    assert edges[alpha] == sorted([beta, other])
    assert edges[beta] == sorted([alpha, gamma])  # a circle
    assert content["compositions"] == [{"aggregate": "complete", "dependencies": ["wheel"]}]
    assert "unwanted" not in files(content)  # only an extra asks for it


def test_the_wheel_of_a_compiled_dependency_names_what_it_was_made_from() -> None:
    before, needs = needed_by(("Alpha", "1.5"), LOCK.encode(), "demo-app", [Place(WINDOWS, (3, 11))])
    core = CoreFiles("Alpha", "1.5", "License-Expression: MIT\n")
    content = valid(write_sbom(core, needs, (), (), before=before))
    wheel = content["metadata"]["component"]
    assert (wheel["purl"], wheel["licenses"]) == ("pkg:pypi/alpha@1.5", [{"expression": "MIT"}])
    (ancestor,) = wheel["pedigree"]["ancestors"]
    assert ancestor["externalReferences"][0]["hashes"][0]["content"] == HASH.format(ord("W"))
    edges = {each["ref"]: each.get("dependsOn", []) for each in content["dependencies"]}
    assert "pkg:pypi/beta@2.0%2Blocal" in edges["wheel"]
    # Beta needs alpha in turn, which is the wheel itself: every reference is of something that is there.
    assert {need for needed in edges.values() for need in needed} <= {each["bom-ref"] for each in content["components"]}
    _, nothing = needed_by(("alpha", "1.5"), None, "demo-app", [Place(WINDOWS, (3, 11))])
    assert valid(write_sbom(core, nothing, (), ()))["compositions"][0]["aggregate"] == "incomplete"


@pytest.mark.parametrize(
    ("asked", "lock", "version"),
    [("alpha>=1", None, None), ("alpha>=2", LOCK, None), ("core==1.2.0", LOCK, "1.2.0"), ("nowhere", LOCK, None)],
)
def test_what_the_lock_does_not_know_is_named_and_the_list_called_incomplete(
    asked: str, lock: str | None, version: str | None
) -> None:
    content = read(METADATA.replace("alpha>=1", asked), lock)
    (only,) = content["components"]
    assert only.get("version") == version
    assert content["compositions"][0]["aggregate"] == "incomplete"


def test_a_wheel_that_needs_nothing_is_complete_without_a_lock() -> None:
    content = read("Metadata-Version: 2.4\nName: Demo.App\nVersion: 1.0\n", None)
    assert content["components"] == []
    assert content["compositions"][0]["aggregate"] == "complete"


@pytest.mark.parametrize("lock", ["[[package]", 'package = "alpha"', "package = [1]", "[[package]]", "x = " + "[" * 100_000])
def test_a_damaged_lock_is_an_error(lock: str) -> None:
    with pytest.raises(DamagedLockError, match=r"pyproject\.lock of demo-app is damaged"):
        read(METADATA, lock)


def test_package_urls_are_quoted() -> None:
    assert pypi_purl("My.Name_x", "1!2.0+a") == "pkg:pypi/my-name-x@1%212.0%2Ba"


def test_wheels_of_several_pythons_and_targets_have_one_key(make: Callable[..., tuple[Package, Project]]) -> None:
    package, _ = make(targets=(LINUX, WINDOWS))

    def bill(python: tuple[int, int], platforms: tuple[str, ...], *targets: Target, bound: bool = False) -> tuple[Any, ...]:
        return Bill(package, targets, platforms, python, bound, later=False, linked=(), tools=(), lock=None).inputs()

    assert bill((3, 11), ("any",), LINUX, WINDOWS) == bill((3, 13), ("any",), LINUX, WINDOWS)
    linux = LINUX.tags.for_python((3, 11))
    assert bill((3, 11), linux, LINUX, bound=True) != bill((3, 13), linux, LINUX, bound=True)
    # Two names of one platform: their wheels have one name, so they must be the same.
    pyodide = ("pyodide_2025_0_wasm32",)
    assert bill((3, 13), pyodide, table.find("emscripten_wasm32")) == bill(
        (3, 13), pyodide, table.find("emscripten_2025_0_wasm32")
    )


def test_dependencies_default_to_none_and_complete() -> None:
    assert valid(write_sbom(CoreFiles("x", "1", "Name: x\n"), Dependencies(), (), ()))["components"] == []
