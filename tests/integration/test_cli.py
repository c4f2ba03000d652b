"""The command line as a process: what a shell sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pypackpack

ROOT = Path(pypackpack.__file__).parents[1]

# A command that says when it works, starts a child and a thread that waits for it, and never ends by itself.
LONG_WORK = """
import sys, threading
from pathlib import Path
from pypackpack.backend import process
from pypackpack.frontend.cli import main

def act(session, words):
    with session.console.watching():
        def work():
            try:
                process.run([sys.executable, "-c", "import sys, time; open(sys.argv[1], 'w').close(); time.sleep(600)", words[0]])
            except KeyboardInterrupt:
                pass
        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            thread.join(0.2)

sys.exit(main.run(sys.argv[1:], act))
"""


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "0", **changes}


def ppp(*words: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pypackpack", *words]
    return subprocess.run(command, cwd=cwd, env=environment(**changes), capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("word", ["--version", "version", "-v"])
def test_version(word: str, tmp_path: Path) -> None:
    done = ppp(word, cwd=tmp_path)
    assert done.returncode == 0
    ours, uv = done.stdout.splitlines()
    assert ours == f"pypackpack {pypackpack.__version__}"
    asked = subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True, text=True, check=True, timeout=120)
    assert uv == " ".join(asked.stdout.split()[:2])


@pytest.mark.parametrize("words", [["--help"], ["help"], ["-h"], [], ["help", "--quiet"]])
def test_help(words: list[str], tmp_path: Path) -> None:
    done = ppp(*words, cwd=tmp_path)
    assert done.returncode == 0
    assert "Usage: pypackpack <command>" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_short_answers_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; before = set(sys.modules); from pypackpack.__main__ import main; "
        f"sys.argv = ['pypackpack', *{words!r}]; main(); "
        "print('loaded:', *sorted(name for name in set(sys.modules) - before if not name.startswith('pypackpack')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_an_unknown_command(tmp_path: Path) -> None:
    done = ppp("bild", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "error[usage]: 'bild' is not a command\nhint: Did you mean build?\n"


def test_a_json_error(tmp_path: Path) -> None:
    done = ppp("package", "list", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    assert json.loads(done.stdout)["error"]["code"] == "no-project"


def test_project_names_another_folder(tmp_path: Path) -> None:
    done = ppp("package", "list", "--project", str(tmp_path / "größe x"), cwd=tmp_path)
    assert done.returncode == 2
    assert "error[no-project]" in done.stderr


def test_output_survives_a_console_of_another_age(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pypackpack", "größe✓"],
        cwd=tmp_path,
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error[usage]: 'gr??e?' is not a command")


def test_nobody_reads_to_the_end(tmp_path: Path) -> None:
    """A reader that goes away is no error."""
    for words in (["--help"], ["help", "build"], ["target", "list", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pypackpack", *words],
                cwd=tmp_path,
                env=environment(),
                stdout=writing,
                stderr=subprocess.PIPE,
                check=False,
                timeout=120,
            )
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have a device that is always full")
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["help", "build"], ["target", "list", "--json"]])
def test_a_result_that_cannot_be_written_is_an_error(words: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "pypackpack", *words],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error[filesystem]: cannot write the result: ")


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def started(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {"start_new_session": True}
    return subprocess.Popen(
        [sys.executable, "-c", LONG_WORK, str(tmp_path / "working"), *words],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **group,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupting_ends_children_and_says_so(name: str, tmp_path: Path) -> None:
    if sys.platform == "win32":
        name = "CTRL_BREAK_EVENT"
    child = started(tmp_path)
    wait_for(tmp_path / "working")
    child.send_signal(getattr(signal, name))
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out == ""
    assert err == "error[interrupted]: interrupted; nothing is left half done\n"


def test_the_exit_code_of_an_interrupt_is_ours_wherever_it_came(tmp_path: Path) -> None:
    # While a dataclass is made, say: Python notes an interrupt in code that it runs from a text, and would end by the signal.
    code = "import sys\nfrom pypackpack.frontend.cli import main\n"
    code += "sys.exit(main.run(['a'], lambda *_: exec('raise KeyboardInterrupt')))\n"
    (tmp_path / "interrupted.py").write_text(code)
    call = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(call, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error[interrupted]: interrupted; nothing is left half done\n"


def test_interrupting_with_json(tmp_path: Path) -> None:
    child = started(tmp_path, "--json")
    wait_for(tmp_path / "working")
    child.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"
