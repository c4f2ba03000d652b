"""What uv says as data. Its JSON forms are previews of uv's: one that is not as expected is an error and never a wrong answer."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.backend.tools import uv
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TREE = ("--format", "json")
SYNC = ("--output-format", "json")


def tree(text: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the nodes of what ``uv tree --format json`` prints: id → name, version, kind, dependencies and more.

    Raises:
        ToolError: It is of another form.
    """
    try:
        found = {key: node for key, node in json.loads(text)["resolution"].items() if node["kind"] != "workspace"}
        for node in found.values():
            node["name"].lower()
            _ = [found[each["id"]] for each in node.get("dependencies", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unknown("its tree", "Without --json it is shown as uv shows it; a newer pypackpack may know the form.") from error
    return found


def latest(folder: Path, *, offline: bool = False) -> dict[tuple[str, str], str]:
    """Return the newest version of each distribution in the lock of a project that is not the newest: (name, version) → newest.

    Args:
        folder: Holds ``pyproject.toml`` and ``uv.lock``.
        offline: Never touch the network.

    Raises:
        ToolError: uv failed, such as for want of an index.
    """
    words = ["tree", "--frozen", "--universal", "--all-groups", "--outdated", *TREE]
    words += ["--python", sys.executable, "--no-python-downloads", *(["--offline"] if offline else [])]
    nodes = tree(uv.run(words, "asking for newer versions", cwd=folder).stdout).values()
    return {(node["name"], node.get("version", "")): node["latest_version"] for node in nodes if node.get("latest_version")}


@dataclass(frozen=True)
class Plan:
    """What ``uv sync --dry-run`` would do.

    Attributes:
        added: What it would install, as (name, version).
        removed: What it would take away.
        locks: Whether it would write the lock.
    """

    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    locks: bool


def plan(text: str) -> Plan:
    """Return what ``uv sync --dry-run --output-format json`` prints.

    Raises:
        ToolError: It is of another form.
    """
    try:
        content = json.loads(text)
        found: dict[str, list[tuple[str, str]]] = {"installed": [], "uninstalled": [], "reinstalled": []}
        for change in content["sync"]["changes"]:
            found[change["action"]].append((str(change["name"]), str(change["version"])))
        locks = content["lock"]["action"] not in ("use", "check")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unknown("what it would do", "A newer pypackpack may know the form.") from error
    again = found["reinstalled"]
    return Plan((*found["installed"], *again), (*found["uninstalled"], *again), locks)


def _unknown(what: str, hint: str) -> ToolError:
    return ToolError(f"uv {uv.version()} writes {what} in a form that pypackpack does not know", hint=hint)
