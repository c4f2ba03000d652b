"""What `init` says of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.frontend.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("there", [False, True])
def test_an_adopted_project_without_an_environment_is_told_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, there: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n')
    if there:
        (tmp_path / ".venv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--adopt"]) == 0
    assert ("no .venv was made: `pypackpack sync` makes it" in capsys.readouterr().out) is not there
