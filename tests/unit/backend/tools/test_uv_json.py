"""uv's JSON forms: what is read of them, and that another form is an error."""

from __future__ import annotations

import json

import pytest

from pypackpack.backend.tools import uv_json
from pypackpack.model.errors import ToolError

NODES = {
    "a==1": {"name": "a", "version": "1", "kind": "package", "dependencies": [{"id": "b==2"}]},
    "b==2": {"name": "b", "version": "2", "kind": "package"},
    "workspace+x": {"kind": "workspace", "path": "x"},
}
SYNC = {
    "sync": {
        "changes": [
            {"name": "a", "version": "1", "action": "uninstalled"},
            {"name": "a", "version": "2", "action": "installed"},
            {"name": "b", "version": "1", "action": "reinstalled"},
        ]
    },
    "lock": {"action": "update"},
}


def test_a_tree() -> None:
    assert list(uv_json.tree(json.dumps({"resolution": NODES}))) == ["a==1", "b==2"]


def test_a_plan() -> None:
    found = uv_json.plan(json.dumps(SYNC))
    assert found == uv_json.Plan((("a", "2"), ("b", "1")), (("a", "1"), ("b", "1")), locks=True)
    for action in ("use", "check"):
        assert not uv_json.plan(json.dumps({**SYNC, "lock": {"action": action}})).locks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"resolution": {"a": {"name": 1, "kind": "package"}}, "sync": {"changes": [{"action": "new"}]}}),
        json.dumps({"resolution": {"a": {"name": "a", "kind": "package", "dependencies": [{"id": "?"}]}}, "sync": {}}),
    ],
)
def test_another_form_is_an_error(text: str) -> None:
    for read in (uv_json.tree, uv_json.plan):
        with pytest.raises(ToolError, match="in a form that pypackpack does not know"):
            read(text)
