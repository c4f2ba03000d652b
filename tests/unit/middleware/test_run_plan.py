"""What `run` decides to start, and in which environment; nothing is started here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pypackpack.backend import handover
from pypackpack.middleware import run
from pypackpack.model.errors import MissingToolError, NoProjectError, UsageError

ROOT = '[project]\nname = "shop"\n\n[tool.pypackpack] # ours\npackages = [\n  "web",  # the site\n  "billing",\n]\n'


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path.resolve() / "der läden"
    (root / "services" / "x").mkdir(parents=True)
    (root / "pyproject.toml").write_text(ROOT, encoding="utf-8")
    (root / "services" / "x" / "main.py").write_text("", encoding="utf-8")
    venv = os.fspath(root / ".venv")
    program(Path(handover.python_of(venv)))
    program(Path(handover.programs_folder(venv)) / name("pytest"))
    monkeypatch.chdir(root / "services")
    return root


def name(word: str) -> str:
    return f"{word}.exe" if sys.platform == "win32" else word


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    path.chmod(0o755)
    return path


def plan(*words: str, start: str = ".", env: dict[str, str] | None = None, named: bool = False) -> run.Start:
    return run.plan(start, words, {"PATH": os.defpath} if env is None else env, named=named)


def test_a_script_keeps_its_words_and_the_folder(shop: Path) -> None:
    found = plan("x/main.py", "--help", "--json", "a b", "")
    python = handover.python_of(os.fspath(shop / ".venv"))
    assert (found.program, found.words) == (python, [python, "x/main.py", "--help", "--json", "a b", ""])


def test_the_environment_is_the_projects_whatever_is_activated(shop: Path, tmp_path: Path) -> None:
    other = os.fspath(tmp_path / "other")
    path = os.pathsep.join(
        [handover.programs_folder(other), "/usr/bin", handover.programs_folder(os.fspath(shop / ".venv")) + os.sep]
    )
    before = {
        "PATH": path,
        "VIRTUAL_ENV": other,
        "VIRTUAL_ENV_PROMPT": "other",
        "PYTHONHOME": "/x",
        "PYTHONPATH": "/theirs",
        "HOME": "/h",
    }
    env = plan("x/main.py", env=before).environment
    venv = os.fspath(shop / ".venv")
    assert env["PATH"].split(os.pathsep) == [handover.programs_folder(venv), "/usr/bin"]
    assert env["VIRTUAL_ENV"] == venv
    assert env["PYTHONPATH"].split(os.pathsep) == [os.fspath(shop), "/theirs"]
    assert env["HOME"] == "/h"
    assert not {"PYTHONHOME", "VIRTUAL_ENV_PROMPT"} & env.keys()
    assert before["VIRTUAL_ENV"] == other  # what was given is not changed


def test_a_callable(shop: Path) -> None:
    found = plan("pkg.mod:Class.start", "--x")
    assert found.words == [handover.python_of(os.fspath(shop / ".venv")), "-c", run.CALL, "pkg.mod:Class.start", "--x"]
    with pytest.raises(UsageError):
        plan("http://x")  # no names on both sides of the colon


def test_a_command_of_the_environment_comes_before_others(shop: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / name("pytest"))
    other = program(tmp_path / "bin" / name("tool"))
    env = {"PATH": os.fspath(tmp_path / "bin")}
    assert Path(plan("pytest", "-q", env=env).program).parent == Path(handover.programs_folder(os.fspath(shop / ".venv")))
    assert Path(plan("tool", env=env).program) == other


@pytest.mark.parametrize(
    ("word", "kind", "message", "hint"),
    [
        ("x/none.py", UsageError, "there is no script", "current folder"),
        ("./none", UsageError, "there is no", "module:callable"),
        ("pytset", MissingToolError, "there is no command pytset", "pytest"),
        ("zzzz", MissingToolError, "there is no command zzzz", "pypackpack add zzzz"),
        ("", UsageError, "'' is neither a script", "python -c"),
        (".", UsageError, "'.' is neither a script", "python -c"),
        ("-c", UsageError, "'-c' is neither a script", "python -c"),
        ("a;b", UsageError, "'a;b' is neither a script", "python -c"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_started(word: str, kind: type[Exception], message: str, hint: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        plan(word)
    assert hint in caught.value.hint  # type: ignore[attr-defined]


OWN = """\
scripts = { till = "till:main" }

[tool.uv.workspace]
members = ["libs/*"]
"""


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("shop", "It is of the project itself, whose own code is not in .venv. Its code can become a package: give the project"),
        ("till", "`pypackpack package add shop`"),
        ("lib-one", "libs/one is a member of the uv workspace; `pypackpack add --editable ./libs/one`"),
    ],
)
def test_nobody_is_told_to_fetch_what_is_their_own(shop: Path, word: str, hint: str) -> None:
    (shop / "pyproject.toml").write_text(ROOT.replace("\n\n", "\n" + OWN + "\n", 1), encoding="utf-8")
    (shop / "libs" / "one").mkdir(parents=True)
    (shop / "libs" / "one" / "pyproject.toml").write_text('[project]\nname = "lib_one"\n', encoding="utf-8")
    with pytest.raises(MissingToolError) as caught:
        plan(word)
    assert hint in caught.value.hint
    assert f"add {word}`" not in caught.value.hint.replace("package add", "")


@pytest.mark.parametrize("word", ["bill", "billing", "pytset"])
def test_a_command_that_sync_has_not_made_yet(shop: Path, word: str) -> None:
    (shop / "web").mkdir()
    (shop / "web" / "pyproject.toml").write_text("[broken", encoding="utf-8")  # says nothing of the other packages
    (shop / "billing").mkdir()
    text = f'[project]\nname = "billing"\n\n[project.scripts]\n{word} = "billing:main"\n'
    (shop / "billing" / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(MissingToolError, match=f"the command {word} is not in .* yet") as caught:
        plan(word)
    assert caught.value.hint == "`pypackpack sync` makes it: pyproject.toml of the package billing declares it."


def test_a_script_without_its_ending_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop / "services" / "x")
    with pytest.raises(MissingToolError) as caught:
        plan("main")
    assert caught.value.hint == "The script is `pypackpack run main.py`."


def test_no_environment_yet_and_one_that_is_broken(shop: Path) -> None:
    Path(handover.python_of(os.fspath(shop / ".venv"))).unlink()
    with pytest.raises(MissingToolError, match="is not there any more"):
        plan("x/main.py")
    (shop / ".venv").rename(shop / "gone")
    with pytest.raises(MissingToolError, match="no environment yet") as caught:
        plan("x/main.py")
    assert "pypackpack sync" in caught.value.hint


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoProjectError):
        plan("python")


def test_a_script_of_a_project_runs_from_outside_but_not_against_the_persons_word(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = os.fspath(shop / "services" / "x" / "main.py")
    assert plan(script).environment["VIRTUAL_ENV"] == os.fspath(shop / ".venv")
    with pytest.raises(NoProjectError):
        plan(script, start=os.fspath(tmp_path), named=True)


def test_packages_that_are_not_in_the_environment_are_told(shop: Path) -> None:
    assert plan("x/main.py").missing == ["web", "billing"]
    venv = shop / ".venv"
    site = venv / "Lib" / "site-packages" if sys.platform == "win32" else venv / "lib" / "python3.12" / "site-packages"
    (site / "web-1.0.dist-info").mkdir(parents=True)
    assert plan("x/main.py").missing == ["billing"]


@pytest.mark.parametrize(
    "text",
    [
        'tool.pypackpack.packages = ["web"]\n',
        '[tool]\npypackpack = { packages = ["web"] }\n',
        '[tool.pypackpack]\ntargets = """\n[tool.x]\n"""\npackages = []\n',
        '[project]\ndescription = """\n[tool.other]\n"""\n[tool.pypackpack]\npackages = []\n',
    ],
)
def test_a_project_that_is_written_in_another_way_is_found_too(shop: Path, text: str) -> None:
    (shop / "pyproject.toml").write_text(text, encoding="utf-8")
    assert plan("x/main.py").environment["VIRTUAL_ENV"] == os.fspath(shop / ".venv")


def test_a_packages_file_is_not_the_projects(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = shop / "web"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "web"\n\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n', encoding="utf-8"
    )
    monkeypatch.chdir(package)
    assert plan("python").environment["VIRTUAL_ENV"] == os.fspath(shop / ".venv")
