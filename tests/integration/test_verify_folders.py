"""Folders of binaries that are built are what they say, what is done to them is named, and they are built again to the byte."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.frontend.cli import main
from tests import dependents
from tests.builds import build, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

C = """\
#include <Python.h>
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "inner"};
PyMODINIT_FUNC PyInit_inner(void) { return PyModule_Create(&d); }
"""


def verify(capsys: pytest.CaptureFixture[str], root: Path, *words: str | Path) -> tuple[int, Any, str]:
    """Return the exit code, the answer about the one folder, and all that was said where there is none."""
    capsys.readouterr()
    code = main.run(["--project", os.fspath(root), "verify", *map(os.fspath, words), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out)[0] if code in (0, 1) else None, " ".join((said.out + said.err).split())


def test_a_binary_with_its_dependencies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = dependents.project(tmp_path)
    file = root / "pyproject.toml"  # it is built again in a clean place, whose path is another one
    file.write_text(file.read_text().replace('url = "wheels"', f'url = "{(root / "wheels").as_posix()}"'))
    build(root, "app", "binary", "--level", "bytecode", "--type", "release")
    folder = root / "app/build/packpack/binary/release/bytecode/linux_x86_64"
    code, answer, _ = verify(capsys, root, "--rebuild", folder)
    assert (code, answer["kind"], answer["notes"]) == (0, "binary", []), answer
    assert [check["name"] for check in answer["checks"]] == ["manifest", "files", "record", "names", "bytecode", "rebuild"]
    assert answer["checks"][0]["found"].endswith("bytecode, release, 4 dependencies")

    # Whoever imports a source from the folder leaves bytecode, which runs instead of it from then on.
    words = [sys.executable, "-c", "import sys; sys.dont_write_bytecode = False; sys.path.insert(0, '.'); import hardlib.old"]
    assert "SyntaxError" in run(words, cwd=folder).stderr
    (folder / "lone.py").write_text("print('evil')\n")
    (folder / "plainlib" / "core.pyc").unlink()
    code, answer, _ = verify(capsys, root, "--rebuild", folder)
    problems = [problem for check in answer["checks"] for problem in check["problems"]]
    assert (code, problems) == (1, ["'plainlib/core.pyc' of the manifest is not there", "'lone.py' is not in the manifest"])


def test_a_native_binary_and_its_sources(
    small_project: Callable[..., Path], cold_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_project({"main/inner.c": C})
    assert cold_cache.is_dir()
    assert main.run(["--project", os.fspath(root), "build", "small", "source", "binary", "--level", "native", "--quiet"]) == 0
    folder = root / "small/build/packpack/binary/debug/native/linux_x86_64"
    code, answer, _ = verify(capsys, root, "--rebuild", folder)
    assert (code, answer["checks"][-1]) == (
        0,
        {
            "name": "rebuild",
            "found": "built again from small with an empty cache: each file is the same to the byte",
            "problems": [],
        },
    )
    assert [check["name"] for check in answer["checks"]] == ["manifest", "files", "record", "names", "modules", "rebuild"]

    # The manifest may say another target; its machine code does not.
    manifest = folder / "manifest.json"
    before = manifest.read_bytes()
    manifest.write_bytes(before.replace(b'"linux_x86_64"', b'"linux_arm64"'))
    code, answer, _ = verify(capsys, root, folder)
    (only,) = [check["problems"] for check in answer["checks"] if check["problems"]]
    assert code == 1
    assert all("is elf for x86_64, and the target linux_arm64 says manylinux" in problem for problem in only)
    assert len(only) == 3
    manifest.write_bytes(before)

    source = root / "small/src/main/inner.c"
    source.write_text(C.replace('"inner"}', '"other"}'))
    code, answer, _ = verify(capsys, root, "--rebuild", folder)
    (problem,) = answer["checks"][-1]["problems"]
    assert code == 1
    assert problem.startswith("built again it is another one: 'small/inner.c' differs from byte 75 on: ")
    source.unlink()
    code, answer, _ = verify(capsys, root, "--rebuild", folder)
    assert "'small/inner.c' is in the artifact only, and 1 more" in answer["checks"][-1]["problems"][0]


def test_a_binary_that_cannot_be_built_again(small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    root = small_project()
    assert main.run(["--project", os.fspath(root), "build", "small", "source", "--quiet"]) == 0
    manifest = root / "small/build/packpack/binary/debug/instant/linux_x86_64/manifest.json"
    before = manifest.read_text()
    content = json.loads(before)
    for key, value, words in (
        ("pypackpack", "0.0.1", "was built by pypackpack 0.0.1, and this is"),
        ("target", "linux_arm64", "is for linux_arm64, and small has no such target"),
    ):
        manifest.write_text(json.dumps({**content, key: value}))
        code, _, said = verify(capsys, root, "--rebuild", manifest.parent)
        assert (code, words in said) == (2, True), said
    manifest.write_text(json.dumps({**content, "python": content["python"] + "9"}))
    code, _, said = verify(capsys, root, "--rebuild", manifest.parent, "--offline")
    assert code == 3, said
    manifest.write_text(before)
    settings = root / "small" / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(text.replace('version = "1.0"', 'version = "2.0"'))
    code, _, said = verify(capsys, root, "--rebuild", manifest.parent)
    assert (code, "is version 1.0 of small, and the project has 2.0" in said) == (2, True), said
    settings.write_text(text)
    other = small_project(folder="other")
    for file in (other / "pyproject.toml", other / "small" / "pyproject.toml"):
        file.write_text(file.read_text().replace('"small"', '"large"'))
    (other / "small").rename(other / "large")
    code, _, said = verify(capsys, other, "--rebuild", manifest.parent)
    assert (code, "is of small, and the project whole has no such package" in said) == (2, True), said
