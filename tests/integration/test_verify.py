"""Wheels that are built are what they say; what is not is refused; and the page's recipe for CI does what it says, word for word."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.backend.tools import pinned
from pypackpack.frontend.cli import main
from pypackpack.middleware.compile.linked import ZIG_LLVM
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.verify.rebuild import wheels_again
from pypackpack.model.build import Silent
from pypackpack.model.errors import UsageError
from tests.builds import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = ROOT / "docs" / "how-to" / "verify.md"
BILL = "small-1.0.dist-info/sboms/pypackpack.cdx.json"
C = """\
#include <Python.h>
extern void *_PyInterpreterState_GetConfig(void *);
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "inner"};
PyMODINIT_FUNC PyInit_inner(void) { return _PyInterpreterState_GetConfig(0) ? 0 : PyModule_Create(&d); }
"""
CPP = """\
#include <Python.h>
#include <string>
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "plus"};
PyMODINIT_FUNC PyInit_plus(void) { return std::string("x").empty() ? 0 : PyModule_Create(&d); }
"""


def ppp(root: Path, *words: str) -> int:
    return main.run(["--project", os.fspath(root), *words])


def wheel_in(root: Path, level: str) -> Path:
    (found,) = (root / "small" / "build" / "packpack" / "single" / "release" / level).glob("*.whl")
    return found


def bill(wheel: Path) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(BILL).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_audit_keeps_what_is_not_in_the_stable_abi_from_a_release(
    small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = '[tool.pypackpack.build]\nabi = "abi3"\n'
    root = small_project({"main/inner.c": C, "main/plus.cpp": CPP}, settings=settings)
    words = ("build", "small", "source", "single", "--type", "release", "--level", "native", "--quiet")
    assert ppp(root, *words) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "audit-failed" in said or "would not run wherever its tags say" in said
    assert "small/inner.abi3.so uses _PyInterpreterState_GetConfig, which is not in the stable ABI" in said
    assert not list((root / "small" / "build").rglob("*.whl"))

    assert ppp(root, *words, "--no-audit") == 0
    capsys.readouterr()
    made = wheel_in(root, "native")
    assert ppp(root, "verify", os.fspath(made), "--json") == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert [check["problems"] for check in answer["checks"]] == [[]] * 4
    assert ppp(root, "verify", "--audit", os.fspath(made)) == 1
    assert "_PyInterpreterState_GetConfig" in capsys.readouterr().out
    assert ppp(root, *words, "--audit", "--no-audit") == 2

    content = bill(made)
    linked = {each["name"]: each["version"] for each in content["metadata"]["component"]["components"]}
    assert linked["libc++"] == ZIG_LLVM
    assert set(linked) == {"Cython", "libc++", "libc++abi"}
    assert {each["name"] for each in content["formulation"][0]["components"]} == {"Cython", "zig"}


def test_the_version_of_zigs_library_is_that_of_its_files() -> None:
    config = pinned.ensure_tool("ziglang") / "ziglang" / "lib" / "libcxx" / "include" / "__config"
    found = re.search(r"define _LIBCPP_VERSION (\d+)(\d\d)(\d\d)\b", config.read_text(encoding="utf-8"))
    assert found is not None
    assert ".".join(str(int(part)) for part in found.groups()) == ZIG_LLVM


@pytest.mark.parametrize("level", ["instant", "bytecode"])
def test_rebuilding_says_where_the_sources_are_others(
    level: str, small_project: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_project({"main/data.txt": "0123456789\n"})
    assert ppp(root, "build", "small", "source", "single", "--type", "release", "--level", level, "--quiet") == 0
    made = tmp_path / wheel_in(root, level).name
    shutil.copy(wheel_in(root, level), made)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert ppp(root, "verify", "--rebuild", os.fspath(made)) == 0
    assert "with an empty cache: the same to the byte" in " ".join(capsys.readouterr().out.split())
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before

    data = tmp_path / "small-1.0-any.resource"
    assert ppp(root, "build", "small", "resource", "--quiet") == 0
    shutil.copy(root / "small" / "build" / "packpack" / "resource" / data.name, data)
    capsys.readouterr()
    assert ppp(root, "verify", "--rebuild", os.fspath(data)) == 0
    assert "packed again from small with an empty cache: the same to the byte" in " ".join(capsys.readouterr().out.split())

    (root / "small" / "src" / "main" / "data.txt").write_text("01234X6789\n")
    assert ppp(root, "verify", "--rebuild", os.fspath(data)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "packed again it is another file: 'data.txt' differs (it has 11 bytes, in the rebuild 11)" in said
    assert ppp(root, "verify", "--rebuild", os.fspath(made)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "'small/data.txt' differs from byte 5 on: '56789" in said.replace("\\n", "") or "differs from byte 5 on" in said
    (root / "small" / "src" / "main" / "data.txt").unlink()
    assert ppp(root, "verify", "--rebuild", os.fspath(made)) == 1
    assert "'small/data.txt' is in the artifact only" in " ".join(capsys.readouterr().out.split())


def test_what_cannot_be_rebuilt(small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    root = small_project()
    assert ppp(root, "build", "small", "source", "single", "--type", "release", "--quiet") == 0
    made = wheel_in(root, "instant")
    settings = root / "small" / "pyproject.toml"
    settings.write_text(settings.read_text().replace('version = "1.0"', 'version = "2.0"'))
    capsys.readouterr()
    assert ppp(root, "verify", "--rebuild", os.fspath(made)) == 2
    assert "is version 1.0 of small, and the project has 2.0" in " ".join(capsys.readouterr().err.split())
    link = root.with_name("link")  # a project that is reached by a link is the same
    settings.write_text(settings.read_text().replace('version = "2.0"', 'version = "1.0"'))
    link.symlink_to(root, target_is_directory=True)
    assert ppp(link, "verify", "--rebuild", os.fspath(made)) == 0
    seen = replace(inspect_wheel(made), level="evil")
    with pytest.raises(UsageError, match="built as '' at level 'evil'"):
        wheels_again(seen, root / "scratch", load_project(root), Silent(), offline=True)


class Runner:
    """Does what GitHub does with a workflow, as far as the page uses it: an action that it does not know is an error."""

    def __init__(self, folder: Path, project: Callable[[str], Path]) -> None:
        self._folder, self._project = folder, project
        self.artifacts: dict[str, list[Path]] = {}
        self.ran: list[str] = []

    def job(self, job: dict[str, Any], values: dict[str, str], cache: Path) -> None:
        root = self._folder / "-".join(["job", *values.values()])
        for step in job["steps"]:
            with_ = {key: self._filled(str(text), values) for key, text in step.get("with", {}).items()}
            if "run" in step:
                self._command(step["run"], root, cache)
            elif step["uses"] == "actions/checkout@v4":
                shutil.copytree(self._project("billing"), root)
            elif step["uses"] == "actions/upload-artifact@v4":
                self.artifacts[with_["name"]] = list(root.glob(with_["path"]))
                assert self.artifacts[with_["name"]]
            elif step["uses"] == "actions/download-artifact@v4":
                for name, files in self.artifacts.items():
                    (root / name).mkdir()
                    for file in files:
                        shutil.copy(file, root / name)
            else:
                assert step["uses"] == "actions/setup-python@v5"
                assert with_["python-version"].startswith("3.")

    @staticmethod
    def _filled(text: str, values: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found: values[found[1]], text)

    def _command(self, line: str, root: Path, cache: Path) -> None:
        self.ran.append(line)
        if line.startswith("python -m pip install"):
            assert line.endswith(f'"pypackpack=={__version__}"')
            return
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), filesystem.CACHE_VARIABLE: str(cache), "NO_COLOR": "1"}
        done = subprocess.run(["bash", "-e", "-c", line], cwd=root, env=env, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.skipif(sys.platform == "win32", reason="the page's machines have a POSIX shell")
def test_the_recipe_for_ci(small_project: Callable[..., Path], tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    workflow = yaml.safe_load(block)

    def project(name: str) -> Path:
        root = tmp_path / "sources"
        if not root.exists():
            shutil.copytree(small_project(), root)
            (root / "small").rename(root / name)
            for file in (root / "pyproject.toml", root / name / "pyproject.toml"):
                file.write_text(file.read_text().replace('"small"', f'"{name}"'))
            (root / name / "src" / "main" / "mod.py").write_text("def answer():\n    return 42\n")
        return root

    def cache(name: str) -> Path:
        made = tmp_path / f"cache-{name}"
        made.mkdir()
        (made / "tools-v1").symlink_to(filesystem.cache_folder() / "tools-v1", target_is_directory=True)
        return made

    runner = Runner(tmp_path, project)
    build, compare = workflow["jobs"]["build"], workflow["jobs"]["compare"]
    assert compare["needs"] == "build"
    for system in build["strategy"]["matrix"]["os"]:
        runner.job(build, {"os": system}, cache(system))
    runner.job(compare, {}, cache("compare"))
    assert [line.split()[1] for line in runner.ran if line.startswith("pypackpack")] == ["build", "verify"] * 2 + ["verify"]
