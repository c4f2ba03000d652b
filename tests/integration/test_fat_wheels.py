"""Fat wheels built by the real command, and installed by real installers."""

from __future__ import annotations

import json
import sys
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.inspect import inspect
from pypackpack.middleware.verify import verify
from tests import dependents
from tests.builds import ROOT, build, members, run
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from collections.abc import Mapping


UV = Path(sys.executable).with_name("uv")


def environment(folder: Path) -> Path:
    """Make an empty environment and return its Python."""
    done = run([UV, "venv", "--quiet", "--no-project", "--python", sys.executable, folder], cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return folder / "bin" / "python"


def install(python: Path, *words: str | Path) -> None:
    done = run([UV, "pip", "install", "--quiet", "--offline", "--python", python, *words], cwd=python.parent)
    assert done.returncode == 0, done.stderr


def ask(python: Path, code: str, *, env: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - what the code prints
    done = run([python, "-c", code], cwd=python.parent, env={"PYTHONPATH": "", **(env or {})})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def project(folder: Path, **words: Any) -> Path:  # noqa: ANN401
    root = dependents.project(folder, **words)
    file = root / "app" / "pyproject.toml"
    more = '[project.scripts]\nappcmd = "app:main"\n[project.entry-points."app.plugins"]\none = "app:main"\n[tool.pypackpack]'
    file.write_text(file.read_text().replace("[tool.pypackpack]", more, 1))
    main = root / "app" / "src" / "main"
    (main / "__init__.py").write_text("import plainlib\n\ndef main():\n    print(plainlib.double(21))\n")
    (main / "__main__.py").write_text("from app import main\nmain()\n")
    return root


@pytest.mark.parametrize(("level", "kind"), [("instant", "debug"), ("native", "release")])
def test_it_carries_all_that_the_package_needs(level: str, kind: str, tmp_path: Path) -> None:
    root = project(tmp_path)
    words = ("fat", "--level", level, "--type", kind)
    built = build(root, "app", *words)
    (made,) = built.wheels()
    native = level == "native"
    series = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert made.name == f"app_fat-1-{series}-{series if native else 'none'}-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    again = build(root, "app", *words)
    assert (again.answer["tasks_run"], again.answer["artifacts"][0]["sha256"]) == (0, built.answer["artifacts"][0]["sha256"])
    assert all(check.problems == () for check in verify(made).checks)
    files = members(made)
    metadata = HeaderParser().parsestr(files["app_fat-1.dist-info/METADATA"].decode())
    assert (metadata["Name"], metadata.get_all("Requires-Dist")) == ("app-fat", None)
    shim = files["app/__init__.py"].decode()
    assert "'hardlib', 'lone', 'plainlib', 'spaced'" in shim
    # One distribution in an empty environment, which asks for nothing; commands and plugins are its own, each once.
    python = environment(tmp_path / "venv")
    install(python, made)
    found = ask(python, dependents.QUESTIONS)
    modules = sorted(["app", *dependents.NATIVE]) if native else []
    assert found == {"answers": dependents.ANSWERS, "words": 1500, "gone": [], "wrong": [], "native": modules}
    assert run([python.with_name("appcmd")], cwd=tmp_path).stdout == "42\n"
    assert run([python, "-m", "app"], cwd=tmp_path).stdout == "42\n"
    plugins = "import app, json; from importlib.metadata import entry_points, version as v\n"
    plugins += "print(json.dumps([[each.name for each in entry_points(group='app.plugins')], v('app'), v('app-fat'), v('lone')]))"
    assert ask(python, plugins) == [["one"], "1", "1", "1.0"]


def test_another_version_of_a_dependency_stays_as_it_is(tmp_path: Path) -> None:
    root = project(tmp_path)
    (made,) = build(root, "app", "fat").wheels()
    python = environment(tmp_path / "venv")
    install(python, made, wheel(tmp_path / "other", "plainlib", "9.0"))
    version = "import plainlib, json; print(json.dumps(getattr(plainlib, 'VERSION', '1.0')))"
    assert ask(python, version) == "9.0"
    assert ask(python, f"import app; {version}") == "1.0"
    # Who imported the other one before is told where both lie.
    both = "import json, warnings, plainlib\nwith warnings.catch_warnings(record=True) as said:\n    import app\n"
    both += "print(json.dumps([plainlib.VERSION, *(str(each.message) for each in said)]))"
    there, said = ask(python, both)
    assert there == "9.0"
    assert "app carries its own plainlib" in said
    assert str(python.parents[1] / "lib") in said
    done = run([UV, "pip", "uninstall", "--quiet", "--python", python, "app-fat"], cwd=tmp_path)
    assert (done.returncode, ask(python, version)) == (0, "9.0")
    assert not list(python.parents[1].glob("lib/*/site-packages/app*"))


def test_pip_installs_it_into_any_folder_and_zip_files_work(tmp_path: Path) -> None:
    root = project(tmp_path)
    (made,) = build(root, "app", "fat").wheels()
    folder = tmp_path / "anywhere"
    words = ["install", "--quiet", "--no-index", "--disable-pip-version-check", "--target", folder, made]
    done = run([sys.executable, "-m", "pip", *words], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    python = Path(sys.executable)
    for place in (folder, made):
        code = "import app, json, hardlib.words; print(json.dumps([app.__file__, len(hardlib.words.WORDS)]))"
        file, words_ = ask(python, code, env={"PYTHONPATH": str(place)})
        assert (file, words_) == (str(place / "app" / "_carried" / "app" / "__init__.py"), 1500)


def test_settings_name_it_and_inspect_shows_what_it_carries(tmp_path: Path) -> None:
    settings = '[tool.pypackpack.bundle]\nfat-name = "Whole.App"\n'
    root = project(tmp_path, settings=settings)
    (made,) = build(root, "app", "fat", "--level", "bytecode").wheels()
    assert made.name.startswith("whole_app-1-")
    seen = inspect(made)
    assert (seen.name, seen.level, seen.notes) == ("Whole.App", "bytecode", ())
    assert [module.module for module in seen.modules] == ["app", "app.__main__"]
    assert seen.modules[0].file.startswith("app/_carried/app/")
    assert {each.name: (each.version, each.level) for each in seen.dependencies} == {
        name.replace("-", "_"): ("1.0", "bytecode") for name in dependents.DISTRIBUTIONS
    }
    bill = json.loads(members(made)["whole_app-1.dist-info/sboms/pypackpack.cdx.json"])
    assert [each["name"] for each in bill["metadata"]["component"]["components"]] == sorted(dependents.DISTRIBUTIONS)
    assert bill["compositions"][0]["aggregate"] == "complete"
    file = root / "app" / "pyproject.toml"
    file.write_text(file.read_text().replace('"Whole.App"', '"plainlib"'))
    done = run([sys.executable, "-m", "pypackpack", "build", "app", "source", "fat"], cwd=root, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "fat-name: a fat wheel cannot be called plainlib" in done.stderr
