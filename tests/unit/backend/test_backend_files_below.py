"""Folders that cannot be read."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_that_may_not_be_read_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FilesystemError, match=r"cannot read .*: Permission denied") as caught:
        list(filesystem.files_below(tmp_path))
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert list(filesystem.files_below(tmp_path / "gone")) == []
