"""What explains a build, with the real command: events, reasons, the page about the run, dry runs, failures, `tasks`, `clean`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pypackpack.backend.tools import zig
from pypackpack.backend.tools.toolchain import ModuleJob, RefusedError
from pypackpack.frontend.cli import main
from pypackpack.model.errors import ToolError
from tests.builds import run
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("cold_cache")
ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "build-events.schema.json").read_text(encoding="utf-8")))
TARGETS = ("linux_x86_64", "linux_arm64")


@pytest.fixture(autouse=True)
def _this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.fspath(ROOT))
    monkeypatch.setenv("NO_COLOR", "1")


class Shell:
    """Runs commands in a folder, in this process: what they print is what counts here, not that they start."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capsys = capsys

    def __call__(self, folder: Path, *words: str, code: int = 0) -> str:
        """Run a command and return what it prints."""
        self._patch.chdir(folder)
        self._capsys.readouterr()
        ended = main.run(list(words))
        out, err = self._capsys.readouterr()
        assert ended == code, out + err
        return out


@pytest.fixture
def ppp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def events(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    assert [error.message for event in found for error in SCHEMA.iter_errors(event)] == []
    return found


def of(found: list[dict[str, Any]], word: str) -> dict[str, dict[str, Any]]:
    return {event["name"]: event for event in found if event["event"] == word}


BUILD = ("build", "small", "source", "single")
NATIVE = (*BUILD, "--level", "native")


def test_native_builds_explain_themselves(
    small_project: Callable[..., Path], tmp_path: Path, cold_cache: Path, ppp: Shell
) -> None:
    root = small_project(targets=TARGETS)
    before, cache = snapshot(root), contents(cold_cache)
    dry = ppp(root, *NATIVE, "--dry-run")
    assert re.search(r"compile +linux_arm64 +2 +- +2\n", dry)
    assert dry.splitlines()[-1].startswith("10 of 10 tasks would run; 6 of them unless")
    assert snapshot(root) == before, "a dry run leaves the project as it is"
    assert {name for name in contents(cold_cache) if name not in cache} == set(), "and the cache too"

    stream = ppp(root, *NATIVE, "--json")
    first = events(stream)
    assert first[0]["event"] == "build-started"
    assert first[-1]["event"] == "result"
    assert first[-1]["tasks_run"] == len(of(first, "task-started")) == len(of(first, "task-finished")) == 10
    assert {event["reason"]["kind"] for event in of(first, "task-started").values()} == {"first"}
    assert len(first[-1]["artifacts"]) == 2

    module = root / "small" / "src" / "main" / "mod.py"
    module.write_text("def answer():\n    return 43\n", encoding="utf-8")
    (plan,) = events(ppp(root, *NATIVE, "--dry-run", "--json"))
    states = {task["name"]: task["state"] for task in plan["tasks"]}
    assert states["transcompile small/src/main/mod.py"] == "to do"
    assert states[f"compile small/src/main/mod.py linux_arm64 {version()}"] == "behind"
    assert states["transcompile small/src/main/__init__.py"] == "remembered"

    page = tmp_path / "run.html"
    second = ppp(root, *NATIVE, "--explain", "--profile", os.fspath(page))
    assert "Why 6 of 10 tasks ran\n" in second
    assert re.search(r"\n  6 tasks: small/src/main/mod\.py [0-9a-f]{12} → [0-9a-f]{12}\n", second)
    assert f"for compile small/src/main/mod.py linux_x86_64 {version()}, for the wheel of small for linux_x86_64\n" in second
    assert f"profile: {page}" in second
    assert seen(page, "tasks", "0")["found"] == 10

    again = events(ppp(root, *NATIVE, "--json", "--rerun", "transcompile", "--offline"))
    assert {event["reason"]["kind"] for event in of(again, "task-started").values()} == {"asked"}
    assert again[-1]["tasks_run"] == 2
    assert again[-1]["warnings"] == []
    known = of(again, "task-finished")[f"compile small/src/main/mod.py linux_arm64 {version()}"]
    assert (known["source"], "c of transcompile small/src/main/mod.py" in known["inputs"]) == ("store", True)
    assert ppp(root, *NATIVE, "--dry-run").endswith("Nothing would run: all of 10 tasks are remembered.\n")


def version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def contents(folder: Path) -> set[str]:
    """Files of a cache; not what lies behind its links, and not what is remembered of the Pythons that are here."""
    found = {os.fspath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(("interpreters-", "settings-", "tools-", "zig-"))}


def seen(page: Path, *words: str) -> dict[str, Any]:
    """What a person sees of a page about a run: its script is executed."""
    done = run([shutil.which("node") or "node", ROOT / "tests" / "integration" / "profile_page.mjs", page, *words], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_page_shows_steps_path_tasks_and_one_of_them(small_project: Callable[..., Path], ppp: Shell) -> None:
    root = small_project({"main/extra.py": "A = 1\n"})
    told = ppp(root, *BUILD, "--level", "bytecode", "--profile")
    page = root / "small" / "build" / "packpack" / "profile.html"
    assert told.endswith(f"profile: {page.relative_to(root)}\n")
    shown = seen(page, "tasks", "0", "wheel")
    assert shown["command"] == "pypackpack build small source single --type debug --level bytecode"
    assert [row[0] for row in shown["steps"]] == ["bytecode", "bundle"]
    assert shown["path"][-1][2].startswith("wheel small ")
    assert {row[3] for row in shown["tasks"]} == {"nothing of this project is known on this machine"}
    assert shown["details"]
    assert shown["details-facts"].startswith("What became of it|ran|Why it ran|nothing of this project is known")
    assert (shown["found"], shown["failed"]) == (1, False)
    assert shown["rectangles"] > 3
    assert {"bytecode", "bundle"} <= set(shown["legend"].split("|"))


def test_what_failed_is_shown_with_its_tools_words_and_the_rest_is_built(
    small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_project({"main/other.py": "B = 2\n"}, targets=TARGETS)
    real = zig.Zig.build_module

    def broken(self: zig.Zig, job: ModuleJob, folder: Path) -> bytes:
        if job.target.name == "linux_arm64" and job.name != "other":
            raise ToolError(
                f"compiling {job.path} failed (exit code 1)",
                hint="Free some space.",
                details="\n".join(f"line {number}" for number in range(40)),
            )
        return real(self, job, folder)

    monkeypatch.setattr(zig.Zig, "build_module", broken)
    words = ["--project", os.fspath(root), *NATIVE, "--keep-going"]
    assert main.run([*words, "--explain", "--profile"]) == 1
    err = capsys.readouterr().err
    built = root / "small" / "build" / "packpack"
    assert "built all the same: " in err
    assert "small-1.0-" in err
    assert "Why 13 of 13 tasks ran\n" in err, "nothing is said of the wheel that could not be made: it was never planned"
    assert "error[tasks-failed]: 2 tasks failed\n\n  compile small/src/main/" in err
    assert "    tool-failed: compiling small/mod failed (exit code 1)\n    line 0\n" in err
    assert "    … 28 more lines …\n    line 36\n" in err
    assert err.count("    hint: Free some space.\n") == 2
    assert f"note: all of it is in {built / 'failures.txt'}\n" in err
    assert (built / "failures.txt").read_text(encoding="utf-8").count("line 20\n") == 2
    assert seen(built / "profile.html", "tasks", "0")["error"] == "2 tasks failed"
    assert [path.name for path in (built / "single" / "debug" / "native").glob("*.whl")] != []

    assert main.run([*words, "--json"]) == 1
    found = events(capsys.readouterr().out)
    assert found[-1]["event"] == "error"
    assert {failure["task"] for failure in found[-1]["error"]["failures"]} == set(of(found, "task-failed"))
    assert all(event["error"].endswith("line 39") for event in of(found, "task-failed").values())


def test_sources_that_python_cannot_read_let_the_others_be_built(
    small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"main/broken.py": "def f(:\n", "main/worse.py": "if\n", "linux_arm64/late.py": "x = (\n"}
    root = small_project(broken, targets=TARGETS)
    words = ["--project", os.fspath(root), *NATIVE, "--json"]
    assert main.run(words) == 1
    assert of(events(capsys.readouterr().out), "task-finished").keys() == {
        f"bytecode small/src/{place} {'.'.join(map(str, sys.version_info[:3]))}"
        for place in ("main/__init__.py", "main/mod.py", "main/broken.py", "main/worse.py", "linux_arm64/late.py")
    }, "without the option a compiler is not asked"
    assert main.run([*words, "--keep-going"]) == 1
    out, err = capsys.readouterr()
    compiled = {name for name in of(events(out), "task-finished") if name.startswith("compile")}
    assert compiled == {
        f"compile small/src/main/{name}.py {each} {version()}" for name in ("__init__", "mod") for each in TARGETS
    }
    assert "nothing could be bundled" in err
    told = json.loads(out.splitlines()[-1])["error"]
    assert (told["code"], told["message"].partition("broken.py:1: ")[1]) == ("bad-source", "broken.py:1: ")
    assert all(name in told["details"] for name in ("worse.py:1", "late.py:1", "in the task bytecode small/src/main/broken.py"))

    assert main.run([*words[:-1], "--explain"]) == 1
    assert "every result was known, and that of what fails too." in capsys.readouterr().err
    assert main.run(["--project", os.fspath(root), *BUILD, "--level", "bytecode", "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert re.search(r"bytecode +all targets +5 +2 +-\n", dry)
    assert dry.endswith("; 3 would fail. Nothing was run or written.\n")

    for name in ("broken", "worse"):
        (root / "small" / "src" / "main" / f"{name}.py").unlink()
    assert main.run([*words[:-1], "--keep-going"]) == 1
    err = capsys.readouterr().err
    assert "late.py:1" in err
    assert [path.name.endswith("x86_64.whl") for path in (root / "small" / "build").rglob("*.whl")] == [True]
    assert "built all the same: " in err, "a target whose files are all right"


def test_a_build_that_cannot_begin_tells_one_event(
    small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_project()
    for words in (["--lvl", "x"], ["--target", "linux_sparc"], ["--rerun=transpile"], ["--project"]):
        assert main.run(["--project", os.fspath(root), *BUILD, "--json", *words]) == 2
        *_, last = events(capsys.readouterr().out)
        assert (last["event"], last["error"]["code"] in ("usage", "unknown-target")) == ("error", True)
    assert main.run(["--project", os.fspath(root), *BUILD, "--rerun", "bytecod"]) == 2
    assert "Did you mean 'bytecode'?" in capsys.readouterr().err


def test_a_reader_that_goes_away_lets_the_build_end(small_project: Callable[..., Path]) -> None:
    root = small_project({f"main/m{number}.py": f"A = {number}\n" for number in range(30)})
    command = [sys.executable, "-m", "pypackpack", *BUILD, "--level", "bytecode", "--json"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert json.loads(child.stdout.readline())["event"] == "build-started"
        child.stdout.close()
        said = child.stderr.read()
    assert (child.returncode, said) == (0, "")
    assert list((root / "small" / "build" / "packpack").rglob("*.whl")) != []


def test_tasks_and_clean(small_project: Callable[..., Path], ppp: Shell) -> None:
    root = small_project()
    before = snapshot(root)
    listed = ppp(root, "tasks")
    assert listed.startswith("Tasks of `pypackpack build small source binary --type debug --level instant`\n")
    assert (
        "bytecode     Let Python itself read every module, and keep the bytecode that it makes of it. (2 tasks, 2 to do)"
        in listed
    )
    assert "environment  Bring the dependencies of a target in line with the lock. (1 task, 1 to do)" in listed
    assert snapshot(root) == before
    ppp(root, *BUILD, "--level", "bytecode")
    every = ppp(root, "tasks", "small", "source", "single", "--level", "bytecode", "--all")
    assert every.count("    remembered  ") == 3
    data = json.loads(ppp(root / "small", "tasks", "source", "single", "--level", "bytecode", "--json"))
    assert [(step["step"], step["tasks"], step["remembered"]) for step in data["steps"]] == [("bytecode", 2, 2), ("bundle", 1, 1)]

    would = ppp(root, "clean", "--dry-run")
    assert re.fullmatch(r"small/build  2 files  .*  packpack\n\n2 files, .* would be removed\n", would)
    assert ppp(root, "clean", "small") == would.replace("would be removed", "removed")
    assert json.loads(ppp(root / "small" / "src", "clean", "--json"))["packages"][0]["package"] == "small"
    assert [path.name for path in (root / "small" / "build").iterdir()] == [".lock"]
    assert ppp(root, "clean") == "nothing to remove\n"
    assert json.loads(ppp(root, "clean", "--json"))["packages"][0]["parts"] == []
    explained = ppp(root, *BUILD, "--level", "bytecode", "--explain")
    assert "No task had to run: every result was known." in explained, "what clean removes is in the cache"


def test_a_binary_says_that_it_changes_the_committed_lock(
    small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_project(targets=TARGETS[:1])
    file = root / "small" / "pyproject.toml"
    settings = file.read_text(encoding="utf-8")
    for more, said in (("", True), ("", False), ('"linux_arm64", ', True)):
        file.write_text(settings.replace("targets = [", f"targets = [{more}"), encoding="utf-8")
        assert main.run(["--project", os.fspath(root), "build", "small", "source"]) == 0
        assert ("locked small\n" in capsys.readouterr().err) is said


def test_a_target_that_strict_refuses_does_not_hide_the_others(
    small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(zig.Zig, "build_module", _refusing("linux_arm64", zig.Zig.build_module))
    root = small_project(targets=TARGETS, settings="[tool.pypackpack.build]\nstrict = true\n")
    words = ["--project", os.fspath(root), *NATIVE]
    assert main.run(words) == 1
    assert not list((root / "small" / "build").rglob("*.whl"))
    assert main.run([*words, "--keep-going"]) == 1
    err = capsys.readouterr().err
    assert "built all the same: " in err
    assert "error[bad-source]: small has modules that cannot be compiled for linux_arm64" in err
    assert len(list((root / "small" / "build").rglob("*.whl"))) == 1


def _refusing(target: str, real: Callable[..., bytes]) -> Callable[..., bytes]:
    """A compiler that refuses everything for one target."""

    def build_module(self: zig.Zig, job: ModuleJob, folder: Path) -> bytes:
        if job.target.name == target:
            raise RefusedError("the compiler refused it")
        return real(self, job, folder)

    return build_module
