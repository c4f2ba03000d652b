"""``.dist-info/sboms/pypackpack.cdx.json``: the software bill of materials of a wheel (PEP 770), in CycloneDX 1.6 JSON.

The same wheel has the same bytes of it: no time, no serial number, nothing of the machine that built, and no address of an
index, which may be a private one. What it says where is in ``docs/reference/sbom.md``.

Source of the form: https://cyclonedx.org/docs/1.6/json/ and, for package URLs, https://github.com/package-url/purl-spec.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pypackpack import __version__
from pypackpack.backend.urls import quote
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.model.sbom import Dependencies, LinkedPart, LockedDependency, MakingTool

FILE = "sboms/pypackpack.cdx.json"
"""Its place below ``.dist-info``; PEP 770 keeps the folder, and ``.cdx.json`` is how CycloneDX files are known."""

_SELF = "wheel"
"""What the wheel is referred to by in its own file: without a version, so that a new one changes as little as can be."""
_EXPRESSION = re.compile(r"^License-Expression: (.+)$", re.MULTILINE)


def pypi_purl(name: str, version: str = "", **qualifiers: str) -> str:
    """Return the package URL of a distribution (purl-spec, "pypi"); qualifiers without a value are left out."""
    url = f"pkg:pypi/{_quoted(normalise(name))}" + (f"@{_quoted(version)}" if version else "")
    said = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()) if value)
    return f"{url}?{said}" if said else url


def _quoted(text: str) -> str:
    return quote(text, safe="")


def write_sbom(
    core: CoreFiles,
    dependencies: Dependencies,
    linked: Sequence[LinkedPart],
    tools: Sequence[MakingTool],
    *,
    carried: bool = False,
    before: LockedDependency | None = None,
) -> bytes:
    """Return the bytes of the file; the same arguments give the same bytes.

    Args:
        core: The wheel's metadata.
        dependencies: What it needs.
        linked: What compiling brought into it.
        tools: What it was compiled with.
        carried: Whether the dependencies are inside of it: then they are its components (CycloneDX, ``component.components``).
        before: What the wheel was made from, where it is somebody else's, changed (CycloneDX, ``component.pedigree``).
    """
    head, _, _ = core.metadata.partition("\n\n")
    expression = _EXPRESSION.search(head)
    wheel: dict[str, Any] = {
        "type": "library",
        "bom-ref": _SELF,
        "name": core.name,
        "version": core.version,
        "purl": pypi_purl(core.name, core.version),
        **_license(expression[1] if expression else ""),
    }
    every = sorted(dependencies.every, key=lambda each: (each.name, each.version, each.purl))
    inside = [_linked(each) for each in sorted(linked, key=lambda each: (each.name, each.version))]
    if carried:
        inside += [_dependency(each) for each in every]
    if inside:
        wheel["components"] = inside
    if before is not None:
        # Without a reference: nothing in this file is about the ancestor itself.
        ancestor = {key: value for key, value in _dependency(before).items() if key not in ("bom-ref", "scope")}
        wheel["pedigree"] = {"ancestors": [ancestor], "notes": "Its modules were compiled; it is not the file of that name."}
    edges = [(_SELF, dependencies.direct), *((each.purl, each.needs) for each in every)]
    content: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "pypackpack", "version": __version__}]},
            "component": wheel,
        },
        "components": [] if carried else [_dependency(each) for each in every],
        "dependencies": [_edge(ref, needs) for ref, needs in edges],
        "compositions": [{"aggregate": "complete" if dependencies.complete else "incomplete", "dependencies": [_SELF]}],
    }
    if tools:
        used = sorted(tools, key=lambda each: (each.name, each.version))
        content["formulation"] = [{"components": [_tool(each) for each in used]}]
    return (json.dumps(content, indent=1) + "\n").encode()


def _license(expression: str) -> dict[str, Any]:
    return {"licenses": [{"expression": expression}]} if expression else {}


def _linked(part: LinkedPart) -> dict[str, Any]:
    version = {"version": part.version} if part.version else {}
    purl = {"purl": part.purl} if part.purl else {}
    return {"type": "library", "name": part.name, **version, "description": part.about, **_license(part.license), **purl}


def _tool(tool: MakingTool) -> dict[str, Any]:
    purl = {"purl": tool.purl} if tool.purl else {}
    return {"type": "application", "name": tool.name, "version": tool.version, "description": tool.about, **purl}


def _dependency(item: LockedDependency) -> dict[str, Any]:
    """Return a component; each file that may be installed for it is a reference: a component has hashes of one file only."""
    found: dict[str, Any] = {"type": "library", "bom-ref": item.purl, "name": item.name}
    if item.version:
        found["version"] = item.version
    found |= {"scope": "required", "purl": item.purl}
    if item.files:
        found["externalReferences"] = [
            {
                "type": "distribution",
                "url": _quoted(file.name),
                "hashes": [{"alg": "SHA-256", "content": file.sha256}],
            }
            for file in sorted(item.files, key=lambda file: (file.name, file.sha256))
        ]
    return found


def _edge(ref: str, needs: Iterable[str]) -> dict[str, Any]:
    needed = sorted(set(needs))
    return {"ref": ref, "dependsOn": needed} if needed else {"ref": ref}
