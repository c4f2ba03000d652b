"""Cross environments as a person meets them: made once, at first use, safe with two at once, refused in one sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from builds import PYTHON, ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSION = f"{PYTHON[0]}.{PYTHON[1]}"
TARGETS = ("linux_x86_64", "linux_arm64", "windows_amd64", "macos_universal2", "ios_13_0_arm64", "android_24_arm64")


@pytest.fixture
def project(small_project: Callable[..., Path]) -> Path:
    """A project for several targets."""
    return small_project(targets=TARGETS)


def _ppp(project: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "pypackpack", *words], cwd=project, env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"})


def _env(project: Path, target: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return _ppp(project, "env", "small", "--target", target, "--python", VERSION, *words)


def _folder(project: Path, target: str) -> Path:
    return project / "small" / "build" / "crossenv" / target / f"cross-{VERSION}"


def test_it_is_made_once_and_again_after_somebody_removed_it(project: Path) -> None:
    first = _env(project, "linux_arm64", "--json")
    assert first.returncode == 0, first.stderr
    made = json.loads(first.stdout)
    assert made["kind"] == "facts"
    stamp = _folder(project, "linux_arm64") / "environment.json"
    before = stamp.stat().st_mtime_ns
    again = _env(project, "linux_arm64")
    assert "making" not in again.stderr
    assert stamp.stat().st_mtime_ns == before
    assert f"export CC={made['variables']['CC']}" in again.stdout
    stamp.unlink()
    assert "making" in _env(project, "linux_arm64").stderr


def test_two_at_once_make_one(project: Path) -> None:
    words = ("--", "python", "-c", "import sysconfig; print(sysconfig.get_platform())")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: _env(project, "linux_arm64", *words), range(2)))
    assert [each.stdout for each in done] == ["linux-aarch64\n"] * 2, [each.stderr for each in done]


def test_a_command_gets_its_words_and_gives_its_exit_code(project: Path) -> None:
    code = "import os, sys; print(sys.platform, os.name, sys.argv[1:]); sys.exit(7)"
    done = _env(project, "windows_amd64", "--", "python", "-c", code, "--json", "--target", "--", "x")
    assert done.returncode == 7
    assert done.stdout == "win32 nt ['--json', '--target', '--', 'x']\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_reaches_the_command(project: Path) -> None:
    assert _env(project, "linux_arm64").returncode == 0
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); print('ready', flush=True); time.sleep(60)"
    words = [
        sys.executable,
        "-m",
        "pypackpack",
        "env",
        "small",
        "--target",
        "linux_arm64",
        "--python",
        VERSION,
        "--",
        "python",
        "-c",
        code,
    ]
    with subprocess.Popen(
        words, cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 9


def test_the_standard_library_works_while_the_target_is_another(project: Path) -> None:
    code = (
        "import asyncio, pathlib, subprocess, sys, tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    (pathlib.Path(folder) / 'a').write_text('b')\n"
        "async def main():\n"
        "    child = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(1)')\n"
        "    return await child.wait()\n"
        "print(asyncio.run(main()), sys.platform)\n"
    )
    done = _env(project, "windows_amd64", "--", "python", "-c", code)
    assert done.stdout == "1\n0 win32\n", done.stderr


def test_build_python_is_what_it_is(project: Path) -> None:
    done = _env(
        project, "windows_amd64", "--", "build-python", "-c", "import sys; print(sys.platform, hasattr(sys, 'cross_compiling'))"
    )
    assert done.stdout == f"{sys.platform} False\n", done.stderr


def test_it_sees_the_target_s_dependencies(project: Path) -> None:
    site = _folder(project, "linux_arm64").parent / "lib" / f"python{VERSION}" / "site-packages"
    site.mkdir(parents=True)
    (site / "dependency.py").write_text("WHERE = 'target'\n")
    done = _env(
        project, "linux_arm64", "--", "python", "-c", "import dependency, sysconfig; print(sysconfig.get_path('purelib'))"
    )
    assert done.stdout == f"{site}\n", done.stderr


def test_the_machine_s_own_target_is_a_plain_environment(project: Path) -> None:
    done = _env(project, "host", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["kind"] == "host"
    assert set(made["variables"]) == {"PATH", "VIRTUAL_ENV"}
    assert made["meson_cross_file"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("env", "small"), "an environment is of one target"),
        (("env", "nothing", "--target", "linux_arm64"), "has no package nothing"),
        (("env", "small", "--target", "emscripten"), "no target of the family emscripten"),
        (("env", "small", "--target", "macos"), "put together from others"),
        (("env", "small", "--target", "ios"), "needs Xcode"),
        (("env", "small", "--target", "linux_arm64", "--shell", "--", "ls"), "exclude each other"),
        (("env", "small", "--target", "linux_arm64", "--interpreter", "no/such/python"), "there is no Python at"),
        (("env", "small", "--target", "windows", "--interpreter", sys.executable), "crossenv is for POSIX systems"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(words: tuple[str, ...], said: str, project: Path) -> None:
    done = _ppp(project, *words[:2], "--python", VERSION, *words[2:])
    assert done.returncode in (2, 3)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "small" / "build").exists()


def test_a_compiler_that_is_not_there_says_so_and_fails(project: Path) -> None:
    (project / "a.c").write_text("int a;\n")
    done = _env(project, "android_24_arm64", "--", "cc", "-c", "a.c")
    assert done.returncode == 1
    assert "needs the NDK" in done.stderr


def test_words_that_distributions_say_to_their_linkers_do_no_harm(project: Path) -> None:
    (project / "a.c").write_text("#include <Python.h>\nint a(void) { return PY_MAJOR_VERSION; }\n")
    words = (
        "-shared",
        "-fPIC",
        "-g",
        "-fstack-protector-strong",
        "-Wl,-Bsymbolic-functions",
        "-Wl,-z,relro",
        "-Wl,--exclude-libs,ALL",
    )
    done = _env(project, "linux_arm64", "--", "cc", *words, "a.c", "-o", "a.so")
    assert done.returncode == 0, done.stderr
    assert (project / "a.so").read_bytes()[18:20] == b"\xb7\x00"  # e_machine: AArch64


def test_the_same_source_gives_the_same_bytes_in_two_folders(project: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = project / name
        folder.mkdir()
        (folder / "a.c").write_text("#include <Python.h>\nconst char *a(void) { return __FILE__; }\n")
        words = ("--project", project, "env", "small", "--target", "linux_arm64", "--python", VERSION)
        done = _ppp(folder, *words, "--", "cc", "-shared", folder / "a.c", "-o", "a.so")
        assert done.returncode == 0, done.stderr
        made.append((folder / "a.so").read_bytes())
    assert made[0] == made[1]
