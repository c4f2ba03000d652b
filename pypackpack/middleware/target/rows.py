"""The table of targets as it is written: ``data/targets.toml``, checked key by key, into rows.

A row makes one target, or one for each version of its platform; the comment at the top of the file describes the keys.
The loader is strict, because a typing error in a row would otherwise be found by the person whose wheel does not load.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.model.errors import SettingsError
from pypackpack.model.target import Target, WheelTags

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pypackpack.model.target import PythonVersion

TABLE_NAME = "targets.toml"
TOOLCHAINS = ("zig", "ndk", "xcode")
OBJECT_FORMATS = ("elf", "macho", "coff", "wasm")
LIBCS = ("", "glibc", "musl")


@dataclass(frozen=True)
class Versions:
    """How the targets of one row differ by version (the keys of ``versions`` in the table)."""

    name: str
    form: str
    unsaid: str
    lowest: str
    newest: str
    same: Mapping[str, str]


@dataclass(frozen=True)
class Runner:
    """A program that runs other platforms' programs: on which hosts, and what it is called."""

    name: str
    hosts: tuple[str, ...]
    machines: tuple[str, ...]
    programs: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One row of the table; texts may hold ``{version}`` and ``{dotted}``."""

    name: str
    family: str
    arch: str
    summary: str
    versions: Versions | None
    tags: tuple[str, ...]
    more_tags: Mapping[str, tuple[str, ...]]
    tags_by_python: Mapping[PythonVersion, tuple[str, ...]]
    sys_platform: str
    platform_system: str
    platform_machine: str
    os_name: str
    toolchain: str
    triple: str
    parts: tuple[str, ...]
    object_format: str
    suffix: str
    suffix_by_python: Mapping[PythonVersion, str]
    min_python: PythonVersion
    uv: str
    uv_versions: tuple[str, ...]
    uv_by_python: Mapping[PythonVersion, str]
    uv_environment: Mapping[str, str]
    libc: str
    machines: tuple[str, ...]
    also_on: tuple[str, ...]
    runner: Runner | None
    aliases: tuple[str, ...]
    default_of_family: bool

    def target(self, version: str = "") -> Target:
        """Return the row's target, or the one of a version (as in names: ``2_28``), which must be right already."""
        versions = self.versions
        version = version or (versions.unsaid if versions else "")
        plain = versions is None or version == versions.unsaid

        def fill(text: str) -> str:
            return text.replace("{version}", version).replace("{dotted}", dotted(version))

        tags_by_python, uv_by_python, min_python = self.tags_by_python, self.uv_by_python, self.min_python
        if versions is not None and not versions.unsaid and version:
            tags_by_python = {python: tags for python, tags in tags_by_python.items() if f"_{version}_" in "".join(tags)}
            uv_by_python = {python: name for python, name in uv_by_python.items() if python in tags_by_python}
            min_python = min(tags_by_python)
        return Target(
            name=self.name if plain or versions is None else versions.name.replace("{version}", version),
            family=self.family,
            arch=self.arch,
            summary=self.summary if plain else f"{self.summary}, from version {dotted(version)}",
            tags=WheelTags(
                (*map(fill, self.tags), *map(fill, self.more_tags.get(version, ()))),
                {python: tuple(map(fill, tags)) for python, tags in tags_by_python.items()},
            ),
            sys_platform=self.sys_platform,
            platform_machine=self.platform_machine,
            platform_system=self.platform_system,
            os_name=self.os_name,
            toolchain=self.toolchain,
            triple=fill(self.triple),
            object_format=self.object_format,
            uv_platform=self._uv(version),
            extension_suffix=fill(self.suffix),
            extension_suffix_by_python=self.suffix_by_python,
            min_python=min_python,
            default_of_family=plain and self.default_of_family,
            row=self.name,
            version=dotted(version),
            parts=self.parts,
            uv_platform_by_python=uv_by_python,
            uv_environment=tuple((name, fill(value)) for name, value in self.uv_environment.items()),
        )

    def _uv(self, version: str) -> str:
        if not self.uv_versions:
            return self.uv
        below = [each for each in self.uv_versions if numbers(each) <= numbers(version)]
        return self.uv.replace("{version}", max(below, key=numbers)) if below else ""


@dataclass(frozen=True)
class Table:
    """The whole table: rows and families' default targets, by name, in the order of the file."""

    rows: Mapping[str, Row]
    families: Mapping[str, str]


def dotted(version: str) -> str:
    """Return a version as in numbers (``2.28``) from one as in names (``2_28``)."""
    return version.replace("_", ".")


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, to be compared."""
    return tuple(int(word) for word in re.split(r"[._]", version))


def collapse(word: str) -> str:
    """Return the form in which names are compared: lower case, ``_`` between words."""
    return word.lower().replace("-", "_").replace(".", "_")


# ------------------------------------------------------------------------------------------------- reading the values

_VERSION = re.compile(r"\d+(_\d+)*")
_PYTHON = re.compile(r"3\.\d+")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_HOLE = re.compile(r"\{[^}]*\}?")
_TAG = re.compile(r"[a-z0-9_]+")


def _wrong(row: str, key: str, expected: str, value: object) -> SettingsError:
    msg = f"{TABLE_NAME}: {row}: {key}: expected {expected}, found {value!r}"
    return SettingsError(msg, hint="The comment at the top of the table says what each key holds.")


def _text(row: str, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(row, key, "a text", value)
    return value


def _full_text(row: str, key: str, value: object) -> str:
    if not _text(row, key, value):
        raise _wrong(row, key, "a text that is not empty", value)
    return str(value)


def _texts(row: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise _wrong(row, key, "a list of texts", value)
    if len(set(value)) != len(value):
        raise _wrong(row, key, "a list without repetitions", value)
    return tuple(value)


def _tags(row: str, key: str, value: object) -> tuple[str, ...]:
    tags = _texts(row, key, value)
    for tag in tags:
        if not _TAG.fullmatch(_HOLE.sub("0", tag)):
            raise _wrong(row, key, "platform tags of lower case letters, digits and underscores", tag)
    return tags


def _version(row: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise _wrong(row, key, "a version with underscores, such as 2_17", value)
    return value


def _version_list(row: str, key: str, value: object) -> tuple[str, ...]:
    return tuple(_version(row, key, each) for each in _texts(row, key, value))


def _python(row: str, key: str, value: object) -> PythonVersion:
    if not isinstance(value, str) or not _PYTHON.fullmatch(value):
        raise _wrong(row, key, "a Python version such as 3.13", value)
    return (3, int(value.partition(".")[2]))


def _choice(*words: str) -> Callable[[str, str, object], str]:
    def read(row: str, key: str, value: object) -> str:
        if value not in words:
            raise _wrong(row, key, "one of " + ", ".join(repr(word) for word in words), value)
        return str(value)

    return read


def _table(row: str, key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(row, key, "a table", value)
    return value


def _mapping(
    read_key: Callable[[str, str, object], Any], read_value: Callable[[str, str, object], Any]
) -> Callable[[str, str, object], dict[Any, Any]]:
    def read(row: str, key: str, value: object) -> dict[Any, Any]:
        return {
            read_key(row, key, name): read_value(row, f"{key}.{name}", each) for name, each in _table(row, key, value).items()
        }

    return read


def _versions(row: str, key: str, value: object) -> Versions:
    given = _table(row, key, value)
    _known(row, given, {"name", "form", "unsaid", "lowest", "newest", "same"}, f"{key}.")
    for needed in ("name", "form"):
        if needed not in given:
            raise _wrong(row, f"{key}.{needed}", "this key", None)
    name, form = _text(row, f"{key}.name", given["name"]), _text(row, f"{key}.form", given["form"])
    if name.count("{version}") != 1:
        raise _wrong(row, f"{key}.name", "{version} once", name)
    try:
        expression = re.compile(form)
    except re.error as error:
        raise _wrong(row, f"{key}.form", f"a regular expression ({error})", form) from error
    said = {word: _version(row, f"{key}.{word}", given[word]) for word in ("unsaid", "lowest", "newest") if word in given}
    same = _mapping(_version, _version)(row, f"{key}.same", given.get("same", {}))
    for word, version in (*said.items(), *(("same", version) for version in same.values())):
        if not expression.fullmatch(version):
            raise _wrong(row, f"{key}.{word}", f"a version of the form {form}", version)
    unsaid = said.get("unsaid", "")
    versions = Versions(name, form, unsaid, said.get("lowest", unsaid), said.get("newest", ""), same)
    low, high = versions.lowest, versions.newest
    if (low and unsaid and numbers(low) > numbers(unsaid)) or (low and high and numbers(low) > numbers(high)):
        raise _wrong(row, f"{key}.lowest", "a version that is not above the others", low)
    return versions


_KEYS: dict[str, Callable[[str, str, object], Any]] = {
    "name": _text,
    "arch": _full_text,
    "summary": _full_text,
    "versions": _versions,
    "tags": _tags,
    "more_tags": _mapping(_version, _tags),
    "tags_by_python": _mapping(_python, _tags),
    "sys_platform": _full_text,
    "platform_system": _full_text,
    "platform_machine": _text,
    "os_name": _full_text,
    "toolchain": _choice(*TOOLCHAINS),
    "triple": _text,
    "parts": _texts,
    "object_format": _choice(*OBJECT_FORMATS),
    "suffix": _full_text,
    "suffix_by_python": _mapping(_python, _full_text),
    "min_python": _python,
    "uv": _text,
    "uv_versions": _version_list,
    "uv_by_python": _mapping(_python, _full_text),
    "uv_environment": _mapping(_full_text, _full_text),
    "libc": _choice(*LIBCS),
    "machines": _texts,
    "also_on": _texts,
    "runner": _mapping(_choice("with", "cpu"), _full_text),
    "aliases": _texts,
}
_OPTIONAL: dict[str, object] = {
    "versions": None,
    "more_tags": {},
    "tags_by_python": {},
    "parts": (),
    "suffix_by_python": {},
    "uv": "",
    "uv_versions": (),
    "uv_by_python": {},
    "uv_environment": {},
    "libc": "",
    "also_on": (),
    "runner": None,
    "aliases": (),
}
_VERSION_HOLES = {"{version}", "{dotted}"}
_MAY_HOLD = {
    "tags": _VERSION_HOLES,
    "triple": _VERSION_HOLES,
    "aliases": _VERSION_HOLES,
    "suffix": {"{py}", *_VERSION_HOLES},
    "uv": _VERSION_HOLES,
}


def _known(row: str, given: Iterable[str], allowed: Iterable[str], prefix: str = "") -> None:
    names = list(allowed)
    for key in given:
        if key not in names:
            import difflib  # noqa: PLC0415 - import cost

            near = difflib.get_close_matches(key, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else "The keys are: " + ", ".join(sorted(names)) + "."
            msg = f"{TABLE_NAME}: {row}: {prefix}{key}: there is no such key"
            raise SettingsError(msg, hint=hint)


# ---------------------------------------------------------------------------------------------------- the whole table


def read_table(text: str) -> Table:
    """Read and check the table.

    Raises:
        SettingsError: Something in it is wrong; the message names the row and the key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{TABLE_NAME}: not valid TOML: {error}"
        raise SettingsError(msg) from error
    _known("the file", document, {"runners", "families", "target"})
    runners = {name: _runner(name, value) for name, value in _table("the file", "runners", document.get("runners", {})).items()}
    families = _table("the file", "families", document.get("families", {}))
    defaults: dict[str, str] = {}
    shared: dict[str, dict[str, Any]] = {}
    for family, value in families.items():
        row = f"family {family}"
        given = _table(row, family, value)
        _known(row, given, {"default", *_KEYS})
        defaults[family] = _full_text(row, "default", given.get("default"))
        shared[family] = {key: _KEYS[key](row, key, each) for key, each in given.items() if key != "default"}
    rows: dict[str, Row] = {}
    entries = document.get("target", [])
    if not isinstance(entries, list):
        msg = "the file"
        raise _wrong(msg, "target", "a list of tables ([[target]])", entries)
    for number, value in enumerate(entries, start=1):
        row_made = _row(number, value, shared, defaults, runners)
        if row_made.name in rows:
            raise _wrong(f"target {row_made.name}", "name", "a name that no other row has", row_made.name)
        rows[row_made.name] = row_made
    _check_references(rows, defaults)
    return Table(rows, defaults)


def _runner(name: str, value: object) -> Runner:
    row = f"runner {name}"
    given = _table(row, name, value)
    _known(row, given, {"hosts", "machines", "programs"})
    return Runner(
        name,
        _texts(row, "hosts", given.get("hosts", [])),
        _texts(row, "machines", given.get("machines", [])),
        _texts(row, "programs", given.get("programs")),
    )


def _row(
    number: int, value: object, shared: Mapping[str, dict[str, Any]], defaults: Mapping[str, str], runners: Mapping[str, Runner]
) -> Row:
    given = _table(f"target number {number}", "target", value)
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(f"target number {number}", "name", "a name such as linux_x86_64", name)
    row = f"target {name}"
    family = name.partition("_")[0]
    if family not in shared:
        raise _wrong(row, "name", "one of the families " + ", ".join(shared) + " as its first word", name)
    _known(row, given, _KEYS)
    values = {**_OPTIONAL, **shared[family], **{key: _KEYS[key](row, key, each) for key, each in given.items()}}
    for key in _KEYS:
        if key not in values:
            raise _wrong(row, key, "this key, here or in the family", None)
    _check_row(row, values)
    wanted = values.pop("runner")
    runner = None
    if wanted is not None:
        if wanted.get("with") not in runners:
            raise _wrong(row, "runner.with", "one of " + ", ".join(runners), wanted.get("with"))
        found = runners[wanted["with"]]
        programs = tuple(program.replace("{cpu}", wanted.get("cpu", "")) for program in found.programs)
        runner = Runner(found.name, found.hosts, found.machines, programs)
    return Row(family=family, runner=runner, default_of_family=defaults[family] == name, **values)


def _check_row(row: str, values: Mapping[str, Any]) -> None:
    """Check what keys of one row mean to each other."""
    versions: Versions | None = values["versions"]
    unsaid = versions.unsaid if versions else ""
    for key, allowed in _MAY_HOLD.items():
        for text in (values[key],) if isinstance(values[key], str) else values[key]:
            _check_holes(row, key, text, allowed if unsaid or (versions and key == "aliases") else allowed - _VERSION_HOLES)
    if versions and values["name"] not in (
        versions.name.replace("{version}", unsaid),
        versions.name.replace("_{version}", ""),
    ):
        raise _wrong(row, "versions.name", f"a pattern of the name {values['name']}", versions.name)
    for key, fine, expected in (
        ("tags", values["tags"] or values["tags_by_python"], "at least one tag, here or in tags_by_python"),
        ("triple", values["triple"] or values["parts"], "a triple, or parts"),
        ("uv_versions", values["uv"] or not values["uv_versions"], "the key uv beside it"),
        ("arch", values["arch"] in values["name"], f"a word of the name {values['name']}"),
    ):
        if not fine:
            raise _wrong(row, key, expected, values[key])


def _check_holes(row: str, key: str, text: str, allowed: set[str]) -> None:
    for hole in _HOLE.findall(text):
        if hole not in allowed:
            expected = "no other placeholders than " + " and ".join(sorted(allowed)) if allowed else "no placeholders"
            raise _wrong(row, key, expected, text)


def _check_references(rows: Mapping[str, Row], defaults: Mapping[str, str]) -> None:
    """Check what rows say of each other: defaults, parts, also_on and hosts."""
    for family, name in defaults.items():
        if name not in rows or rows[name].family != family:
            raise _wrong(f"family {family}", "default", "a target of the family", name)
    hosts: dict[tuple[str, str, str], str] = {}
    for row in rows.values():
        label = f"target {row.name}"
        for key, names in (("parts", row.parts), ("also_on", row.also_on)):
            for name in names:
                if name not in rows or name == row.name:
                    raise _wrong(label, key, "names of other targets", name)
        for machine in row.machines:
            other = hosts.setdefault((row.sys_platform, row.libc, machine), row.name)
            if other != row.name:
                raise _wrong(label, "machines", f"machines that {other} does not have", machine)
    _check_names(rows, defaults)


def _check_names(rows: Mapping[str, Row], defaults: Mapping[str, str]) -> None:
    """Check that no name means two targets."""
    taken: dict[str, str] = {family: f"family {family}" for family in defaults}
    taken["host"] = "the word for this machine"
    for row in rows.values():
        label = f"target {row.name}"
        names = [("name", row.name), *(("aliases", alias) for alias in row.aliases)]
        if row.versions:
            names += [("versions.name", row.versions.name), ("versions.name", row.versions.name.replace("_{version}", ""))]
        for key, name in names:
            other = taken.setdefault(collapse(name.replace("{dotted}", "{version}")), label)
            if other != label:
                raise _wrong(label, key, f"a name that {other} does not have", name)
