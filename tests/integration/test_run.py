"""`pypackpack run`, as a person calls it: a real environment, real programs, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pypackpack.backend.tools import uv

HERE = Path(__file__).parents[2]
ROOT = '[project]\nname = "shop"\nversion = "1"\n\n[tool.pypackpack]\npackages = []\n'
MAIN = """\
import json, os, sys
from shared import NAME
print(json.dumps({"argv": sys.argv, "prefix": sys.prefix, "cwd": os.getcwd(), "name": NAME, "in": sys.stdin.read()}))
sys.exit(9)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run").resolve() / "der läden"
    (root / "services" / "x").mkdir(parents=True)
    (root / "pyproject.toml").write_text(ROOT, encoding="utf-8")
    (root / "shared.py").write_text(
        'NAME = "shared"\ndef code():\n    return 7\ndef none():\n    return None\n', encoding="utf-8"
    )
    (root / "services" / "x" / "main.py").write_text(MAIN, encoding="utf-8")
    uv.make_venv(root / ".venv", Path(sys.executable))
    return root


def call(*words: str, cwd: Path, text: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pypackpack", *words],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": os.fspath(HERE), "PYTHONIOENCODING": "utf-8", **(env or {})},
    )


def test_a_script_from_inside_the_project(shop: Path) -> None:
    cwd = shop / "services"
    done = call(
        "run",
        os.fspath(Path("x", "main.py")),
        "--help",
        "a b",
        "--json",
        cwd=cwd,
        text="hello",
        env={"VIRTUAL_ENV": "/elsewhere"},
    )
    assert done.returncode == 9, done.stderr
    said = json.loads(done.stdout)
    assert said["argv"] == [os.fspath(Path("x", "main.py")), "--help", "a b", "--json"]
    assert Path(said["prefix"]) == shop / ".venv"
    assert (Path(said["cwd"]), said["name"], said["in"]) == (cwd, "shared", "hello")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "code", "error"), [("code", 7, ""), ("none", 0, ""), ("gone", 1, "error: shared:gone: shared has no gone")]
)
def test_a_callable_gives_the_exit_code(shop: Path, name: str, code: int, error: str) -> None:
    done = call("run", f"shared:{name}", cwd=shop / "services")
    assert (done.returncode, done.stderr.strip()) == (code, error)


def test_a_traceback_of_a_callable_begins_with_the_persons_code(shop: Path) -> None:
    (shop / "services" / "broken.py").write_text("def fail():\n    return 1 / 0\n", encoding="utf-8")
    done = call("run", "nobodys:main", cwd=shop / "services")
    assert (done.returncode, done.stderr.strip()) == (1, "ModuleNotFoundError: No module named 'nobodys'")
    done = call("run", "broken:fail", cwd=shop / "services")
    assert done.returncode == 1
    assert [line.split(", ")[1:] for line in done.stderr.splitlines() if "File " in line] == [["line 2", "in fail"]]


def test_a_command_and_its_own_options(shop: Path) -> None:
    done = call("run", "--", "python", "-c", "import sys; print(sys.argv[1:])", "--quiet", cwd=shop)
    assert (done.returncode, done.stdout.strip()) == (0, "['--quiet']")


def test_errors_are_those_of_the_command_line(shop: Path, tmp_path: Path) -> None:
    done = call("--json", "run", "none.py", cwd=shop)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    done = call("run", "no-such-command", cwd=shop)
    assert done.returncode == 3
    assert done.stderr.startswith("error[missing-tool]: there is no command no-such-command")
    done = call("run", "python", cwd=tmp_path)
    assert done.returncode == 2
    assert "no-project" in done.stderr


def test_help_stands_before_the_script(shop: Path) -> None:
    done = call("run", "--help", cwd=shop)
    assert done.returncode == 0
    assert "module:callable" in done.stdout


if sys.platform != "win32":  # which has no signals that one process sends another

    def test_a_signal_reaches_what_runs(shop: Path) -> None:
        script = shop / "wait.py"
        script.write_text(
            "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(42))\nprint('ready', flush=True)\ntime.sleep(60)\n",
            encoding="utf-8",
        )
        child = subprocess.Popen(
            [sys.executable, "-m", "pypackpack", "run", "wait.py"],
            cwd=shop,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.fspath(HERE)},
        )
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == b"ready\n"
            child.send_signal(signal.SIGTERM)
            assert child.wait(timeout=30) == 42

    def test_a_closed_pipe_ends_what_runs(shop: Path) -> None:
        """Python ignores SIGPIPE; what it starts must not inherit that."""
        done = call("run", "sh", "-c", "kill -PIPE $$; exit 5", cwd=shop)
        assert done.returncode == -signal.SIGPIPE


def test_the_fast_path_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import pypackpack.__main__, pypackpack.frontend.cli.quick_run, pypackpack.middleware.run, pypackpack.backend.handover\n"
        "print(*(name for name in set(sys.modules) - before if not name.startswith('pypackpack')))"
    )
    env = {**os.environ, "PYTHONPATH": os.fspath(HERE)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.split() == []
