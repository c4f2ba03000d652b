"""From a release to a patch of it and back, by the command line and with pip."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_release_and_its_patch(small_project: Callable[..., Path], tmp_path: Path, own_cache: Path) -> None:
    root = small_project()
    package = next(path.parent for path in root.glob("*/pyproject.toml"))
    name, build = package.name, package / "build" / "packpack"

    def run(*words: str, code: int = 0, form: tuple[str, ...] = ("--json",)) -> str:
        done = subprocess.run([sys.executable, "-m", "pypackpack", *words, *form], cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    command = ("build", name, "source", "patch", "--type", "release", "--target", "host", "--offline")
    assert "nothing was released yet" in run(*command, code=2)
    run("build", name, "source", "single", "--type", "release", "--target", "host", "--offline")
    run("release", name)
    said = run(*command, "--level", "bytecode", code=2)
    assert "has no primary at level bytecode: it was released at instant" in said
    assert "Add `--level instant`" in said
    module = package / "src" / "main" / "mod.py"
    module.write_text(module.read_text().replace("42", "43"))
    run("clean", name)  # the primary does not lie in build/ alone
    planned = json.loads(run(*command[:-1], "--dry-run"))["tasks"]
    assert [(each["step"], each["state"]) for each in planned][-2:] == [("bundle", "behind"), ("patch", "behind")]
    assert not build.exists()
    said = " ".join(run(*command, form=()).split())
    assert f"p1 is not recorded: `pypackpack release {name}` when you ship it" in said
    planned = json.loads(run(*command[:-1], "--dry-run"))["tasks"]
    assert {each["state"] for each in planned} == {"remembered"}
    listed = json.loads(run("tasks", name, "source", "patch", "--type", "release", "--target", "host"))
    assert [(each["step"], each["tasks"], each["remembered"]) for each in listed["steps"]][-1] == ("patch", 1, 1)
    (patch,) = (build / "patch" / "release" / "instant").glob("*-p1-*.whl.patch")
    (new,) = (build / "patch" / "release" / "instant").glob("*.whl")
    (old,) = (own_cache / "releases-v1").glob("*/*.whl")
    first = patch.read_bytes()
    patch.unlink()
    run(*command)
    assert patch.read_bytes() == first  # its number is not taken yet, and nothing has changed
    ran = [line for line in run(*command, "--rerun", "patch").splitlines() if '"kind": "patch"' in line]
    assert [each["cached"] for each in json.loads(ran[-1])["artifacts"] if each["kind"] == "patch"] == [False]
    assert "is a wheel, and no patch" in run("patch", "show", str(new), code=2)
    assert "is a patch" in run("patch", "apply", str(patch), "--to", str(patch), code=2)
    result = tmp_path / "out" / new.name
    mine = json.loads(run("patch", "show", str(patch)))["identity"]
    wrong = ("--to", str(old), "--expect", "0" * 64)
    assert "untrusted-artifact" in run("patch", "apply", str(patch), "-o", str(result.parent), *wrong, code=1)
    assert "64 hexadecimal digits" in run("patch", "verify", str(patch), *wrong[:3], "", code=2)
    assert not result.exists()
    assert run("patch", "verify", str(patch), "--to", str(old)) == run("patch", "verify", str(patch), "--base", str(old))
    run("patch", "apply", str(patch), "--to", str(old), "-o", str(result.parent), "--expect", mine)
    run("patch", "apply", str(patch), "--to", str(new), "-o", str(result.parent), code=2)
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(result)], check=True)
    code = f"import {name}.mod as m, importlib.metadata as i; print(m.answer(), i.version({name!r}))"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True)
    answer, version = done.stdout.split()
    assert answer == "43"
    assert version.endswith("+patch.1")
    again = [each for each in json.loads(run("verify", "--rebuild", str(patch)))[0]["checks"] if each["name"] == "rebuild"]
    assert again[0]["found"].endswith("and made again: the same to the byte")
    assert result.read_bytes() != new.read_bytes()
    again = [each for each in json.loads(run("verify", "--rebuild", str(result)))[0]["checks"] if each["name"] == "rebuild"]
    assert "each file in it is the same to the byte; the archive is as `patch apply` writes it" in again[0]["found"]
    other = tmp_path / "primary.whl"
    shutil.copy(old, other)
    text = module.read_text()
    module.write_text(text.replace("43", "44"))
    said = run("verify", "--rebuild", "--base", str(other), str(patch), code=1)
    assert f"built again, the wheel that it leads to is another one: '{name}/mod.py' differs from byte" in said
    module.write_text(text)
    run("release", name)
    run(*command)
    assert list(patch.parent.glob("*-p2-*.whl.patch"))
    stranger = tmp_path / old.name.replace("-1.0-", "-0.9-")
    shutil.copy(old, stranger)
    said = run(*command, "--base", str(stranger), form=())
    assert "small-0.9-p1-" in said
    assert "is not recorded" not in said  # release could not record a patch of what was not released
    shutil.rmtree(own_cache / "releases-v1")
    assert "which small-1.0-p1-py3-none-any.whl.patch is made against, is not on this machine" in run("verify", "--rebuild", str(patch), code=2)
    module.write_text(module.read_text() + "\n")
    assert "--base" in run(*command, code=1)
