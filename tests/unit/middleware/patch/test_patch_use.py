"""What people are told whose patch, wheel or folder is another one than they thought: what is whole is not called damaged."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pypackpack.frontend.cli import main
from pypackpack.frontend.cli.commands.patch import applied_lines
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.patch.use import apply, verify
from pypackpack.middleware.verify.patch import verify_patch
from pypackpack.model.errors import ConflictError, DamagedArtifactError, PyPackPackError, UsageError
from tests.unit.client.forge import NEW, OLD, wheel
from tests.unit.client.test_patch_installed import installed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return wheel(tmp_path / "demo-1.0-py3-none-any.whl", OLD, record="demo-1.0.dist-info")


@pytest.fixture
def patch(old: Path, tmp_path: Path) -> Path:
    new = wheel(tmp_path / "demo-1.1-py3-none-any.whl", NEW, record="demo-1.1.dist-info")
    place = tmp_path / "demo-1.0-p1-py3-none-any.whl.patch"
    place.write_bytes(make_patch(old, new, number=1))
    return place


def refused(patch: Path, to: Path, kind: type[PyPackPackError]) -> PyPackPackError:
    found = []
    for run in (lambda: verify(patch, to), lambda: apply(patch, to, None)):
        with pytest.raises(PyPackPackError) as caught:
            run()
        assert type(caught.value) is kind
        assert str(patch) not in caught.value.message  # the patch is right
        assert str(to) in caught.value.message
        found.append(caught.value)
    assert found[0].message == found[1].message
    return found[0]


def test_another_wheel_than_the_primary(patch: Path, tmp_path: Path) -> None:
    other = wheel(tmp_path / "other" / "demo-1.0-py3-none-any.whl", {**OLD, "demo/extra.py": b"X = 1\n"})
    said = refused(patch, other, UsageError)
    assert "the wheel is not the primary of this patch, which is demo-1.0-py3-none-any.whl" in said.message
    with pytest.raises(UsageError, match="is not the primary"):
        verify_patch(patch, other)


def test_a_primary_that_is_damaged(patch: Path, old: Path) -> None:
    old.write_bytes(old.read_bytes()[:-30])
    refused(patch, old, DamagedArtifactError)
    old.write_text("no wheel")
    assert "this is no wheel" in refused(patch, old, DamagedArtifactError).message


@pytest.mark.parametrize("below", ["lib/python3.11/site-packages", "Lib/site-packages"])
def test_the_root_of_an_environment(patch: Path, old: Path, tmp_path: Path, below: str) -> None:
    root = tmp_path / "venv"
    site = installed(old, root / below)
    said = refused(patch, root, UsageError)
    assert "is the root of an environment" in said.message
    assert said.hint.lower() == f"Did you mean {site}?".lower()  # where case does not count, both are one folder
    assert verify(patch, site).to == site


def test_what_was_there_already_is_said(patch: Path, old: Path, tmp_path: Path) -> None:
    site = installed(old, tmp_path / "site")
    assert [apply(patch, site, None).already for _ in range(2)] == [False, True]
    assert applied_lines(apply(patch, site, None))[0].endswith(", as before")


def test_where_the_package_is_not_installed(patch: Path, old: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "demo_fat-1.0.dist-info").mkdir(parents=True)  # of a fat wheel, which is a distribution of its own
    assert "demo is not installed in" in refused(patch, site, UsageError).message
    installed(old, tmp_path / "changed")
    (tmp_path / "changed" / "demo" / "same.py").write_text("X = 'changed'\n")
    assert "not what it was when it was installed" in refused(patch, tmp_path / "changed", ConflictError).message


def test_the_exit_code_says_that_the_call_was_wrong(patch: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.run(["patch", "apply", os.fspath(patch), "--to", os.fspath(tmp_path), "--json"]) == 2
    assert json.loads("".join(capfd.readouterr()))["error"]["code"] == "usage"
