"""The report in a wheel: its schema and its page are what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pypackpack.middleware.bundle.report import page, read_report, schema_text, write_report
from pypackpack.model.inspection import ModuleForm, Tool, WheelReport

DOCS = Path(__file__).parents[4] / "docs" / "reference"
REPORT = WheelReport(
    "native",
    "release",
    "3.13",
    Tool("cython", "3.3.1"),
    None,
    (
        ModuleForm("a", "a.pyc", "bytecode", reason="a.py:1:0: no"),
        ModuleForm("a.b", "a/b.abi3.so", "extension", "abi3"),
        ModuleForm("a.c", "a/c.so", "extension", "version", compiler=Tool("mypyc", "2.4.1")),
    ),
)


def test_what_is_written_is_read() -> None:
    assert read_report(write_report(REPORT)) == REPORT


def test_what_is_written_is_what_the_schema_says() -> None:
    schema = json.loads(schema_text())
    jsonschema.validate(json.loads(write_report(REPORT)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": 1, "modules": [{"module": "a", "file": "a", "form": "none"}]}, schema)


def test_page_and_schema_are_up_to_date() -> None:
    # python -m pypackpack.middleware.bundle.report docs
    assert (DOCS / "wheel-report.md").read_text(encoding="utf-8") == page()
    assert (DOCS / "wheel-report.schema.json").read_text(encoding="utf-8") == schema_text()
