"""From whatever happens in a command to text and an exit code."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

import pytest

from pypackpack.frontend.cli import main
from pypackpack.frontend.cli.session import Answer, Session
from pypackpack.model import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def raising(error: BaseException) -> Callable[[Session, list[str]], Answer | None]:
    def act(_session: Session, _words: list[str]) -> Answer | None:
        raise error

    return act


def answering(*, asked: bool = False) -> Callable[[Session, list[str]], Answer | None]:
    return lambda _session, words: Answer({"words": words}, lambda width, _style: [f"{words} {width}"], asked=asked)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.WorkError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.SettingsError("x"), 2),
        (errors.NoProjectError("x"), 2),
        (errors.MissingToolError("x"), 3),
        (errors.NotYetError("x"), 3),
        (ValueError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["init"], raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[")


def test_done_is_zero_and_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["a", "--project", "x", "b"], answering()) == 0
    assert capsys.readouterr() == ("['a', 'b'] None\n", "")


def test_json_has_the_data_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["a", "--json"], answering()) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"words": ["a"]}
    assert err == ""


def test_quiet_shows_only_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["a", "--quiet"], answering()) == 0
    assert capsys.readouterr().out == ""
    assert main.run(["a", "--quiet"], answering(asked=True)) == 0
    assert capsys.readouterr().out != ""


@pytest.mark.parametrize(
    ("error", "code"), [(errors.UsageError("x"), "usage"), (KeyError("x"), "defect"), (KeyboardInterrupt(), "interrupted")]
)
def test_json_errors_are_objects_on_stdout(error: BaseException, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a", "--json"], raising(error))
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert set(json.loads(out)["error"]) == {"code", "message", "hint", "details"}
    assert err == ""


def test_json_errors_are_objects_also_when_the_call_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["init", "--json", "--quiet=no"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_a_defect_is_one_line_and_says_that_it_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a"], raising(RuntimeError("first\nsecond")))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error[defect]: RuntimeError: first; this is a defect of pypackpack"
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a", None, "/b"), "cannot work with /b: No space left on device"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot work with the disk: No space left on device"),
        (OSError(errno.EISDIR, "Is a directory", "/a"), "cannot work with /a: Is a directory"),
        (OSError(errno.ENOTDIR, "Not a directory", "/a/b"), "cannot work with /a/b: Not a directory"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/a"), "cannot work with /a: File name too long"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), "cannot work with /a: Permission denied"),
    ],
)
def test_what_the_disk_refuses_is_no_defect(error: OSError, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["a"], raising(error)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"error[filesystem]: {message}"
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


def test_any_other_error_of_the_system_is_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a"], raising(OSError(errno.EBADF, "Bad file descriptor")))
    assert capsys.readouterr().err.startswith("error[defect]: ")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("typer.main", "error[missing-tool]: pypackpack is not whole: typer is not installed beside it"),
        ("pypackpack.lost", "error[defect]: "),
        ("tomllib", "error[defect]: "),
        (None, "error[defect]: "),
    ],
)
def test_a_library_that_is_not_installed_is_named(name: str | None, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a"], raising(ModuleNotFoundError("No module", name=name)))
    assert capsys.readouterr().err.startswith(start)


def test_verbose_shows_the_traceback_of_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a", "--verbose"], raising(RuntimeError("first")))
    assert "Traceback (most recent call last):" in capsys.readouterr().err


def test_an_interrupt_says_that_nothing_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["a"], raising(KeyboardInterrupt()))
    assert "interrupted; nothing is left half done" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "first"),
    [
        (KeyboardInterrupt(), "error[interrupted]: interrupted"),
        (errors.ConflictError("changed", details="by whom"), "error[conflict]: changed\n  by whom"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a"),
            "error[filesystem]: cannot work with /a: No space left on device",
        ),
    ],
)
def test_what_could_not_be_put_back_is_said(error: BaseException, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    errors.add_note(error, "/p/pyproject.lock could not be put back: it is gone")
    errors.add_note(error, "`pypackpack sync` completes it.")
    main.run(["a"], raising(error))
    said = f"{first}\n  /p/pyproject.lock could not be put back: it is gone\n  `pypackpack sync` completes it.\n"
    assert capsys.readouterr().err.startswith(said)
    main.run(["a", "--json"], raising(error))
    assert json.loads(capsys.readouterr().out)["error"]["details"].endswith("\n`pypackpack sync` completes it.")


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["bild", "x"], 2, "'bild' is not a command", "Did you mean build?"),
        (["package"], 2, "needs one more word: add, remove, list", ""),
        (["package", "ad"], 2, "has no command 'ad'", "Did you mean add?"),
        (["build", "--lvl", "x"], 2, "`build` has no option --lvl", "Did you mean --level?"),
        (["target", "add", "macos", "--package", "x"], 2, "`target add` has no option --package", "The package is the last word"),
        (["build", "--jsn"], 2, "`build` has no option --jsn", "Did you mean --json?"),
        (["build", "--release"], 2, "`build` has no option --release", "Did you mean --type release?"),
        (["build", "x", "source", "--dry-run", "--profile"], 2, "--profile and --dry-run", "Leave one of them out"),
        (["build", "x", "source", "--rerun=transpile", "--dry-run"], 2, "there is no PyPackPack project", ""),
        (["tasks"], 2, "there is no PyPackPack project", ""),
        (["clean"], 2, "there is no PyPackPack project", ""),
        (["build", "x"], 2, "`build` needs source", "Such as `pypackpack build billing source single"),
        (["build"], 2, "`build` needs <package>", "`pypackpack build --help`"),
        (["build", "x", "source", "--level"], 2, "--level needs a value", ""),
        (
            ["build", "x", "source", "--level", "natve"],
            2,
            "'natve' is not one of instant, bytecode, native, mixed",
            "Did you mean native?",
        ),
        (["build", "x", "source", "wheel"], 2, "bundle: 'wheel' is not one of single, fat, binary", "single: a wheel."),
        (["build", "x", "source", "--profile", "foo"], 2, "'foo' is neither a bundle nor", "`--profile foo.html`"),
        (["build", "x", "source", "single", "--profile", "foo"], 2, "do with (foo)", "`--profile foo.html`"),
        (["build", "x", "sorce"], 2, "'sorce' is neither source nor resource", ""),
        (["build", "x", "source", "single", "more"], 2, "does not know what to do with (more)", ""),
        (["build", "x", "source", "--jobs", "0"], 2, "--jobs: '0' is not a whole number of at least 1", ""),
        (["build", "x", "source", "--jobs", "many"], 2, "--jobs: 'many'", ""),
        (["build", "x", "source", "resource"], 2, "no bundle of the code", "build x resource"),
        (["build", "x", "resource", "single"], 2, "the bundle 'single' is for code", "build x resource"),
        (["build", "x", "resource", "--type", "release"], 2, "--type release is for code", "build x resource"),
        (["build", "x", "resource", "--level", "native"], 2, "--level native is for code", "build x resource"),
        (["build", "x", "resource", "--python", "3.13"], 2, "--python is for code", "build x resource"),
        (["tasks", "x", "resource", "--level", "mixed"], 2, "--level mixed is for code", "build x resource"),
        (["deploy", "x"], 2, "`deploy` needs source", "--to testpypi"),
        (["deploy", "x", "source"], 2, "where to?", "`pypackpack deploy x source --to testpypi`"),
        (["deploy", "x", "sauce", "--to", "pypi"], 2, "'sauce' is not one of source, resource, weight", "x source --to pypi"),
        (["deploy", "x", "source", "--to", "fasttrack"], 3, "`pypackpack deploy … --to fasttrack` is not there yet", "--to pypi"),
        (["deploy", "x", "resource", "--to", "fasttrack"], 3, "`pypackpack deploy … resource` is not there yet", ""),
        (["deploy", "x", "weight"], 3, "`pypackpack deploy … weight` is not there yet", "`build … resource`"),
        (["patch", "apply", "a.whl.patch"], 2, "`patch apply` needs --to <wheel|folder>", "Such as `pypackpack patch apply"),
        (["deploy", "x", "source", "patch", "--to", "pypi"], 2, "a patch (.whl.patch) is not for a package index", "whole wheel"),
        (["deploy", "x", "source", "fat", "--to", "pypi"], 3, "fat wheels are not there yet", "uv publish"),
        (["deploy", "x", "source", "binary", "--to", "pypi"], 2, "takes wheels (single), not 'binary'", "Leave the word out"),
        (["deploy", "x", "source", "--to", "pipy"], 2, "--to: 'pipy' is no index", "Did you mean pypi?"),
        (["deploy", "x", "source", "--to", "https://me:secret@h/simple"], 2, "****@h/simple has credentials in it", "UV_PUBLISH"),
        (["deploy", "x", "source", "--to", "pypi", "--level", "natif"], 2, "--level: 'natif'", "Did you mean native?"),
        (["add", "numpy"], 2, "there is no PyPackPack project", "`pypackpack init` makes one"),
        (["sync"], 2, "there is no PyPackPack project", "`pypackpack init` makes one"),
        (["add"], 2, "`add` needs <requirement>", "Such as `pypackpack add pytest`"),
        (["python", "us", "3.12"], 2, "has no command 'us'", "Did you mean use?"),
        (["init", "shop", "snake"], 2, "'snake' is not a Python version", ""),
        (["completion", "csh"], 2, "'csh' is not one of bash, zsh, fish, powershell", "Did you mean"),
        (["--lvl", "x"], 2, "no option --lvl before a command", ""),
        (["test"], 2, "'test' is not a command", "`pypackpack run pytest`"),
        (["lock"], 2, "'lock' is not a command", "`pypackpack sync`"),
        (["zzz"], 2, "'zzz' is not a command", "--help shows the commands"),
        (["build", "--nope"], 2, "`build` has no option --nope", "`pypackpack build --help`"),
        (["sync", "billing"], 2, "`sync` does not know what to do with (billing)", "did you mean `pypackpack billing sync`?"),
        (["init", ".", "3.12"], 2, '"." is not a name', "Leave the name out"),
        (["help", "bild"], 2, "'bild' is not a command", "Did you mean build?"),
    ],
)
def test_wrong_words(
    words: list[str], code: int, message: str, hint: str, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    assert main.run(["--project", str(tmp_path), *words]) == code
    first, *rest = capsys.readouterr().err.splitlines()
    assert message in first
    assert hint in "".join(rest)


@pytest.mark.parametrize("words", [["billing"], ["Billing", "build"]])
def test_a_package_without_a_verb_of_its_own_is_told_so(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["billing"]\n', encoding="utf-8")
    assert main.run(["--project", str(tmp_path), *words]) == 2
    err = capsys.readouterr().err
    assert f"{words[0]} is a package" in err
    assert f"`pypackpack build {words[0]} source`" in err


@pytest.mark.parametrize("words", [["version", "--help"], ["help", "version"], ["help", "--help"]])
def test_what_has_no_help_of_its_own_shows_the_help_of_everything(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(words) == 0
    assert "Usage: pypackpack <command> [options]" in capsys.readouterr().out


def test_what_is_not_there_yet_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["runtime", "build"]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["help", "build"], ["build", "--help"], ["build", "x", "-h"], ["build", "x", "source", "--nonsense", "--help"]]
)
def test_help_of_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(words) == 0
    out = capsys.readouterr().out
    assert "Usage: pypackpack build <package> source|resource [single|fat|binary|patch]" in out
    assert "--level instant|bytecode|native|mixed" in out
    assert "--project DIR" in out
    assert out.count("Example") == 1


def test_help_of_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["package", "--help"]) == 0
    assert "package remove" in capsys.readouterr().out


def test_help_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["help", "build", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["command"] == "build"
    assert "--target" in [name for parameter in described["parameters"] for name in parameter["names"]]


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["version", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"pypackpack", "uv"}


def test_completion_scripts_ask_us(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        assert main.run(["completion", shell]) == 0
        assert "__complete" in capsys.readouterr().out
