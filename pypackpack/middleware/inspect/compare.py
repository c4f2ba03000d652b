"""`pypackpack inspect --diff`: what separates two wheels, in files, metadata and modules."""

from __future__ import annotations

import hashlib
from email.parser import BytesParser
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.middleware.inspect.wheel import MOST_METADATA, inspect_wheel
from pypackpack.model.comparison import ADDED, CHANGED, REMOVED, Comparison, FieldChange, MemberChange, ModuleChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pypackpack.backend.zip_reader import Entry
    from pypackpack.model.inspection import InspectedModule, Inspection

_HEADERS = ("METADATA", "WHEEL")


def compare_wheels(first: Path, second: Path) -> Comparison:
    """Return what separates two wheels.

    Files of the metadata folder count as one file in both, whatever the version in the folder's name.

    Raises:
        DamagedArtifactError: One is damaged, or no wheel.
        FilesystemError: One cannot be read.
    """
    one, other = inspect_wheel(first), inspect_wheel(second)
    with filesystem.explained("read", first), first.open("rb") as left, second.open("rb") as right:
        archives = ZipReader(left, first), ZipReader(right, second)
        entries = _entries(archives[0]), _entries(archives[1])
        members, unchanged = _members(archives, entries)
        fields = _headers(archives, entries)
    same = one.sha256 == other.sha256
    return Comparison(
        "comparison",
        first,
        second,
        (one.size, other.size),
        (one.sha256, other.sha256),
        same,
        members,
        unchanged,
        (*fields, *_facts(one, other)),
        _modules(one, other),
        packing=not same and not members,
    )


def _entries(archive: ZipReader) -> dict[str, Entry]:
    """Return the files by their path, those of the metadata folder by ``.dist-info/…``."""
    found = {}
    for entry in archive.entries:
        top, slash, rest = entry.path.partition("/")
        found[f".dist-info/{rest}" if slash and top.endswith(".dist-info") else entry.path] = entry
    return {path: entry for path, entry in found.items() if not path.endswith("/")}


def _members(
    archives: tuple[ZipReader, ZipReader], entries: tuple[Mapping[str, Entry], Mapping[str, Entry]]
) -> tuple[tuple[MemberChange, ...], int]:
    found, unchanged = [], 0
    for path in sorted({*entries[0], *entries[1]}):
        mine, theirs = entries[0].get(path), entries[1].get(path)
        if mine is None or theirs is None:
            sizes = (mine.size if mine else None, theirs.size if theirs else None)
            found.append(MemberChange(path, REMOVED if theirs is None else ADDED, *sizes))
        elif (mine.size, mine.crc32) != (theirs.size, theirs.crc32) or _digest(archives[0], mine) != _digest(archives[1], theirs):
            found.append(MemberChange(path, CHANGED, mine.size, theirs.size))
        else:
            unchanged += 1
    return tuple(found), unchanged


def _digest(archive: ZipReader, entry: Entry) -> bytes:
    digest = hashlib.sha256()
    for chunk in archive.chunks(entry):
        digest.update(chunk)
    return digest.digest()


def _headers(
    archives: tuple[ZipReader, ZipReader], entries: tuple[Mapping[str, Entry], Mapping[str, Entry]]
) -> list[FieldChange]:
    found = []
    for file in _HEADERS:
        sides = [
            _values(archive.read(known[f".dist-info/{file}"], MOST_METADATA))
            for archive, known in zip(archives, entries, strict=True)
        ]
        for name in dict.fromkeys([*sides[0], *sides[1]]):
            before, after = sides[0].get(name, ()), sides[1].get(name, ())
            if before != after:
                gone = tuple(each for each in before if each not in after)
                new = tuple(each for each in after if each not in before)
                found.append(FieldChange(f"{file}: {name}", gone or before, new or after))
    return found


def _values(data: bytes) -> dict[str, tuple[str, ...]]:
    """Return the fields of a file in the form of e-mail headers, and its text as one more."""
    message = BytesParser().parsebytes(data)
    found: dict[str, tuple[str, ...]] = {}
    for name, value in message.items():
        found[name] = (*found.get(name, ()), " ".join(str(value).split()))
    text = message.get_payload()
    if isinstance(text, str) and text:
        found["text"] = (f"{len(text)} letters, {hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}",)
    return found


_FACTS: tuple[tuple[str, Callable[[Inspection], str]], ...] = (
    ("level", lambda each: each.level),
    ("type", lambda each: each.type),
    ("python", lambda each: each.python),
    ("compiler", lambda each: f"{each.compiler.name} {each.compiler.version}" if each.compiler else ""),
    ("toolchain", lambda each: f"{each.toolchain.name} {each.toolchain.version}" if each.toolchain else ""),
)


def _facts(one: Inspection, other: Inspection) -> list[FieldChange]:
    pairs = [(name, value(one), value(other)) for name, value in _FACTS]
    return [
        FieldChange(name, tuple(filter(None, [before])), tuple(filter(None, [after])))
        for name, before, after in pairs
        if before != after
    ]


def _modules(one: Inspection, other: Inspection) -> tuple[ModuleChange, ...]:
    sides = [{each.module: _form(each) for each in side.modules} for side in (one, other)]
    return tuple(
        ModuleChange(name, ADDED if name not in sides[0] else REMOVED if name not in sides[1] else CHANGED, *pair)
        for name in sorted({*sides[0], *sides[1]})
        if (pair := (sides[0].get(name, ""), sides[1].get(name, "")))[0] != pair[1]
    )


def _form(module: InspectedModule) -> str:
    form = f"{module.form} ({module.scope})" if module.scope else module.form
    return f"{form}: {module.reason}" if module.reason else form
