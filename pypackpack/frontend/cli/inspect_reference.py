"""The reference of ``inspect --json`` and ``verify --json``: a page and a JSON Schema, made from the answers' dataclasses."""

from __future__ import annotations

import json
from typing import Any

from pypackpack.frontend.cli.event_reference import define, fields
from pypackpack.model.comparison import Comparison, PatchInspection, ResourceComparison, ResourceInspection
from pypackpack.model.inspection import Inspection
from pypackpack.model.verification import Verification

SCHEMA_FILE = "inspection.schema.json"
_KINDS = (Inspection, PatchInspection, ResourceInspection, Comparison, ResourceComparison, Verification)

_HEAD = """\
# What inspect and verify answer

<!-- Made by `python -m pypackpack.frontend.cli.reference`; a test compares them. -->

`pypackpack inspect <file> --json` writes one object to stdout: about a wheel, a patch or an archive of data files, or with
`--diff` about two of them. `kind` says which. `pypackpack verify <file>… --json` writes a list of objects, one for each file;
with problems the exit code is 1. A file may be the folder of a binary, too. Fields may be added. The JSON Schema of one object is
[inspection.schema.json](inspection.schema.json).
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an answer."""
    defs: dict[str, Any] = {}
    for kind in _KINDS:
        define(kind, defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `pypackpack inspect --json` and `pypackpack verify --json` say of an artifact",
        "anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in _KINDS],
        "$defs": defs,
    }


def schema_text() -> str:
    """Return the JSON Schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Return ``docs/reference/inspection.md`` as Markdown."""
    defs = json_schema()["$defs"]
    parts = [_HEAD]
    for name, node in defs.items():
        parts.append(f"## {name}\n\n{node['description']}\n")
        parts += fields(node)
    return "\n".join(parts)
