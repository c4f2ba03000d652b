"""Fat wheels built by the real command, and installed by real installers."""

from __future__ import annotations

import hashlib
import json
import sys
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.inspect import inspect
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.verify import verify
from pypackpack.middleware.verify.rebuild import rebuild
from pypackpack.model.build import Silent
from tests import dependents
from tests.builds import ROOT, build, linked, members, run, unpack
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


def dry(root: Path, *words: str) -> str:
    """Return the states of the tasks that a build with these words would have."""
    states = {task["state"] for task in build(root, "app", *words, "--dry-run").answer["tasks"]}
    return ", ".join(sorted(states))


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
    assert dry(root, *words) == "remembered"
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
    assert ("Cython" in linked(files)) == native  # the package may be compiled by another one than its dependencies
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


def test_a_wheel_with_another_tag_of_an_earlier_build_is_named(tmp_path: Path) -> None:
    """As when a dependency with machine code came or went meanwhile: both are for the same Python and platform."""
    root = dependents.project(tmp_path)
    (made,) = build(root, "app", "fat").wheels()
    name, version, python, abi, platform = made.name.split("-")
    older = made.with_name("-".join((name, version, python, "none" if abi != "none" else python, platform)))
    older.write_bytes(made.read_bytes())
    assert older.name in " ".join(build(root, "app", "fat").answer["warnings"])
    older.unlink()
    assert build(root, "app", "fat").answer["warnings"] == []


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
    # Built again in a clean place, whose path is another one: so the index is named by its whole path.
    index = root / "pyproject.toml"
    index.write_text(index.read_text().replace('url = "wheels"', f'url = "{root / "wheels"}"'))
    (made,) = build(root, "app", "fat", "--level", "bytecode").wheels()
    checked = rebuild(made, load_project(root), Silent())
    assert checked.found == "built again from Whole.App with an empty cache: the same to the byte", checked.problems
    file = root / "app" / "pyproject.toml"
    file.write_text(file.read_text().replace('"Whole.App"', '"plainlib"'))
    done = run([sys.executable, "-m", "pypackpack", "build", "app", "source", "fat"], cwd=root, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "fat-name: a fat wheel cannot be called plainlib" in done.stderr


def installers(python: Path, folder: Path) -> list[list[str | Path]]:
    """Return the ways to install the package from a folder of wheels: by pip and by uv, from its index and from the files."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-cache-dir"]
    uv = [UV, "pip", "install", "--quiet", "--no-cache", "--offline", "--python", python]
    index, files = ["--index-url", (folder / "simple").as_uri()], ["--no-index", "--find-links", folder]
    ways = [[*uv, *index], [*uv, *files]]
    return [[*way, "app"] for way in ways] + [
        [*pip, "--target", python.parents[1] / str(number), *way, "app"] for number, way in enumerate((index, files))
    ]


@pytest.mark.parametrize("level", ["instant", "native"])
def test_a_folder_of_wheels_installs_without_an_index(level: str, tmp_path: Path) -> None:
    root = project(tmp_path, settings='[tool.pypackpack.bundle]\nfat-layout = "separate"\n')
    words = ("fat", "--level", level, "--type", "release")  # what a debug build has as bytecode, pip writes over
    built = build(root, "app", *words)
    folder = built.wheel("linux_x86_64")
    names = sorted(path.name for path in folder.glob("*.whl"))
    originals = {path.name: path.read_bytes() for path in (root / "wheels").iterdir()}
    series = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if level == "instant":
        assert names == sorted(["app-1-py3-none-any.whl", *originals])
        assert all((folder / name).read_bytes() == data for name, data in originals.items())
    else:
        tag = f"{series}-{series}-manylinux2014_x86_64.manylinux_2_17_x86_64"
        assert names == sorted(
            f"{name}-{tag}.whl" for name in ("app-1", "hardlib-1.0", "lone-1.0", "plainlib-1.0", "spaced_one-1.0")
        )
        assert all(check.problems == () for name in names for check in verify(folder / name).checks)
        seen = inspect(next(folder.glob("hardlib-*.whl")))
        assert (seen.level, seen.type, seen.notes) == ("native", "release", ())
        assert (seen.compiler.name, seen.toolchain.name) == ("cython", "zig")
        forms = {module.module: (module.form, bool(module.reason)) for module in seen.modules}
        assert forms == {
            "hardlib": ("extension", False),
            "hardlib.old": ("source", True),
            "hardlib.words": ("bytecode", True),
            "hardlib.rude": (forms["hardlib.rude"][0], forms["hardlib.rude"][0] != "extension"),
        }
        files = members(seen.path)
        bill = json.loads(files["hardlib-1.0.dist-info/sboms/pypackpack.cdx.json"])
        (ancestor,) = bill["metadata"]["component"]["pedigree"]["ancestors"]
        original = originals["hardlib-1.0-py3-none-any.whl"]
        assert ancestor["externalReferences"][0]["hashes"][0]["content"] == hashlib.sha256(original).hexdigest()
        assert "Cython" in linked(files)
        assert {each["name"] for each in bill["formulation"][0]["components"]} >= {"Cython", "zig"}
    sums = run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
    assert sums.returncode == 0, sums.stdout
    page = (folder / "simple" / "spaced-one" / "index.html").read_text()
    assert f'href="../../{next(name for name in names if name.startswith("spaced"))}#sha256=' in page
    moved = tmp_path / "else where"
    folder.rename(moved)
    python = environment(tmp_path / "venv")
    for number, way in enumerate(installers(python, moved)):
        if level == "native" and number % 3:
            continue
        done = run(way, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        place = {"PYTHONPATH": str(python.parents[1] / str(number - 2))} if number > 1 else {}
        found = ask(python if number < 2 else Path(sys.executable), dependents.QUESTIONS, env=place)
        native = sorted(["app", *dependents.NATIVE]) if level == "native" else []
        assert found == {"answers": dependents.ANSWERS, "words": 1500, "gone": [], "wrong": [], "native": native}
        done = run([UV, "pip", "uninstall", "--quiet", "--python", python, "app", *dependents.DISTRIBUTIONS], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    # All is remembered: nothing runs, and what is put in place again is the same.
    again = build(root, "app", *words, "--offline")
    assert (again.answer["tasks_run"], again.answer["artifacts"][0]["sha256"]) == (0, built.answer["artifacts"][0]["sha256"])
    assert sorted(path.name for path in folder.glob("*.whl")) == names
    assert dry(root, *words) == "remembered"
    if level == "instant":
        return
    # The package's own wheels can be built again; dependencies are named, and alone refused.
    index = root / "pyproject.toml"
    index.write_text(index.read_text().replace('url = "wheels"', f'url = "{root / "wheels"}"'))
    folder = build(root, "app", *words).wheel("linux_x86_64")
    ppp = [sys.executable, "-m", "pypackpack"]
    paths = sorted(folder.glob("*.whl"))
    done = run([*ppp, "verify", "--rebuild", *paths, "--json"], cwd=root, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    mine, *others = json.loads(done.stdout)
    assert (mine["notes"], mine["checks"][-1]["name"], mine["checks"][-1]["problems"]) == ([], "rebuild", [])
    assert [each["notes"] for each in others] == [["a dependency of app; it cannot be built again"]] * 4
    for command, said in (
        (["verify", "--rebuild", paths[1]], "is of hardlib, a dependency of app; it cannot be built again"),
        (["verify", folder], "is a folder of wheels"),
        (["inspect", folder], "is a folder of wheels"),
    ):
        done = run([*ppp, *command], cwd=root, env={"PYTHONPATH": str(ROOT)})
        assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_what_a_wheel_has_beside_site_packages_stays_when_it_is_compiled(tmp_path: Path) -> None:
    root = project(
        tmp_path, settings='[tool.pypackpack.bundle]\nfat-layout = "separate"\n[tool.pypackpack.build]\ndependencies = ["lone"]\n'
    )
    data = {**dependents.LONE, "lone-1.0.data/scripts/tool": "#!python\nprint(1)\n", "lone-1.0.data/data/share/x.txt": "x"}
    wheel(root / "wheels", "lone", more=data)
    folder = build(root, "app", "fat", "--level", "bytecode", "--type", "release").wheel("linux_x86_64")
    (made,) = folder.glob("lone-1.0-*.whl")
    files = members(made)
    assert {"lone-1.0.data/scripts/tool", "lone-1.0.data/data/share/x.txt", "lone.pyc"} < set(files)
    assert (folder / "plainlib-1.0-py3-none-any.whl").read_bytes() == (
        root / "wheels" / "plainlib-1.0-py3-none-any.whl"
    ).read_bytes()
    python = environment(tmp_path / "venv")
    done = run([UV, "pip", "install", "--quiet", "--offline", "--python", python, "--no-index", "--no-deps", made], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run([python.with_name("tool")], cwd=tmp_path).stdout == "1\n"
    assert (python.parents[1] / "share" / "x.txt").read_text() == "x"


def test_what_does_not_go_along_is_named(tmp_path: Path) -> None:
    root = project(tmp_path)
    more = {"lone-1.0.data/scripts/tool": "#!python\nprint(1)\n", "lone-away.pth": "../elsewhere\n"}
    more["lone-1.0.dist-info/entry_points.txt"] = "[console_scripts]\nlone = lone:name\n"
    wheel(root / "wheels", "lone", more={**dependents.LONE, **more})
    built = build(root, "app", "fat")
    said = "\n".join(built.answer["warnings"])
    assert "commands of dependencies do not go along: `lone`, `tool` of lone 1.0" in said
    assert "lone-away.pth of lone 1.0 does not go along" in said
    (made,) = built.wheels()
    assert not [name for name in members(made) if "pypackpack_scripts" in name or name.endswith(".pth")]
    # In a folder of wheels the compiled one has them as the original.
    file = root / "app" / "pyproject.toml"
    file.write_text(file.read_text() + '[tool.pypackpack.bundle]\nfat-layout = "separate"\n')
    again = build(root, "app", "fat", "--level", "bytecode")
    (compiled,) = again.wheel("linux_x86_64").glob("lone-*.whl")
    assert {"lone-1.0.data/scripts/tool", "lone-away.pth", "lone.py"} < set(members(compiled))
    # What the other layout has left is named, both ways; what is of this one is not.
    (old,) = build(root, "app", "fat").answer["warnings"]
    assert old.startswith(f"{made.name} is of an earlier build, with another `fat-layout`; `pypackpack clean app`")
    assert again.answer["warnings"] == []
    file.write_text(file.read_text().replace('"separate"', '"single"'))
    said = "\n".join(build(root, "app", "fat").answer["warnings"])
    assert "linux_x86_64/ is of an earlier build, with another `fat-layout`" in said


def test_packages_of_the_project_go_along_and_a_package_that_needs_nothing_carries_itself(tmp_path: Path) -> None:
    root = dependents.project(tmp_path)
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text().replace('["app"]', '["app", "front"]'))
    main = root / "front" / "src" / "main"
    main.mkdir(parents=True)
    (main / "__init__.py").write_text("import app, plainlib\nANSWER = plainlib.double(21)\n")
    settings = '[tool.pypackpack]\ntargets = ["linux_x86_64"]\n'
    (root / "front" / "pyproject.toml").write_text(
        f'[project]\nname = "front"\nversion = "3"\ndependencies = ["app"]\n{settings}'
    )
    (made,) = build(root, "front", "fat").wheels()
    files = members(made)
    assert {"front/_carried/app/__init__.py", "front/_carried/app-1.dist-info/RECORD", "front/_carried/plainlib/core.py"} < set(
        files
    )
    bill = json.loads(files["front_fat-3.dist-info/sboms/pypackpack.cdx.json"])["metadata"]["component"]["components"]
    assert [each["name"] for each in bill] == sorted(["app", *dependents.DISTRIBUTIONS])
    ask_front = (
        "import front, json, importlib.metadata as m; print(json.dumps([front.ANSWER, m.version('app'), front.app.__file__]))"
    )
    site = unpack([made], tmp_path / "site")
    answer, version, place = ask(Path(sys.executable), ask_front, env={"PYTHONPATH": str(site)})
    assert (answer, version, place) == (42, "1", str(site / "front" / "_carried" / "app" / "__init__.py"))
    # Nothing needed: then it carries itself, and says so.
    (main / "__init__.py").write_text("ANSWER = 1\n")
    (root / "front" / "pyproject.toml").write_text(f'[project]\nname = "front"\nversion = "3"\n{settings}')
    (alone,) = build(root, "front", "fat").wheels()
    assert [name for name in members(alone) if ".dist-info/" not in name] == [
        "front/__init__.py",
        "front/_carried/front/__init__.py",
    ]
    assert ask(Path(sys.executable), "import front; print(front.ANSWER)", env={"PYTHONPATH": str(alone)}) == 1
    # A dependency that has a file of the package is refused, and what stood stays.
    wheel(root / "wheels", "rival", more={"front/__init__.py": ""})
    (root / "front" / "pyproject.toml").write_text(
        f'[project]\nname = "front"\nversion = "3"\ndependencies = ["rival"]\n{settings}'
    )
    words = [sys.executable, "-m", "pypackpack", "build", "front", "source", "fat"]
    done = run(words, cwd=root, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert "'front/__init__.py' twice (from front and from rival 1.0)" in done.stderr
    assert ask(Path(sys.executable), "import front; print(front.ANSWER)", env={"PYTHONPATH": str(alone)}) == 1
