"""The reference page of all targets, made from their table.

``python -m pypackpack.middleware.target.reference <docs>`` writes ``reference/targets.md`` below that folder; a test
compares what is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.target import table
from pypackpack.middleware.target.manage import BUILDERS
from pypackpack.middleware.target.rows import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.middleware.target.rows import Row
    from pypackpack.model.target import PythonVersion, Target

PAGE = "reference/targets.md"

_HEAD = """\
# Targets

<!-- Made from the code by `python -m pypackpack.middleware.target.reference docs`. Do not edit. -->

A target is a platform that a package is built for. Its name is `<family>[_<variant or version>]_<architecture>`. A version that a
name does not say is the one in the tables below. `pypackpack target list` shows the same targets together with what this machine
can do for each, `pypackpack target add` adds them to a package.

A new target is one row in `pypackpack/data/targets.toml`; the comment at the top of that file says what each key means.

## Words for targets

Wherever a target is named, these are understood too; capital letters do not matter, nor which of `-`, `_` and `.` stands between
words:

* **a family alone**. To `target add` it means the family's default target, to `--target` and `target remove` all of the package's
  targets in it.
* **`host`**: the target of the machine that pypackpack runs on.
* **the names other tools use**: `{os}-{arch}` keys, Rust's and zig's triples, uv's `--python-platform` names, wheel platform
  tags, and what `sysconfig.get_platform()` returns. A version in them that is below the lowest is raised to it.

An unknown name is an error that says the nearest right ones. None of these words can be the name of a package.

"""


def targets_page() -> str:
    """Return the page as Markdown."""
    rows = list(table.table().rows.values())
    parts = [_HEAD, _families(), "\n"]
    for family in table.families():
        own = [row for row in rows if row.family == family]
        parts += [f"## {family}\n\n", _facts(own), "\n"]
        for row in own:
            parts += [_details(row), "\n"]
    return "".join(parts).rstrip() + "\n"


def write_page(docs: Path) -> None:
    """Write the page below the documentation's folder."""
    filesystem.write_atomic(docs / PAGE, targets_page())


def _table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    rows = [titles, ["---"] * len(titles), *lines]
    return "".join("| " + " | ".join(line) + " |\n" for line in rows)


def _code(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts if text) or "none"


def _python(version: PythonVersion) -> str:
    return f"{version[0]}.{version[1]}"


def _families() -> str:
    lines = []
    for family, name in table.table().families.items():
        target = table.targets()[name]
        facts = (f"sys_platform == '{target.sys_platform}'", f"platform_system == '{target.platform_system}'")
        lines.append([f"`{family}`", f"`{name}`", f"`src/{family}`", _code(facts), _python(target.min_python)])
    return _table(["family", "default target", "overlay", "markers", "first Python"], lines)


def _tags(target: Target) -> str:
    found = [_code([".".join(target.tags.default)])] if target.tags.default else []
    found += [f"`{'.'.join(tags)}` ({_python(python)})" for python, tags in target.tags.by_python.items()]
    return ", ".join(found)


def _facts(rows: Iterable[Row]) -> str:
    lines = []
    for row in rows:
        target = row.target()
        built = BUILDERS[target.toolchain] + (f" `{target.triple}`" if target.triple else "")
        if target.parts:
            built = f"{BUILDERS[target.toolchain]}, from {_code(target.parts)}"
        lines.append([f"`{row.name}`", row.summary, _tags(target), _code([target.platform_machine]), built])
    return _table(["target", "what it is", "wheel platform tag", "`platform_machine`", "built by"], lines)


def _details(row: Row) -> str:
    target = row.target()
    lines = [f"### {row.name}\n\n"]
    versions = row.versions
    if versions and versions.unsaid:
        bounds = f"from {dotted(versions.lowest)}" + (f" to {dotted(versions.newest)}" if versions.newest else " on")
        lines.append(
            f"* Versions: `{versions.name.replace('{version}', '<version>')}`, {bounds}; unsaid: {dotted(versions.unsaid)}.\n"
        )
    elif versions:
        names = [row.target(version).name for version in table.versions_in_tags(row)]
        lines.append(f"* With one ABI only: {_code(names)}.\n")
    suffixes = [f"`{target.extension_suffix.replace('{py}', '3XY')}`"]
    suffixes += [f"`{suffix}` for Python {_python(python)}" for python, suffix in target.extension_suffix_by_python.items()]
    lines.append(f"* Extension modules: {', '.join(suffixes)}.\n")
    uv = [f"`{target.uv_platform}`"] if target.uv_platform else []
    uv += [f"`{name}` for Python {_python(python)}" for python, name in target.uv_platform_by_python.items()]
    uv += [f"`{name}={value}`" for name, value in target.uv_environment if uv]
    lines.append(f"* In uv: {', '.join(uv) or 'no name'}.\n")
    aliases = [alias.replace("{version}", "<version>").replace("{dotted}", "<version>") for alias in row.aliases]
    lines.append(f"* Also called: {_code(aliases)}.\n")
    return "".join(lines)


if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
