"""Poetry's way to write a dependency as PEP 508 says it: ``^1.2``, ``~1.2``, ``python =``, ``platform =``, ``git =`` (pure).

The form: https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE = re.compile(r"\s*(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?([0-9][0-9A-Za-z.*+!-]*|\*)\s*(?:,|\s|$)")
_OR = re.compile(r"\s*\|\|?\s*")
_PLATFORM = re.compile(r"\s*(==|!=|=)?\s*([a-z0-9_]+)\s*", re.IGNORECASE)
_SERIES = 2
_ANY = frozenset({"", "*"})


def requirement(name: str, said: Any) -> str:  # noqa: ANN401 - a TOML value
    """Return a dependency as PEP 508 writes it; a folder or file as ``./path[extras] ; marker``, as requirements files do.

    Args:
        name: The key.
        said: Its value: a version, or a table. A list of tables is one dependency for each.

    Raises:
        ValueError: It cannot be said in PEP 508; the text says why.
    """
    table: Mapping[str, Any] = {"version": said} if isinstance(said, str) else said
    if not isinstance(table, dict):
        msg = f"expected a version or a table, found {said!r}"
        raise ValueError(msg)  # noqa: TRY004 - the one kind that a caller makes a message of
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    marker = " and ".join(_grouped(text) for text in _markers(table) if text)
    if "path" in table or "file" in table:
        place = str(table.get("path") or table.get("file")).replace("\\", "/")
        place = place if place.startswith((".", "/")) or ":" in place else f"./{place}"
        return f"{place}{extras} ; {marker}" if marker else f"{place}{extras}"
    url = _url(table)
    if url:
        return f"{name}{extras} @ {url} ; {marker}" if marker else f"{name}{extras} @ {url}"
    specifier = specifiers(str(table.get("version", "*")))
    return f"{name}{extras}{specifier} ; {marker}" if marker else f"{name}{extras}{specifier}"


def _url(table: Mapping[str, Any]) -> str:
    if "git" not in table:
        return str(table.get("url", ""))
    git = str(table["git"])
    if re.match(r"[^/\s:]+@[^/\s:]+:", git):  # git@github.com:owner/name, which is no url
        git = "ssh://" + git.replace(":", "/", 1)
    commit = next((f"@{table[key]}" for key in ("rev", "tag", "branch") if table.get(key)), "")
    return f"git+{git}{commit}" + (f"#subdirectory={table['subdirectory']}" if table.get("subdirectory") else "")


def _markers(table: Mapping[str, Any]) -> list[str]:
    python, platform = str(table.get("python", "")), str(table.get("platform", ""))
    return [python_marker(python), platform_marker(platform), str(table.get("markers", ""))]


def _grouped(text: str) -> str:
    return f"({text})" if " or " in text else text


def specifiers(text: str) -> str:
    """Return a version constraint as PEP 440 specifiers; empty means any version.

    Raises:
        ValueError: It is none, or one that PEP 440 cannot say.
    """
    choices = [_choice(part, text) for part in _OR.split(text.strip())]
    if [] in choices:  # one of them is any version
        return ""
    if len(choices) == 1:
        return ",".join(choices[0])
    ranges = [_range(choice) for choice in choices]
    if None not in ranges:
        from packaging.version import Version  # noqa: PLC0415 - import cost

        known = sorted((each for each in ranges if each is not None), key=lambda each: Version(each[0]))
        if all(Version(one[1]) >= Version(other[0]) for one, other in pairwise(known)):
            return f">={known[0][0]},<{max((each[1] for each in known), key=Version)}"
    msg = f'"{text}" has no form in PEP 440, which knows no "or"'
    raise ValueError(msg)


def python_marker(text: str) -> str:
    """Return what ``python = "^3.9"`` says as a marker; empty means every Python.

    Raises:
        ValueError: It is no version constraint.
    """
    choices = [_choice(part, text) for part in _OR.split(text.strip())] if text.strip() not in _ANY else [[]]
    if [] in choices:
        return ""
    return " or ".join(" and ".join(_python(piece) for piece in choice) for choice in choices)


def _python(piece: str) -> str:
    operator = piece[: len(piece) - len(piece.lstrip("=<>!~"))]
    version = piece[len(operator) :].removesuffix(".*")
    numbers = version.split(".")
    whole = version if len(numbers) > 1 else f"{version}.0"
    if piece.endswith(".*") and len(numbers) == 1:  # `3.*`
        return f'python_version >= "{numbers[0]}.0" and python_version < "{int(numbers[0]) + 1}.0"'
    if operator in (">", "<=") and len(numbers) <= _SERIES:  # 3.8.1 is after 3.8; python_version ends there
        return f'python_full_version {operator} "{whole}.0"'
    name = "python_full_version" if len(numbers) > _SERIES else "python_version"
    return f'{name} {operator} "{whole}"'


def platform_marker(text: str) -> str:
    """Return what ``platform = "linux || darwin"`` says as a marker; empty means every platform.

    Raises:
        ValueError: It is none.
    """
    if text.strip() in _ANY:
        return ""
    choices = []
    for part in _OR.split(text.strip()):
        found = [_PLATFORM.fullmatch(piece) for piece in part.split(",")]
        if None in found:
            msg = f'"{text}" is no platform'
            raise ValueError(msg)
        words = [f'sys_platform {"!=" if each[1] == "!=" else "=="} "{each[2]}"' for each in found if each is not None]
        choices.append(" and ".join(words))
    return " or ".join(choices)


def _choice(text: str, whole: str) -> list[str]:
    """Return one alternative as specifiers; none of them means any version."""
    found, position = [], 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            msg = f'"{whole}" is no version constraint'
            raise ValueError(msg)
        found += _one(piece[1] or "==", piece[2])
        position = piece.end()
    if not found and not text.strip():
        msg = f'"{whole}" is no version constraint'
        raise ValueError(msg)
    return found


def _one(operator: str, version: str) -> list[str]:
    if version == "*":
        return []
    if operator in ("^", "~"):
        return [f">={version}", f"<{_next(operator, version)}"]
    return [f"{'==' if operator == '=' else operator}{version}"]


def _next(operator: str, version: str) -> str:
    """Return the first version that ``^`` or ``~`` does not allow any more."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - import cost

    try:
        found = Version(version)
    except InvalidVersion as error:
        msg = f'"{version}" is no version'
        raise ValueError(msg) from error
    numbers = list(found.release)
    if operator == "~":
        last = min(1, len(numbers) - 1)
    else:
        last = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    after = ".".join(map(str, [*numbers[:last], numbers[last] + 1]))
    return f"{found.epoch}!{after}" if found.epoch else after


def _range(choice: list[str]) -> tuple[str, str] | None:
    """Return the ends of ``>=a,<b``; of another form, None."""
    if len(choice) == _SERIES and choice[0].startswith(">=") and choice[1].startswith("<") and choice[1][1] != "=":
        return choice[0][2:], choice[1][1:]
    return None
