"""The hooks as pip, build and uv call them."""

from __future__ import annotations

import os
import sys
import sysconfig
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.integration import frontends

if TYPE_CHECKING:
    from pathlib import Path

SERIES = f"cp{sys.version_info[0]}{sys.version_info[1]}"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> frontends.Environment:
    return frontends.fresh_environment(tmp_path_factory.mktemp("env") / "venv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = frontends.write_project(tmp_path / "whole")
    frontends.commit(root, "one")
    return root


def build(environment: frontends.Environment, package: Path, out: Path, *words: str) -> Path:
    """Run ``python -m build``; the folder of what it made."""
    done = environment.run("-m", "build", "--no-isolation", "-o", out, *words, package, cwd=package.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".gitignore"}


def metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()


@pytest.mark.parametrize("package", ["app", "."])
def test_build_and_uv_make_the_same_from_the_tree_and_from_the_sdist(
    package: str, environment: frontends.Environment, project: Path, tmp_path: Path
) -> None:
    folder = (project / package).resolve()
    through_sdist = files(build(environment, folder, tmp_path / "both"))
    straight = files(build(environment, folder, tmp_path / "wheel", "--wheel"))
    done = frontends._run(
        [frontends.uv.executable(), "build", "--no-build-isolation", "-p", environment.python, "-o", tmp_path / "uv", folder],
        tmp_path,
        None,
    )
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "uv") == through_sdist
    assert straight == {name: data for name, data in through_sdist.items() if name.endswith(".whl")}
    commit = frontends.git(project, "rev-parse", "HEAD")
    text = metadata(next((tmp_path / "wheel").glob("*.whl")))
    assert f"Requires-Dist: core @ git+{project.as_uri()}@{commit}#subdirectory=core" in text
    with tarfile.open(next((tmp_path / "both").glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    everywhere = {"PKG-INFO", "pyproject.toml", "LICENSE"}
    if package == ".":
        assert names == {*everywhere, "README.md"}
        assert "Requires-Dist: other @ git+" in text
        assert 'extra == "other"' in text
    else:
        sources = {"src/main/__init__.py", "src/main/__main__.py", "src/main/tool.py"}
        assert names == {*everywhere, *sources, "_project/README.md"}


def test_level_type_and_siblings(environment: frontends.Environment, project: Path, tmp_path: Path) -> None:
    core = project / "core"
    with (core / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.pypackpack.hooks]\nlevel = "bytecode"\n')
    assert list(files(build(environment, core, tmp_path / "a", "--wheel"))) == [f"core-1.0-{SERIES}-none-any.whl"]
    assert list(files(build(environment, core, tmp_path / "b", "--wheel", "-C", "level=instant"))) == [
        "core-1.0-py3-none-any.whl"
    ]
    words = ["--wheel", "-C", "level=native", "-C", "target=windows_amd64", "-C", "unknown=1"]
    (native,) = build(environment, core, tmp_path / "c", *words).glob("*.whl")
    assert native.name == f"core-1.0-{SERIES}-{SERIES}-win_amd64.whl"
    build(environment, project / "app", tmp_path / "d", "-C", "siblings=version")
    assert "Requires-Dist: core==1.0\n" in metadata(next((tmp_path / "d").glob("*.whl")))


def test_metadata_alone_is_that_of_the_wheel(environment: frontends.Environment, project: Path, tmp_path: Path) -> None:
    build(environment, project / "app", tmp_path / "out", "--wheel")
    code = f"from pypackpack import build_api; print(build_api.prepare_metadata_for_build_wheel({os.fspath(tmp_path)!r}))"
    name = environment.ask(code, project / "app")
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))) as archive:
        inside = {each: archive.read(each) for each in archive.namelist() if each.startswith(name)}
    alone = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
    # The bill of materials says what a wheel was made with, which nobody knows before it is made.
    made = ("/RECORD", "/WHEEL", "/sboms/pypackpack.cdx.json")
    assert alone == {each: data for each, data in inside.items() if not each.endswith(made)}
    assert not (project / "app" / "build" / "packpack" / "single" / "debug").exists()


def test_without_git_packages_name_each_other_by_folder_and_in_sdists_by_version(
    environment: frontends.Environment, tmp_path: Path
) -> None:
    project = frontends.write_project(tmp_path / "whole")
    out = build(environment, project / "app", tmp_path / "wheel", "--wheel")
    assert f"Requires-Dist: core @ {(project / 'core').as_uri()}\n" in metadata(next(out.glob("*.whl")))
    out = build(environment, project / "app", tmp_path / "both")
    assert "Requires-Dist: core==1.0\n" in metadata(next(out.glob("*.whl")))


@pytest.mark.parametrize("frontend", ["pip", "uv"])
def test_editable(frontend: str, project: Path, tmp_path: Path) -> None:
    """Edits are seen at once, with this machine's overlay, from the project's root too, where the folder ``core`` lies."""
    environment = frontends.fresh_environment(tmp_path / "env")
    environment.install(frontend, "-e", project / "app", cwd=project)
    environment.install(frontend, "-e", project / "core", cwd=project)
    assert environment.installed() == {"app": "1.0", "core": "1.0"}
    assert environment.run("-m", "app", cwd=project).stdout == "1\n"
    source = project / "core/src/main/__init__.py"
    source.write_text("def answer():\n    return 23456\n", encoding="utf-8")
    assert environment.run("-m", "app", cwd=project).stdout == "23456\n"
    overlay = project / "core/src" / ("windows" if os.name == "nt" else "macos" if sys.platform == "darwin" else "linux")
    (overlay / "data").mkdir(parents=True)
    (overlay / "data/note.txt").write_text("overlay", encoding="utf-8")
    (overlay / "extra.py").write_text("here = __file__\n", encoding="utf-8")
    assert environment.ask("import core.extra; print(core.extra.here)", project) == os.fspath(overlay / "extra.py")
    code = "import importlib.resources as r; print((r.files('core') / 'data' / 'note.txt').read_text())"
    assert environment.ask(code, project) == "overlay"
    assert environment.ask("import core; print(core.__file__)", project) == os.fspath(source)
    tool = environment.python.parent / ("the-tool.exe" if os.name == "nt" else "the-tool")
    assert frontends._run([tool], tmp_path, None).stdout == "tool\n"
    words = ["uninstall", "-y", "core"] if frontend == "pip" else None
    if words:
        done = environment.run("-m", "pip", *words, cwd=tmp_path)
    else:
        done = frontends._run([frontends.uv.executable(), "pip", "uninstall", "-p", environment.python, "core"], tmp_path, None)
    assert done.returncode == 0, done.stderr
    assert not [path for path in environment.site.iterdir() if "core" in path.name]
    assert source.is_file()


def test_type_checkers_follow(project: Path, tmp_path: Path) -> None:
    (project / "core/src/main/sub").mkdir()
    (project / "core/src/main/sub/__init__.py").write_text("", encoding="utf-8")
    (project / "core/src/main/sub/deep.py").write_text("def number() -> int:\n    return 1\n", encoding="utf-8")
    environment = frontends.fresh_environment(tmp_path / "env")
    environment.install("uv", "-e", project / "core", cwd=project)
    script = tmp_path / "script.py"
    script.write_text("from core.sub.deep import number\n\nword: str = number()\n", encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--python-executable", environment.python, "--cache-dir", tmp_path / "cache"]
    done = frontends._run([*mypy, script], tmp_path, None)
    assert "Incompatible types in assignment" in done.stdout, done.stdout + done.stderr
    (project / "core/src/main/sub/late.py").write_text("def text() -> str:\n    return ''\n", encoding="utf-8")
    script.write_text("from core.sub.late import text\n\nword: str = text()\n", encoding="utf-8")
    done = frontends._run([*mypy, script], tmp_path, None)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("frontend", ["pip", "build"])
def test_errors_are_those_of_the_command_line(
    frontend: str, environment: frontends.Environment, project: Path, tmp_path: Path
) -> None:
    core = project / "core"
    pyproject = (core / "pyproject.toml").read_text(encoding="utf-8")
    (core / "pyproject.toml").write_text(pyproject.replace("targets =", "tragets ="), encoding="utf-8")
    if frontend == "pip":
        done = environment.pip("-e", core, cwd=tmp_path)
    else:
        done = environment.run("-m", "build", "--no-isolation", core, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "error[bad-settings]: 1 setting is wrong in the project" in said
    assert 'core/pyproject.toml: tool.pypackpack.tragets: unknown key; did you mean "targets"?' in said
    assert "pypackpack/middleware" not in said


def test_outside_of_a_project(environment: frontends.Environment, tmp_path: Path) -> None:
    alone = frontends.write_project(tmp_path / "whole") / "core"
    alone.rename(tmp_path / "core")
    done = environment.run("-m", "build", "--no-isolation", "--wheel", tmp_path / "core", cwd=tmp_path)
    assert done.returncode != 0
    assert "error[no-project]" in done.stdout + done.stderr
    stranger = tmp_path / "whole" / "app"
    root = tmp_path / "whole" / "pyproject.toml"
    root.write_text(root.read_text(encoding="utf-8").replace('["core", "app", "other"]', '["other"]'), encoding="utf-8")
    done = environment.run("-m", "build", "--no-isolation", "--wheel", stranger, cwd=tmp_path)
    assert "is not among the packages of the project" in done.stdout + done.stderr


def test_a_wrong_value_of_a_config_setting(environment: frontends.Environment, project: Path, tmp_path: Path) -> None:
    done = environment.run("-m", "build", "--no-isolation", "-w", "-C", "level=fast", project / "core", cwd=tmp_path)
    assert done.returncode != 0
    assert "error[usage]: config setting level=fast: expected instant or bytecode or native" in done.stdout + done.stderr


def test_the_start_of_python_loads_a_few_lines(project: Path, tmp_path: Path) -> None:
    environment = frontends.fresh_environment(tmp_path / "env", inherit=False)
    environment.site.joinpath("tests.pth").write_text(f"{frontends.ROOT}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    before = set(environment.ask("import sys; print(*sys.modules)", tmp_path).split())
    environment.install("uv", "-e", project / "core", cwd=project)
    after = set(environment.ask("import sys; print(*sys.modules)", tmp_path).split())
    assert after - before == {"_editable_core"}
