"""The reference of ``build --json``: a page and a JSON Schema, both made from the dataclasses of the events."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types
import typing
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from pypackpack.frontend.cli import events
from pypackpack.model import build, comparison, inspection, journal, preview, verification
from pypackpack.model.target import PythonVersion

SCHEMA_FILE = "build-events.schema.json"
_SPOKEN_OF = (events, preview, journal, build, inspection, comparison, verification)
_NAMES = {name: each for module in _SPOKEN_OF for name, each in vars(module).items()}
_NAMES |= {"Path": Path, "PythonVersion": PythonVersion}
"""What the annotations of the dataclasses speak of; some of it is imported for type checkers only."""
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_AGAIN = "As above."

_HEAD = """\
# Events of a build

<!-- Made by `python -m pypackpack.frontend.cli.reference`; a test compares them. -->

`pypackpack build … --json` writes [JSON Lines](https://jsonlines.org) to stdout: one JSON object per line, each as it happens.
The word in `event` says what it is. The last line is the `result` or the `error`; a program that only wants that reads the last:

    pypackpack build billing source single --json | tail -n 1 | jq -r '.artifacts[].path'

* Lines are whole and in ASCII, and are written at once, however many tasks run at a time.
* Events of one task come in order: `task-started` before `task-finished` or `task-failed`. A task whose result was known has
  `task-finished` only. Events of different tasks come as they happen.
* Where the cache turns out to be damaged, the build makes again what was lost: then a task may come twice, and the later event
  counts.
* With `--continuous` there is one such build after the other, `sources-changed` between them.
* An error in the words of the call, or in the settings, is one `error` line without `build-started`.
* A reader that goes away ends the writing, not the build; the exit code says how that went.
* Credentials in urls are masked. Paths are as the machine has them.
* Everything else (notes, progress, what `--verbose` says) goes to stderr, as with every command.

[build-events.schema.json](build-events.schema.json) is the JSON Schema of a line. `schema` in the first line is its version.
Events and fields may be added without a new one, so pass over what you do not know.
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one line."""
    defs: dict[str, Any] = {}
    for word, kind in events.EVENTS.items():
        define(kind, defs, event=word)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of `pypackpack build --json`",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in events.EVENTS.values()],
        "$defs": defs,
    }


def schema_text() -> str:
    """Return the JSON Schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def define(kind: type[Any], defs: dict[str, Any], event: str = "") -> None:
    """Add the schema of a dataclass, and of those that its fields have."""
    if kind.__name__ in defs:
        return
    summary, meanings = _documented(kind)
    node = defs[kind.__name__] = {"type": "object", "description": summary, "properties": {}, "required": []}
    if event:
        node["properties"]["event"] = {"const": event}
        node["required"].append("event")
    hints = typing.get_type_hints(kind, globalns=_NAMES)
    for field in dataclasses.fields(kind):
        node["properties"][field.name] = {**_schema(hints[field.name], defs), "description": meanings[field.name]}
        # What has a default here is written all the same, but for the one field that only some errors have.
        if not (kind is events.ErrorFacts and field.default is not dataclasses.MISSING):
            node["required"].append(field.name)


def _schema(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - an annotation
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        define(hint, defs)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if isinstance(hint, type) and issubclass(hint, PurePath):
        return {"type": "string"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [each.value for each in hint]}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(each, defs) for each in arguments]}
    if origin is collections.abc.Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], defs)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], defs)}
    if origin is tuple:
        fixed = [_schema(each, defs) for each in arguments]
        return {"type": "array", "prefixItems": fixed, "minItems": len(fixed), "maxItems": len(fixed)}
    msg = f"no schema for {hint}"
    raise TypeError(msg)


def _documented(kind: type[Any]) -> tuple[str, dict[str, str]]:
    """Return a dataclass's summary and what its fields mean, from its docstring; ``As above.`` is looked up."""
    summary, meanings = _read(kind)
    for name, meaning in meanings.items():
        if meaning == _AGAIN:
            meanings[name] = _read(events.TaskStarted)[1].get(name) or _read(events.TaskFinished)[1][name]
    return summary, meanings


def _read(kind: type[Any]) -> tuple[str, dict[str, str]]:
    text = (kind.__doc__ or "").replace("``", "`")
    head, _, rest = text.partition("Attributes:")
    meanings: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        word, colon, meaning = line.strip().partition(":")
        if colon and line.startswith(" " * 8) and not line.startswith(" " * 9):
            name, meanings[word] = word, meaning.strip()
        elif line.strip():
            meanings[name] += f" {line.strip()}"
    return " ".join(head.split()), meanings


def events_page() -> str:
    """Return ``docs/reference/build-events.md`` as Markdown."""
    schema = json_schema()
    defs = schema["$defs"]
    named = {kind.__name__ for kind in events.EVENTS.values()}
    parts = [_HEAD]
    for word, kind in events.EVENTS.items():
        parts.append(f"## `{word}`\n\n{defs[kind.__name__]['description']}\n")
        parts += fields(defs[kind.__name__])
    parts.append("## What is in them\n")
    for name, node in defs.items():
        if name not in named:
            parts.append(f"### {name}\n\n{node['description']}\n")
            parts += fields(node)
    return "\n".join(parts)


def fields(node: dict[str, Any]) -> list[str]:
    """Return the table of a dataclass's fields."""
    rows = [
        f"| `{name}` | {_kind(value)} | {value.get('description', '').replace('|', chr(92) + '|')} |"
        for name, value in node["properties"].items()
        if name != "event"
    ]
    return ["| field | value | meaning |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"] if rows else []


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_kind(each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if value["type"] == "array" and "items" in value:
        return f"list of {_kind(value['items'])}"
    if value["type"] == "array":
        return "list: " + ", ".join(_kind(each) for each in value["prefixItems"])
    if value["type"] == "object":
        return f"object: name to {_kind(value['additionalProperties'])}"
    return str(value["type"])
