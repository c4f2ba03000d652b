"""What commands say of work that follows from them, or that they did along the way."""

from __future__ import annotations

from pathlib import Path

from pypackpack.frontend.cli.commands.dependency import change_lines
from pypackpack.frontend.cli.commands.import_ import credentials_sentence
from pypackpack.frontend.cli.commands.python import _use_lines
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.model.environment import DependencyChange, DevelopmentSync, SyncResult
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.python import PythonChange

SYNCED = DevelopmentSync(
    Path(".venv"), (3, 13, 1), (("six", "1.17"),), (("six", "1.17"), ("idna", "3")), (("attrs", "1"),), ("app",)
)
PYTHON = Interpreter(
    Path("python"),
    (3, 13, 1),
    implementation="cpython",
    include=Path("include"),
    has_headers=True,
    free_threaded=False,
    platform="x",
)


def test_python_use_names_what_brings_the_targets_environments_along() -> None:
    change = PythonChange(PYTHON, (3, 12, 0), (".python-version",), ("app", "core"), SYNCED, ("app",))
    lines = _use_lines(change, PLAIN)
    assert lines[-2:] == ["The environments of targets, and their locks, follow with:", "  pypackpack app sync"]
    assert "follow" not in "".join(_use_lines(PythonChange(PYTHON, None, (), ("app",), SYNCED), PLAIN))


def test_a_packages_change_says_that_venv_followed() -> None:
    def said(development: DevelopmentSync | None) -> list[str]:
        change = DependencyChange("app", ("six",), (), changed=True, synced=SyncResult(()), development=development)
        return [line for line in change_lines(change, PLAIN) if ".venv" in line]

    assert said(SYNCED) == [".venv was brought up to date: 2 added, 1 removed"]
    assert said(DevelopmentSync(Path(".venv"), (3, 13, 1), (), (), (), ())) == []
    assert said(None) == []


def test_where_uv_looks_for_credentials() -> None:
    assert "UV_INDEX_CORP_EXAMPLE_2_PASSWORD" in credentials_sentence("corp-example-2")
