"""RECORD, as whoever made a distribution wrote it."""

from __future__ import annotations

import pytest

from pypackpack.backend.records import record_rows
from pypackpack.model.errors import DamagedArtifactError


def test_rows() -> None:
    data = 'a.py,sha256=x,1\r\n"b,\nc.py",,\n\n\xff.py,,\n'.encode("latin-1")
    assert record_rows(data, "RECORD") == [["a.py", "sha256=x", "1"], ["b,\nc.py", "", ""], ["\ufffd.py", "", ""]]
    assert record_rows(b"", "RECORD") == []


def test_what_is_no_table_is_one_sentence() -> None:
    with pytest.raises(DamagedArtifactError, match=r"x/RECORD cannot be read: field larger"):
        record_rows(b"a" * 200_000, "x/RECORD")
