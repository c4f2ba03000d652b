"""What separates two wheels, and what is in a patch, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.inspect_view import safe
from pypackpack.frontend.cli.render import count, near_path, paragraph, size, table
from pypackpack.model.comparison import ADDED, REMOVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.comparison import (
        Comparison,
        FieldChange,
        MemberChange,
        PatchInspection,
        ResourceComparison,
        ResourceInspection,
    )

_SIGNS = {ADDED: "+", REMOVED: "-"}


def comparison_lines(result: Comparison, width: int | None, style: Style) -> list[str]:
    """Return what separates two wheels: files, metadata, modules."""
    names = [safe(near_path(path)) for path in (result.first, result.second)]
    lines = [f"{style.bold(name)}  {size(bytes_)}" for name, bytes_ in zip(names, result.sizes, strict=True)]
    if result.same:
        return [*lines, "", "the same to the byte"]
    if result.members:
        lines += ["", style.bold("files"), *_members(result.members)]
        if result.unchanged:
            lines.append(style.dim(f"  and {count(result.unchanged, 'file')} the same in both"))
    if result.packing:
        lines += [
            "",
            *paragraph("all files are the same; the archives differ in order, dates, modes or compression", width, hang=""),
        ]
    if result.fields:
        lines += ["", style.bold("metadata"), *(line for each in result.fields for line in _field(each, width))]
    if result.modules:
        lines += ["", style.bold("modules")]
        for module in result.modules:
            lines.append(f"  {_SIGNS.get(module.change, '~')} {style.word(safe(module.module))}")
            for sign, text in (("-", module.before), ("+", module.after)):
                for number, line in enumerate(safe(each) for each in text.splitlines()):
                    lines += paragraph(f"{sign} {line}", width, "      ") if number == 0 else paragraph(line, width, "        ")
    return lines


def _members(members: Sequence[MemberChange]) -> list[str]:
    rows = []
    for each in members:
        arrow = "->" if each.before != each.after else ""
        rows.append((_SIGNS.get(each.change, "~"), safe(each.path), _size(each.before), arrow, _size(each.after)))
    return [f"  {line}" for line in table(rows, right=(2, 4))]


def resources_lines(result: ResourceComparison, width: int | None, style: Style) -> list[str]:
    """Return what separates two archives of data files, and what the second costs those who have the first."""
    names = [safe(near_path(path)) for path in (result.first, result.second)]
    lines = [f"{style.bold(name)}  {size(bytes_)}" for name, bytes_ in zip(names, result.sizes, strict=True)]
    if result.same:
        return [*lines, "", "all files are the same"]
    text = f"{count(result.chunks, 'chunk')} to fetch for whoever has the first, {size(result.fetch)}"
    return [*lines, "", style.bold("files"), *_members(result.members), "", *paragraph(text, width, hang="")]


def resource_lines(result: ResourceInspection, width: int | None, style: Style) -> list[str]:
    """Return what is in an archive of data files."""
    rows = [
        ("package", f"{result.name} {result.version}, for {result.package}"),
        ("for", result.tag),
        ("identity", result.identity),
    ]
    lines = [f"{style.bold(safe(near_path(result.path)))}  {size(result.size)}", *(f"  {safe(line)}" for line in table(rows))]
    if result.data:
        files = table([(safe(each.path), size(each.size)) for each in result.data], right=(1,))
        lines += ["", *(f"  {line}" for line in files)]
    text = f"{count(len(result.data), 'file')}, {size(result.unpacked)} unpacked, in {count(result.chunks, 'chunk')}"
    return [*lines, "", *paragraph(text, width, hang="")]


def _size(number: int | None) -> str:
    return "" if number is None else size(number)


def _field(field: FieldChange, width: int | None) -> list[str]:
    lines = [f"  {safe(field.name)}"]
    for sign, values in (("-", field.before), ("+", field.after)):
        lines += [line for value in values for line in paragraph(f"{sign} {safe(value)}", width, "    ", "  ")]
    return lines


def patch_lines(result: PatchInspection, width: int | None, style: Style) -> list[str]:
    """Return what a patch leads from and to, and the files that it makes."""
    rows = [
        ("patch", f"{result.number} of {result.name}, {result.tag}"),
        ("identity", result.identity),
        ("from", result.primary),
        ("to", result.result),
        ("packed", result.codec),
        ("kept", count(result.kept, "file")),
    ]
    lines = [f"{style.bold(safe(near_path(result.path)))}  {size(result.size)}"]
    lines += [f"  {safe(line)}" for line in table(rows)]
    if result.members:
        made = [
            (_SIGNS.get(each.change, "~"), safe(each.path) or "(a file of the primary)", size(each.size))
            for each in result.members
        ]
        lines += ["", style.bold("files that it makes"), *(f"  {line}" for line in table(made, right=(2,)))]
    return [
        *lines,
        "",
        *paragraph(f"makes {size(result.result_size)} of files, all of its bytes are what it says", width, hang=""),
    ]
