"""Checks a pyproject.toml against the schema and says everything that is wrong, one line per problem.

What was expected comes from the schema of ``settings.py``, as the reference page does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pypackpack.middleware.project.settings import PackageTable, ProjectTable, RootTable, without_null
from pypackpack.middleware.project.words import dotted, either, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Key = tuple["str | int", ...]

_TOOL = ("tool", "pypackpack")
_LONGEST = 60


def package_problems(content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong in the content of a package's pyproject.toml: ``<dotted key>: <sentence>``."""
    result = _project_problems(content, needs=("name", "version"))
    result += _problems(PackageTable, _table(content), _TOOL, elsewhere=(RootTable, "the project's pyproject.toml"))
    return result or _python_problems(content)


def root_problems(content: Mapping[str, Any]) -> list[str]:
    """Return what is wrong in the content of a project's pyproject.toml."""
    result = _project_problems(content, needs=("name",)) if "project" in content else []
    return result + _problems(RootTable, _table(content), _TOOL, elsewhere=(PackageTable, "a package's pyproject.toml"))


def _table(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the person wrote there
    tool = content.get("tool", {})
    return tool.get("pypackpack", {}) if isinstance(tool, dict) else tool


def _project_problems(content: Mapping[str, Any], needs: Sequence[str]) -> list[str]:
    table = content.get("project")
    if table is None:
        return ["project: the table is missing; a package needs its name and version there"]
    result = _problems(ProjectTable, table, ("project",))
    if isinstance(table, dict):
        if "version" in needs and "version" not in table:
            dynamic = "version" in table.get("dynamic", ()) if isinstance(table.get("dynamic", ()), list) else False
            why = "; PyPackPack does not compute it (dynamic)" if dynamic else ""
            result.append(f'project.version: missing, expected a string such as "1.0.0"{why}')
        if "version" in needs and isinstance(table.get("dynamic"), list) and "dependencies" in table["dynamic"]:
            result.append("project.dynamic: dependencies cannot be dynamic here; write them into project.dependencies")
    return result


def _python_problems(content: Mapping[str, Any]) -> list[str]:
    """Say which versions to build for the package itself excludes; only asked about content that is right."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    said = content["project"].get("requires-python", "")
    allowed = SpecifierSet(said)
    # the last micro version decides: ">=3.11.4" allows 3.11, ">3.11,<3.12" too
    return [
        f'{dotted((*_TOOL, "python", number))}: {version} is outside of project.requires-python = "{said}"'
        for number, version in enumerate(_table(content).get("python", []))
        if not any(allowed.contains(f"{version}.{micro}", prereleases=True) for micro in (0, 1, 50, 99))
    ]


def _problems(
    model: type[BaseModel], value: object, prefix: Key, elsewhere: tuple[type[BaseModel], str] | None = None
) -> list[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        schema = model.model_json_schema()
        found: dict[Key, str] = {}
        for detail in error.errors(include_url=False):
            key, node = _located(schema, detail["loc"])
            found.setdefault(key, _sentence(detail, key, node, schema, prefix, elsewhere))
        # of a union, the branch that got furthest says it: "all" or a list, and the list's third item is wrong
        return [
            f"{dotted((*prefix, *key))}: {sentence}"
            for key, sentence in found.items()
            if not any(other[: len(key)] == key and len(other) > len(key) for other in found)
        ]
    return []


def _sentence(
    detail: ErrorDetails,
    key: Key,
    node: dict[str, Any],
    schema: dict[str, Any],
    prefix: Key,
    elsewhere: tuple[type[BaseModel], str] | None,
) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        _, table = _located(schema, detail["loc"][:-1])
        return _unknown(str(key[-1]), key, _keys(schema, table), schema, prefix, elsewhere)
    expected = _expectation(schema, node)
    if kind == "missing":
        return f"missing, expected {expected}"
    found = json.dumps(detail["input"], default=str, ensure_ascii=False)
    if len(found) > _LONGEST:
        found = found[: _LONGEST - 1] + "…"
    reason = f" ({detail['ctx']['reason']})" if kind == "wrong_value" else ""
    near = nearest(detail["input"], _choices(schema, node)) if isinstance(detail["input"], str) else ""
    return f"expected {expected}, found {found}{reason}{near}"


def _unknown(
    word: str,
    key: Key,
    known: Sequence[str],
    schema: dict[str, Any],
    prefix: Key,
    elsewhere: tuple[type[BaseModel], str] | None,
) -> str:
    if elsewhere is not None and len(key) == 1 and word in _keys(other := elsewhere[0].model_json_schema(), other):
        return f"this key belongs in {elsewhere[1]}"
    places = [place for place in _places(schema, schema, ()) if place[-1] == word]
    if places:
        return f'unknown key here; did you mean "{dotted((*prefix, *places[0]))}"?'
    return f"unknown key{nearest(word, known) or '; expected ' + either(sorted(known))}"


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _keys(schema: dict[str, Any], node: dict[str, Any]) -> list[str]:
    return [name for branch in _branches(schema, _resolved(schema, node)) for name in branch.get("properties", {})]


def _places(schema: dict[str, Any], node: dict[str, Any], at: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for name, value in _resolved(schema, node).get("properties", {}).items():
        yield (*at, name)
        yield from _places(schema, value, (*at, name))


def _branches(schema: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    return [_resolved(schema, branch) for branch in node.get("anyOf", [node]) if branch != {"type": "null"}]


def _located(schema: dict[str, Any], loc: Sequence[str | int]) -> tuple[Key, dict[str, Any]]:
    """Return the key that an error is about, without pydantic's names of union branches, and its schema."""
    node = _resolved(schema, schema)
    key: list[str | int] = []
    steps = list(loc)
    while steps:
        step = steps.pop(0)
        branches = _branches(schema, node)
        if len(branches) > 1:
            if steps:
                inner = [branch for branch in branches if branch.get("type") in ("array", "object")]
                node = inner[0] if inner else branches[0]
            continue
        here = branches[0]
        key.append(step)
        if isinstance(step, int):
            following = here.get("items", {})
        else:
            more = here.get("additionalProperties")
            following = here.get("properties", {}).get(step) or (more if isinstance(more, dict) else {})
        node = following if "anyOf" in following else _resolved(schema, following)
    return tuple(key), node


def _choices(schema: dict[str, Any], node: dict[str, Any]) -> list[str]:
    const = [branch["const"] for branch in _branches(schema, node) if "const" in branch]
    return const + [word for branch in _branches(schema, node) for word in branch.get("enum", [])]


def _expectation(schema: dict[str, Any], node: dict[str, Any]) -> str:
    without_null(node)
    return either([_one_expectation(schema, branch) for branch in _branches(schema, node)])


def _one_expectation(schema: dict[str, Any], node: dict[str, Any]) -> str:
    if words := _choices(schema, node):
        return either([json.dumps(word) for word in words])
    if node.get("type") == "string":
        return f"a string such as {json.dumps(node['examples'][0])}" if "examples" in node else "a string"
    if node.get("type") == "array":
        item = _resolved(schema, node.get("items", {}))
        return f"a list of strings such as {json.dumps(item['examples'])}" if "examples" in item else "a list of strings"
    if node.get("type") == "number":
        return f"a number from {node['minimum']} to {node['maximum']}"
    return {"boolean": "true or false", "object": "a table"}.get(str(node.get("type")), "another value")
