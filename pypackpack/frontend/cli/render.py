"""Results as lines for people. Pure: a width (None: no limit) and a style in, lines out."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.overview import wrapped
from pypackpack.frontend.cli.style import PLAIN, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.build import Artifact, BuildResult, CompiledDependency, Fallback, Minified

NAMES_SHOWN = 3
KINDS = {"wheel": "wheel", "folder": "folder", "resource": "archive"}


def size(count: int) -> str:
    """Return a number of bytes as people read it: ``640 B``, ``12.3 kB``, ``4.5 MB`` (powers of ten, as indexes show)."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95 or unit == "GB":
            return f"{amount:.1f} {unit}"
    raise AssertionError


def duration(seconds: float) -> str:
    """Return a time as people read it: ``0.4 s``, ``12 s``, ``3 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def count(number: int, one: str, several: str = "") -> str:
    """Return ``1 wheel`` or ``3 wheels``."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def near_path(path: Path, here: Path | None = None) -> str:
    """Return a path as a person here would type it: relative when it lies below the current folder."""
    start = here or Path.cwd()
    try:
        return os.fspath(path.relative_to(start)) or "."
    except ValueError:
        return os.fspath(path)


def paragraph(text: str, width: int | None, indent: str = "", hang: str = "  ") -> list[str]:
    """Return text as lines of at most ``width`` characters; without a width as one."""
    if width is None:
        return [indent + " ".join(text.split())]
    first, *rest = wrapped(text, max(width - len(indent) - len(hang), 20))
    return [indent + first, *(indent + hang + line for line in rest)]


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: int = 2) -> list[str]:
    """Return rows with their columns aligned; the last column is not filled up."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[column]) if column in right else cell.ljust(widths[column]) for column, cell in enumerate(row)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def some(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """Return a list of names that stays short: ``a, b, c and 6 more``."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def build_summary(result: BuildResult, width: int | None, style: Style = PLAIN, here: Path | None = None) -> list[str]:
    """Return what a build made: files, sizes, time, cache hits, fallbacks, what was left out."""
    lines: list[str] = []
    folders: dict[Path, list[Artifact]] = {}
    for artifact in result.artifacts:
        folders.setdefault(artifact.path.parent, []).append(artifact)
    for folder, artifacts in folders.items():
        lines.append(style.bold(near_path(folder, here) + os.sep))
        lines += _artifacts(artifacts, width, style)
    lines += _minified(result.minified, width)
    if result.dependencies:
        lines += ["", *paragraph(dependencies_line(result.dependencies), width)]
    if result.fallbacks:
        lines += ["", style.warn(f"{count(len(result.fallbacks), 'module is', 'modules are')} not native:")]
        for fallback in result.fallbacks:
            first, *more = fallback_line(fallback).splitlines()
            lines += paragraph(first, width, "  ", "  ")
            if not fallback.distribution:  # nobody here is going to mend a dependency; --json has it all
                lines += [f"    {line}".rstrip() for line in more]  # a compiler's words keep their lines
    if result.left_out:
        lines += ["", style.warn("Left out:")]
        for name, reason in result.left_out:
            lines += paragraph(f"{name}: {reason}", width, "  ", "  ")
    for warning in result.warnings:
        lines += ["", *_warning(warning, width, style)]
    return [*lines, "", *paragraph(_totals(result), width, hang="")]


def _warning(text: str, width: int | None, style: Style) -> list[str]:
    first, *rest = paragraph(f"warning: {text}", width)
    return [first.replace("warning:", style.warn("warning:"), 1), *rest]


def _minified(found: Sequence[Minified], width: int | None) -> list[str]:
    lines: list[str] = []
    for each in found:
        lines += ["", *paragraph(minified_line(each), width)]
        for name, reason in each.kept:
            lines += paragraph(f"{name} stays as it is: {reason}", width, "  ", "  ")
    return lines


def minified_line(found: Minified) -> str:
    """Say how much smaller a package's code is."""
    less = round(100 * (found.before - found.after) / found.before) if found.before else 0
    what = count(found.modules, "module")
    return f"Minified {what} of {found.package}: {size(found.before)} are now {size(found.after)} ({less} % less)"


def dependencies_line(found: Sequence[CompiledDependency]) -> str:
    """Say what became of the modules of dependencies; of targets, or Pythons, that differ in it, one after the other."""
    names = Counter((item.name, item.version) for item in found)
    parts = []
    for item in found:
        counts = [(item.native, "native"), (item.bytecode, "bytecode"), (item.source, "unchanged")]
        words = ", ".join(f"{number} {what}" for number, what in counts if number) or "no modules"
        where = f" on {some(item.targets)}" if names[item.name, item.version] > 1 else ""
        parts.append(f"{item.name} {item.version}{where} ({words})")
    return "Dependencies compiled too: " + ", ".join(parts)


def fallback_line(fallback: Fallback) -> str:
    """Say of a module that it is not native, and why; a compiler's words have several lines."""
    python = ".".join(str(number) for number in fallback.python)
    whose = f" of {fallback.distribution}" if fallback.distribution else ""
    return f"{fallback.module}{whose} is {fallback.form} on {some(fallback.targets)}, Python {python}: {fallback.reason}"


def _artifacts(artifacts: Sequence[Artifact], width: int | None, style: Style) -> list[str]:
    """One line per artifact where the width allows it, else two."""
    several = len({artifact.python for artifact in artifacts}) > 1
    rows = []
    for artifact in artifacts:
        python = ".".join(str(number) for number in artifact.python) + "+" * artifact.later if artifact.python else "any"
        cells = [some(artifact.targets), *([python] if several else []), size(artifact.size), artifact.run]
        rows.append([*cells, "cached" if artifact.cached else ""])
    facts = table(rows, right=[2 if several else 1])
    names = [artifact.path.name + (os.sep if artifact.kind == "folder" else "") for artifact in artifacts]
    left = max(len(fact) for fact in facts)
    beside = width is None or 2 + max(len(name) for name in names) + 2 + left <= width
    lines = []
    if beside:
        longest = max(len(name) for name in names)
        for fact, name in zip(facts, names, strict=True):
            lines.append(f"  {style.word(name)}{' ' * (longest - len(name) + 2)}{_marked(fact, style)}")
        return lines
    for fact, name in zip(facts, names, strict=True):
        lines += [f"  {style.word(name)}", *(f"    {_marked(line, style)}" for line in _fitting(fact, width))]
    return lines


def _fitting(fact: str, width: int | None) -> list[str]:
    if width is None or len(fact) + 4 <= width:
        return [fact]
    return wrapped(fact, max(width - 4, 20))


def _marked(fact: str, style: Style) -> str:
    if "built, not run" in fact:
        return fact.replace("built, not run", style.dim("built, not run"))
    return fact


def _totals(result: BuildResult) -> str:
    kinds = Counter(artifact.kind for artifact in result.artifacts)
    made = [count(kinds[kind], name) for kind, name in KINDS.items() if kinds[kind]]
    total = result.tasks_run + result.tasks_cached
    what = " and ".join(made) or "nothing"
    weight = size(sum(artifact.size for artifact in result.artifacts))
    tasks = f"{count(total, 'task')}, {result.tasks_cached} from the cache" if total else "nothing to do"
    if result.tasks_remote:
        tasks += f", {result.tasks_remote} of these from the remote cache"
        tasks += "" if result.tasks_compiled else "; no compiler ran"
    return f"{what}, {weight}, in {duration(result.seconds)} ({tasks})"
