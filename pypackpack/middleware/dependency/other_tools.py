"""Where other tools write dependencies: lists in ``pyproject.toml`` and ``setup.cfg`` that are not the standard's own.

Read are Poetry, PDM, Hatch, Flit, Rye, uv's old list and setuptools' ``setup.cfg``, and the standard's lists (PEP 621, PEP 735).
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.dependency import poetry
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAIN = ""
"""The group of what the project itself needs when it runs."""
DEVELOPMENT = "dev"
PROJECT_FILES = frozenset({"pyproject.toml", "setup.cfg"})


@dataclass(frozen=True)
class Entry:
    """One dependency in such a list.

    Attributes:
        text: As a line of a requirements file; empty when it is none.
        line: Where it stands, from 1.
        key: What it is called there.
        problem: Why it cannot be said as a line.
        remark: Why it should not be taken, and what to do instead.
    """

    text: str
    line: int
    key: str = ""
    problem: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Listed:
    """One such list.

    Attributes:
        table: Where it stands: a dotted key, or ``[section] option``.
        group: For what: `MAIN`, or the name of a group.
        entries: What is in it.
        standard: Whether every tool understands it, ours too.
    """

    table: str
    group: str
    entries: tuple[Entry, ...]
    standard: bool = False


@dataclass(frozen=True)
class IndexNamed:
    """An index that such a file names: its url, its name, where, and its kind (see `AskedIndex`)."""

    url: str
    name: str
    line: int
    table: str
    kind: str = "extra"


def lists_in_toml(content: Mapping[str, Any], text: str) -> tuple[Listed, ...]:
    """Return the lists of a ``pyproject.toml``, those with something in them.

    Args:
        content: The file.
        text: Its text, for the numbers of lines.
    """
    return tuple(found for found in _lists(content, text.splitlines()) if found.entries)


def _lists(content: Mapping[str, Any], lines: list[str]) -> Iterator[Listed]:
    def plain(table: str, group: str, value: object, *, standard: bool = False) -> Listed:
        return Listed(table, group, tuple(Entry(_as_line(text), _line_of(lines, text)) for text in _texts(value)), standard)

    project = _at(content, "project")
    yield plain("project.dependencies", MAIN, project.get("dependencies"), standard=True)
    groups = _at(content, "dependency-groups")
    for group in groups:
        yield plain(f"dependency-groups.{group}", str(group), _expanded(groups, str(group)), standard=True)
    own = _at(content, "tool", "poetry")
    yield _poetry("tool.poetry.dependencies", MAIN, own, _at(own, "dependencies"), lines)
    yield _poetry("tool.poetry.dev-dependencies", DEVELOPMENT, own, _at(own, "dev-dependencies"), lines)
    for group, table in _at(own, "group").items():
        yield _poetry(f"tool.poetry.group.{group}.dependencies", str(group), own, _at(table, "dependencies"), lines)
    for group, texts in _at(content, "tool", "pdm", "dev-dependencies").items():
        yield plain(f"tool.pdm.dev-dependencies.{group}", str(group), texts)
    for name, table in _at(content, "tool", "hatch", "envs").items():
        for key in ("dependencies", "extra-dependencies"):
            group = DEVELOPMENT if name == "default" else str(name)
            yield plain(f"tool.hatch.envs.{name}.{key}", group, _at(table).get(key))
    flit = _at(content, "tool", "flit", "metadata")
    yield plain("tool.flit.metadata.requires", MAIN, flit.get("requires"))
    yield plain("tool.flit.metadata.dev-requires", DEVELOPMENT, flit.get("dev-requires"))
    for tool in ("rye", "uv"):
        yield plain(f"tool.{tool}.dev-dependencies", DEVELOPMENT, _at(content, "tool", tool).get("dev-dependencies"))


def _poetry(table: str, group: str, own: Mapping[str, Any], said: Mapping[str, Any], lines: list[str]) -> Listed:
    extras = _at(own, "extras")
    entries = []
    for name, value in said.items():
        line = _line_of_key(lines, table, name)
        if name == "python" and group == MAIN:
            remark = "It is no dependency; `pypackpack python use <version>` says which Python the project has."
            entries.append(Entry("", line, f"python {value}", remark=remark))
            continue
        for one in value if isinstance(value, list) else [value]:
            try:
                text = poetry.requirement(name, one)
            except ValueError as error:
                entries.append(Entry("", line, name, problem=f"{name}: {error}"))
                continue
            editable = isinstance(one, dict) and one.get("develop") is True
            optional = isinstance(one, dict) and one.get("optional") is True
            holders = sorted(extra for extra, names in extras.items() if normalise(name) in map(normalise, names))
            what = f"only for the extra {', '.join(holders)}" if holders else "optional"
            remark = f'It is {what}; `pypackpack add "{text}"` takes it.' if optional else ""
            entries.append(Entry(f"-e {text}" if editable else text, line, text if optional else name, remark=remark))
            if isinstance(one, dict) and isinstance(index := one.get("source"), str):
                where = (
                    f'Say it in pyproject.toml, once the index is there: `[tool.uv.sources]`, `{name} = {{ index = "{index}" }}`.'
                )
                entries.append(Entry("", line, f"source {index} of {name}", remark=where))
    return Listed(table, group, tuple(entries))


def lists_in_setup_cfg(text: str) -> tuple[Listed, ...]:
    """Return the lists of a ``setup.cfg``, those with something in them; of what is not one, none."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ()
    lines = text.splitlines()
    found = []
    for option, group in (("install_requires", MAIN), ("tests_require", DEVELOPMENT)):
        texts = [line.strip() for line in re.split(r"\n", parser.get("options", option, fallback=""))]
        parts = [part for part in texts if part and not part.startswith(("#", "file:"))]
        found.append(Listed(f"[options] {option}", group, tuple(Entry(part, _line_of(lines, part)) for part in parts)))
    return tuple(each for each in found if each.entries)


def indexes_in_toml(content: Mapping[str, Any], text: str) -> tuple[IndexNamed, ...]:
    """Return the indexes that Poetry and PDM write into a ``pyproject.toml``."""
    lines = text.splitlines()
    found = []
    for tool in ("poetry", "pdm"):
        sources = _at(content, "tool", tool).get("source")
        for source in sources if isinstance(sources, list) else ():
            url = _at(source).get("url")
            if isinstance(url, str):
                name = _at(source).get("name")
                priority = _at(source).get("priority")
                kind = "explicit" if priority == "explicit" else "default" if priority == "default" or name == "pypi" else "extra"
                place = (_line_of(lines, url), f"tool.{tool}.source")
                found.append(IndexNamed(url, name if isinstance(name, str) else "", *place, kind))
    return tuple(found)


def files_of_setuptools(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the requirements files that setuptools reads the dependencies from."""
    said = _at(content, "tool", "setuptools", "dynamic", "dependencies").get("file")
    return (said,) if isinstance(said, str) else tuple(_texts(said))


def _at(content: object, *words: str) -> Mapping[str, Any]:
    here = content
    for word in words:
        here = here.get(word) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _texts(value: object) -> Iterable[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _expanded(groups: Mapping[str, Any], name: str, seen: tuple[str, ...] = ()) -> list[str]:
    """Return the lines of a dependency group with those of the groups that it includes (PEP 735)."""
    found: list[str] = []
    for item in groups[name] if isinstance(groups[name], list) else ():
        if isinstance(item, str):
            found.append(item)
        other = _at(item).get("include-group")
        match = next((group for group in groups if isinstance(other, str) and normalise(group) == normalise(other)), None)
        if match is not None and match not in (name, *seen):
            found += _expanded(groups, match, (name, *seen))
    return list(dict.fromkeys(found))


def _as_line(text: str) -> str:
    """Return an entry of a list as a line; PDM writes folders with a variable of its own."""
    return re.sub(r"file:///?(?:\$\{PROJECT_ROOT\}|\{root:uri\})/?", "./", text).replace("{root:uri}", ".")


def _line_of(lines: list[str], text: str) -> int:
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)


def _line_of_key(lines: list[str], table: str, key: str) -> int:
    """Return the line of a key in a table that has a heading of its own, else that of the first such key."""
    wanted = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""")
    inside, first = False, 0
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            heading = line.strip().strip("[]").replace('"', "").replace(" ", "")
            inside = heading == table
            if heading == f"{table}.{key}":
                return number
        elif wanted.match(line):
            if inside:
                return number
            first = first or number
    return first or 1
