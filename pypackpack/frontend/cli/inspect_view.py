"""What `inspect` found, as lines for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.render import count, near_path, paragraph, size
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.model.inspection import ABI3, BYTECODE, EXTENSION, PACKAGE, SOURCE, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pypackpack.model.inspection import InspectedDependency, InspectedModule, Inspection, Tool

_SCOPES = {VERSION: "extension module", ABI3: "extension module, abi3", PACKAGE: "in the package's one extension module"}
_NAMES = {"cython": "Cython", "nuitka": "Nuitka", "mypyc": "mypyc"}
_REASON_BESIDE = 24
"""Columns that a reason needs to stand beside its module."""
_LABEL = 11
_DATA_SHOWN = 8


def inspection_lines(result: Inspection, width: int | None, style: Style = PLAIN) -> list[str]:
    """Return what is known of an artifact: what it is, its modules with reasons, what else is in it."""
    lines = [f"{style.bold(safe(near_path(result.path)))}  {size(result.size)}", *_facts(result, width, style)]
    if result.modules:
        lines += ["", *_modules(result.modules, width, style)]
    if result.data:
        lines += ["", *_data(result, width, style)]
    if result.dependencies:
        lines += ["", *(line for each in result.dependencies for line in _dependency(each, width, style))]
    lines += ["", *paragraph(_totals(result), width)]
    for note in result.notes:
        first, *rest = paragraph(f"note: {safe(note)}", width)
        lines += [first.replace("note:", style.warn("note:"), 1), *rest]
    return lines


def safe(text: str) -> str:
    """Return text of a foreign file without what would move the cursor or change the colour of a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _facts(result: Inspection, width: int | None, style: Style) -> list[str]:
    rows = [
        ("package", f"{result.name} {result.version}"),
        ("level", ", ".join(word for word in (result.level, result.type) if word)),
        ("python", _python(result)),
        ("tags", " ".join(result.tags)),
        ("target", result.target),
        ("made by", _made_by(result)),
    ]
    lines = []
    for word, text in rows:
        if text:
            first, *rest = paragraph(safe(text), None if width is None else width - _LABEL, hang="")
            lines += [f"  {style.dim(word)}{' ' * (_LABEL - 2 - len(word))}{first}", *(" " * _LABEL + line for line in rest)]
    return lines


def _python(result: Inspection) -> str:
    said = f"built for {result.python}" if result.python else ""
    return ", ".join(word for word in (said, f"asks for {result.requires_python}" if result.requires_python else "") if word)


def _made_by(result: Inspection) -> str:
    tools = " and ".join(_tool(each) for each in (result.compiler, result.toolchain) if each)
    return f"{result.made_by}, with {tools}" if tools else result.made_by


def _tool(each: Tool) -> str:
    return f"{_NAMES.get(each.name, each.name)} {each.version}"


def _form(module: InspectedModule) -> str:
    form = _SCOPES.get(module.scope, "extension module") if module.form == EXTENSION else module.form
    form = f"{form} by {_tool(module.compiler)}" if module.compiler else form
    return f"{form} (+ {', '.join(module.also)})" if module.also else form


def _modules(modules: Iterable[InspectedModule], width: int | None, style: Style) -> list[str]:
    """One line per module, with the reason beside it where the width allows that, else below."""
    shown: set[str] = set()
    rows = []
    for each in modules:  # the size of a file that is several modules stands once
        rows.append((safe(each.module), _form(each), "" if each.file in shown else size(each.size), each.reason, each.form))
        shown.add(each.file)
    name, form, weight = (max(len(row[column]) for row in rows) for column in range(3))
    left = 2 + name + 2 + form + 2 + weight + 2
    stacked = width is not None and left - 2 > width
    longest = max(len(row[3]) for row in rows)
    beside = width is None or left + min(longest, 60) <= width or width - left >= max(_REASON_BESIDE, min(longest, 48))
    lines = []
    for module, shape, bytes_, reason, kind in rows:
        marked = style.good(shape) if kind == EXTENSION else style.warn(shape) if reason else shape
        if stacked:
            lines += [f"  {style.word(module)}", f"    {marked}{', ' if bytes_ else ''}{bytes_}"]
        else:
            line = f"  {style.word(module)}{' ' * (name - len(module))}  {marked}{' ' * (form - len(shape))}  {bytes_:>{weight}}"
            lines.append(line if bytes_ or reason else line.rstrip())
        for number, text in enumerate(safe(line) for line in reason.splitlines()):
            if beside and not stacked:
                room = None if width is None else width - left
                first, *rest = paragraph(text, room, hang="")
                indent = " " * left
                if number == 0:
                    lines[-1] += f"  {first}"
                else:
                    lines.append(indent + first)
                lines += [indent + line for line in rest]
            else:
                lines += paragraph(text, width, "    ", "  ")
    return lines


def _data(result: Inspection, width: int | None, style: Style) -> list[str]:
    """Return the first of the other files."""
    shown = result.data[:_DATA_SHOWN]
    lines = []
    for each in shown:
        path = safe(each.path)
        beside = width is None or len(path) + 14 <= width
        lines += [f"  {path}  {style.dim(f'data, {size(each.size)}')}"] if beside else [f"  {path}", f"    {size(each.size)}"]
    rest = len(result.data) - len(shown)
    return [*lines, *([style.dim(f"  and {count(rest, 'file')} more")] if rest else [])]


def _dependency(each: InspectedDependency, width: int | None, style: Style) -> list[str]:
    """Return a dependency of a binary as one line, and what its modules are."""
    words = [*_counted(dict(each.modules)), f"{count(each.files, 'file')}, {size(each.size)}"]
    first, *rest = paragraph(f"{safe(each.name)} {safe(each.version)}: {', '.join(words)}", width, "  ", "  ")
    name = safe(each.name)
    return [first.replace(name, style.word(name), 1), *rest]


def _counted(forms: Mapping[str, int]) -> list[str]:
    """Return how many modules have which form, in words."""
    return [
        count(forms[form], one, several)
        for form, one, several in (
            (EXTENSION, "extension module", "extension modules"),
            (BYTECODE, "module as bytecode", "modules as bytecode"),
            (SOURCE, "module as source", "modules as source"),
        )
        if forms.get(form)
    ]


def _totals(result: Inspection) -> str:
    members = Counter(module.file for module in result.modules if module.scope == PACKAGE)
    said = [f"one extension module that is {count(modules, 'module')}" for modules in members.values()]
    said += _counted(Counter(module.form for module in result.modules if module.scope != PACKAGE))
    if result.data:
        said.append(f"{count(len(result.data), 'other file')} ({size(sum(each.size for each in result.data))})")
    return ", ".join(said) or "no files but its metadata"
