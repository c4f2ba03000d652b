"""The reference page of all settings, made from their schema.

``python -m pypackpack.middleware.project.reference <docs>`` writes ``reference/settings.md`` and
``reference/settings.schema.json`` below that folder; a test compares what is committed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pypackpack.backend import filesystem
from pypackpack.middleware.project.later import LATER, LATER_KEYS
from pypackpack.middleware.project.settings import json_schema

PAGE = "reference/settings.md"
SCHEMA = "reference/settings.schema.json"

_HEAD = """\
# Settings

<!-- Made from the code by `python -m pypackpack.middleware.project.reference docs`. Do not edit. -->

PyPackPack reads its settings from the `[tool.pypackpack]` table of `pyproject.toml`: one in the project's folder, one in each
package's. Every key that is wrong or unknown is reported, all of them at once, before anything is done. An editor can check
them too: [settings.schema.json](settings.schema.json) is their JSON Schema.

For one target, the values of `[tool.pypackpack.build]` are overridden by those of the target's family, and these by the
target's own. Of `native` and of each `extension`, each key is overridden by itself.

The name of a target may be written in any form that `pypackpack target add` takes. In `build.target` and `target`, the name
of a family stands for all of the package's targets in it.
"""


def settings_page() -> str:
    """Return the page as Markdown."""
    schema = json_schema()
    parts = [_HEAD]
    for title, name in (("package", "PackageTable"), ("project", "RootTable")):
        parts.append(f"## In a {title}'s `pyproject.toml`\n")
        _section(schema, schema["$defs"][name], "tool.pypackpack", parts)
    return "\n".join(parts)


def schema_text() -> str:
    """Return the JSON Schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(schema: dict[str, Any], node: dict[str, Any], key: str, parts: list[str]) -> None:
    """Write one table and then the tables in it."""
    rows: list[str] = []
    inner: list[tuple[str, dict[str, Any]]] = []
    for name, value in node["properties"].items():
        here = f"{key}.{name}"
        if "$ref" in value and ".target." in key:
            above = here.replace(".target.<name>", "")
            rows.append(f"| `{name}` | table | | The keys of `[{above}]`. |")
        elif "$ref" in value.get("additionalProperties", {}) and ".target." in key:
            above = here.replace(".target.<name>", "")
            rows.append(f"| `{name}` | table | | By name, the keys of `[{above}.<name>]`. |")
        elif "$ref" in value:
            inner.append((here, _resolved(schema, value)))
        elif "$ref" in value.get("additionalProperties", {}):
            inner.append((f"{here}.<name>", _resolved(schema, value["additionalProperties"])))
        else:
            rows.append(_row(name, value, here, required=name in node.get("required", ())))
            tables = [branch for branch in value.get("anyOf", ()) if "$ref" in branch and ".target." not in key]
            inner += [(here, _resolved(schema, branch)) for branch in tables]
    parts.append(f"### `[{key}]`\n\n{node['description']}\n")
    if rows:
        parts.append("| key | value | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    for here, table in inner:
        _section(schema, table, here, parts)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return resolved


def _row(name: str, value: dict[str, Any], key: str, *, required: bool) -> str:
    short = key.removeprefix("tool.pypackpack.").replace(".target.<name>", "")
    later = LATER.get(short)
    meaning = value["description"]
    if later is not None:
        meaning += f" Not built yet: `{json.dumps(later)}`."
    elif short in LATER_KEYS:
        meaning += " Checked, and not used by any build yet."
    default = "required" if required else f"`{json.dumps(value['default'])}`" if "default" in value else ""
    return f"| `{name}` | {_kind(value)} | {default} | {meaning} |"


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return "table"
    if "anyOf" in value:
        return " or ".join(_kind(branch) for branch in value["anyOf"])
    if "const" in value or "enum" in value:
        return ", ".join(f"`{json.dumps(word)}`" for word in value.get("enum", [value.get("const")]))
    if value["type"] == "array":
        examples = value["items"].get("examples", [])
        return f"list of strings, such as `{json.dumps(examples)}`"
    if value["type"] == "string":
        return f"string, such as `{json.dumps(value['examples'][0])}`"
    if value["type"] == "number":
        return "number"
    if value["type"] == "object":
        return "table of strings"
    return "`true` or `false`"


if __name__ == "__main__":
    docs = Path(sys.argv[1])
    filesystem.write_atomic(docs / PAGE, settings_page())
    filesystem.write_atomic(docs / SCHEMA, schema_text())
