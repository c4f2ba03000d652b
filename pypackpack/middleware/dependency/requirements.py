"""Requirements files, as pip reads them (pip's documentation, "Requirements File Format"), with the place of every line.

Includes, constraints, comments, continued lines, variables, encodings, hashes, markers, extras, urls, paths and editable lines.
What is wrong is collected: a person hears of all of it at once, each with file and line.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.urls import file_name, path_of, unquote, urlsplit
from pypackpack.middleware.dependency import other_tools
from pypackpack.model.errors import FilesystemError, RequirementsFileError
from pypackpack.model.names import normalise
from pypackpack.model.requirement import Asked, AskedIndex, NotTaken, Place, RequirementFiles

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTION = re.compile(r"\s(?=--?[A-Za-z])")
_HASH = re.compile(r"--hash[=\s]\s*(\w+:[0-9A-Fa-f]+)")
_SCHEME = re.compile(r"^(?:(?:git|hg|bzr|svn)\+)?[A-Za-z][A-Za-z0-9+.-]+://|^(?:git|hg|bzr|svn)\+")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_VCS = ("git+", "hg+", "bzr+", "svn+")
_NAMED = re.compile(r"^(requirements[^/]*|[^/]*[-_.]requirements)\.(txt|in)$", re.IGNORECASE)
_SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv", "vendor"})

_INDEXES = {"--index-url": "default", "-i": "default", "--extra-index-url": "extra", "--find-links": "flat", "-f": "flat"}
_OPTIONS = {
    "--no-index": "Say `no-index = true` in [tool.uv].",
    "--no-binary": "Say `no-binary-package` in [tool.uv].",
    "--only-binary": "Say `no-build-package` in [tool.uv]; packages' target environments take wheels only in any case.",
    "--prefer-binary": "uv takes wheels first anyway.",
    "--require-hashes": "The lock has the hashes of everything.",
    "--pre": 'Say `prerelease = "allow"` in [tool.uv].',
    "--trusted-host": "Say `allow-insecure-host` in [tool.uv], if it has to be.",
    "--use-feature": "It is for pip alone.",
}
DEEPEST = 100
"""How many files may stand between one that a person names and one that is read."""
LONGEST = 100_000
"""Characters of a line with all its hashes; nobody writes such a line, and it would take its square to look through it."""
_HARMLESS = frozenset({"--prefer-binary", "--require-hashes", "--use-feature"})
_FOR_ONE = "It is for pip's own builds; [tool.uv] config-settings-package says such things."


def requirement_files(
    words: Sequence[Path], root: Path, environment: Mapping[str, str], part: str | None = None
) -> RequirementFiles:
    """Read requirements files, and those in folders, with everything that they include.

    In a folder (and below it) every ``requirements*.txt|in``, ``*-requirements.txt|in`` and every ``.txt`` and ``.in`` of a
    folder ``requirements`` counts. A ``.txt`` beside an ``.in`` of the same name is what a tool made from it: its versions are
    held while the list is that of the ``.in``.

    Args:
        words: Files and folders.
        root: The project's folder; places are said relative to it.
        environment: What ``${NAME}`` stands for.
        part: Of a ``pyproject.toml`` or ``setup.cfg`` that is named, only what the project itself needs (``""``) or only this
            group; None means all of it.

    Raises:
        RequirementsFileError: Something in them cannot be read: all of it, one line each in ``details``.
    """
    reader = _Reader(root, environment, part)
    for word in words:
        reader.word(word)
    if reader.problems:
        count = "1 line" if len(reader.problems) == 1 else f"{len(reader.problems)} lines"
        msg = f"{count} of the requirements files cannot be taken"
        raise RequirementsFileError(msg, hint="Mend these lines; nothing was changed.", details="\n".join(reader.problems))
    if not reader.files:
        listed = ", ".join(os.fspath(word) for word in words)
        msg = f"there is no requirements file in {listed}"
        raise RequirementsFileError(msg, hint="Name the files themselves if they are called differently.")
    return RequirementFiles(tuple(reader.files), tuple(reader.asked), tuple(reader.not_taken), tuple(reader.indexes))


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the requirements files in and below a folder, in a stable order."""
    with filesystem.explained("read", folder):
        entries = sorted(folder.iterdir())
    for path in entries:
        if path.is_file() and (_NAMED.match(path.name) or (folder.name == "requirements" and path.suffix in (".txt", ".in"))):
            yield path
    for path in entries:
        skipped = path.name.startswith(".") or path.name in _SKIPPED or (path / "pyvenv.cfg").exists()
        if path.is_dir() and not path.is_symlink() and not skipped:
            yield from files_in(path)


@dataclass
class _Reader:
    """The work of `requirement_files`."""

    root: Path
    environment: Mapping[str, str]
    part: str | None = None
    files: list[Path] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    indexes: list[AskedIndex] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seen: set[tuple[Path, bool]] = field(default_factory=set)

    def word(self, word: Path) -> None:
        """Read a file or a folder that a person named."""
        if word.is_dir():
            found = [path.resolve() for path in files_in(word)]
            there = set(found)
            made = {path for path in found if path.suffix == ".txt" and path.with_suffix(".in") in there}
            for path in found:
                if path not in made:
                    self.file(path, ())
            for path in sorted(made):
                if (path, False) not in self.seen:
                    self.file(path, (), constraint=True)
        elif word.is_file() and word.name in other_tools.PROJECT_FILES:
            self._project_file(word.resolve())
        elif word.is_file():
            self.file(word.resolve(), ())
        else:
            self.problems.append(f"{word}: there is no such file or folder")

    def _project_file(self, file: Path) -> None:
        """Read what another tool, or the standard, has for dependencies in its ``pyproject.toml`` or ``setup.cfg``."""
        shown = self.shown(file)
        try:
            text = filesystem.read_bytes(file).decode()
            content = {} if file.suffix == ".cfg" else tomllib.loads(text)
        except (ValueError, FilesystemError) as error:
            self.problems.append(f"{shown}: {error}")
            return
        lists = other_tools.lists_in_setup_cfg(text) if file.suffix == ".cfg" else other_tools.lists_in_toml(content, text)
        self.files.append(file)
        # Of the project's own file, the standard's lists are in force as they are; a package does not see them.
        own = file.parent == self.root and self.part != other_tools.MAIN
        mine = [each for each in lists if self.part in (None, each.group) and not (own and each.standard)]
        if self.part and not mine:
            groups = dict.fromkeys(each.group for each in lists if each.group and not (own and each.standard))
            self.problems.append(f"{shown}: it has no group {self.part} to take (there are: {', '.join(groups) or 'none'})")
        if self.part == other_tools.MAIN:
            # The project's own standard groups are in force; what import made such a group of stands in the old list still.
            here = [each for each in lists if each.standard and each.group and file.parent == self.root]
            there = {_head(entry.text) for each in here for entry in each.entries}
            for each in lists:
                if (
                    each.group
                    and each not in here
                    and not there.issuperset(_head(one.text) for one in each.entries if not one.remark)
                ):
                    why = "It is a group, and no dependency of a package: import it without --package."
                    self.not_taken.append(NotTaken(Place(shown, each.entries[0].line), each.table, why))
        for entry in (entry for each in mine for entry in each.entries):
            place = Place(shown, entry.line)
            if entry.problem:
                self.problems.append(f"{place}: {entry.problem}")
            elif entry.remark:
                self.not_taken.append(NotTaken(place, entry.key, entry.remark))
            else:
                self._line(file, entry.line, entry.text, (), constraint=False)
        for index in other_tools.indexes_in_toml(content, text):
            self._index(file, Place(shown, index.line), index.table, index.url, index.kind, index.name)

    def _index(self, file: Path, place: Place, option: str, value: str, kind: str, name: str = "") -> None:
        url = _CREDENTIALS.sub("", value)
        if _SCHEME.match(url) is None:  # a folder
            url = (file.parent / url).resolve().as_posix()
        shown = f"{option} {_CREDENTIALS.sub('', value)}".strip()
        self.indexes.append(AskedIndex(place, shown, url, kind, name, _CREDENTIALS.search(value) is not None))

    def shown(self, file: Path) -> str:
        """Return a file as a person would write it."""
        try:
            return file.relative_to(self.root).as_posix()
        except ValueError:
            return os.fspath(file)

    def file(self, file: Path, chain: tuple[tuple[Path, int], ...], *, constraint: bool = False) -> None:
        """Read one file; ``chain`` has the files and lines that include it."""
        if file in [path for path, _ in chain]:
            start = [path for path, _ in chain].index(file)
            circle = " -> ".join(f"{self.shown(path)}:{line}" for path, line in chain[start:])
            self.problems.append(f"{circle} -> {self.shown(file)}: these files include each other in a circle")
            return
        if (file, constraint) in self.seen:
            return
        if len(chain) > DEEPEST:
            self.problems.append(f"{self._at(chain)}{self.shown(file)} is included over more than {DEEPEST} other files")
            return
        self.seen.add((file, constraint))
        try:
            text = decoded(filesystem.read_bytes(file))
        except FilesystemError as error:
            self.problems.append(f"{self._at(chain)}{error.message}")
            return
        except (UnicodeDecodeError, LookupError) as error:
            self.problems.append(f"{self.shown(file)}: it is not UTF-8 text, and names no other encoding that is known ({error})")
            return
        if file not in self.files:
            self.files.append(file)
        for line, words in logical_lines(text):
            self._line(file, line, words, chain, constraint=constraint)

    def _at(self, chain: tuple[tuple[Path, int], ...]) -> str:
        return f"{self.shown(chain[-1][0])}:{chain[-1][1]}: " if chain else ""

    def _line(self, file: Path, line: int, raw: str, chain: tuple[tuple[Path, int], ...], *, constraint: bool) -> None:
        place = Place(self.shown(file), line)
        words = self._expanded(raw, place)
        if not words.startswith("-"):
            self._requirement(file, place, words, raw, constraint=constraint)
            return
        option, value = _option(words)
        if option in ("-r", "--requirement", "-c", "--constraint"):
            if _SCHEME.match(value):
                self.problems.append(
                    f"{place}: {_CREDENTIALS.sub('', value)} is not on this machine; download it, and include the file"
                )
            elif not value:
                self.problems.append(f"{place}: {option} names no file")
            else:
                limits = constraint or option in ("-c", "--constraint")
                self.file((file.parent / value).resolve(), (*chain, (file, line)), constraint=limits)
        elif option in ("-e", "--editable"):
            _, written = _option(raw)
            self._requirement(file, place, value, written, constraint=constraint, editable=True)
        elif option in _INDEXES:
            if value:
                self._index(file, place, option, value, _INDEXES[option])
            else:
                self.problems.append(f"{place}: {option} names no url")
        elif option in _OPTIONS:
            shown = f"{option} {_CREDENTIALS.sub('', value)}".strip()
            self.not_taken.append(NotTaken(place, shown, _OPTIONS[option], matters=option not in _HARMLESS))
        else:
            self.problems.append(f"{place}: {option} is no option of a requirements file")

    def _expanded(self, raw: str, place: Place) -> str:
        """Replace ``${NAME}``; of a variable that is not set, say so."""

        def value(found: re.Match[str]) -> str:
            if found[1] not in self.environment:
                self.problems.append(f"{place}: the variable {found[1]} is not set")
            return self.environment.get(found[1], found[0])

        return _VARIABLE.sub(value, raw)

    def _requirement(self, file: Path, place: Place, words: str, raw: str, *, constraint: bool, editable: bool = False) -> None:
        if len(words) > LONGEST:
            self.problems.append(f"{place}: this line is longer than {LONGEST} characters")
            return
        pieces = _OPTION.split(words)
        text, options = pieces[0].strip(), pieces[1:]
        raw_text = _OPTION.split(raw)[0].strip()
        hashes = []
        for option in options:
            found = _HASH.match(option.strip())
            if found:
                hashes.append(found[1].lower())
            elif option.strip().startswith("--hash"):
                self.problems.append(f"{place}: {option.strip()} is no hash; it is written --hash=sha256:…")
            else:
                self.not_taken.append(NotTaken(place, _option(option.strip())[0], _FOR_ONE))
        found_one = self._asked(file, place, text, raw_text, editable=editable)
        if isinstance(found_one, str):
            self.problems.append(f"{place}: {found_one}")
            return
        only = editable and not found_one.url
        self.asked.append(replace(found_one, constraint=constraint, hashes=tuple(hashes), editable=only))

    def _asked(self, file: Path, place: Place, text: str, raw: str, *, editable: bool) -> Asked | str:
        """Return what a line asks for, or what is wrong with it."""
        from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - import cost
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - import cost

        if not _is_place(text, editable=editable):
            try:
                found = Requirement(text)
            except InvalidRequirement as error:
                return f"{_CREDENTIALS.sub('', text)} is no requirement: {str(error).splitlines()[0]}"
            marker, extras = str(found.marker or ""), tuple(sorted(found.extras))
            if found.url is None:
                return Asked(found.name, place, extras, str(found.specifier), marker)
            path = _local(found.url, file.parent)
            if path is not None and not path.exists():
                return f"there is no {path}"
            written = _VARIABLE.search(raw) is not None
            url = raw.partition("@")[2].partition(" ;")[0].strip() if written else found.url
            return Asked(found.name, place, extras, "", marker, "" if path else _without_login(url), path)
        where, _, marker = text.partition(" ;")
        raw_where = raw.partition(" ;")[0].strip()
        where, marker = _unquoted(where.strip()), marker.strip()
        base, extras = _extras(where)
        fragment = dict(part.partition("=")[::2] for part in urlsplit(base).fragment.split("&")) if _SCHEME.match(base) else {}
        path = _local(base, file.parent)
        name = _egg(fragment.get("egg", "")) or (_name_at(path) if path else _name_of_url(base))
        if path is not None and not path.exists():
            return f"there is no {where}"
        try:
            marker = str(Marker(marker)) if marker else ""
        except InvalidMarker:
            return f"{marker} is no marker"
        if not name:
            what = "its pyproject.toml or setup.cfg does not say it" if path else "add #egg=NAME, or write `NAME @ url`"
            return f"{_CREDENTIALS.sub('', where)}: the name of the distribution is not known; {what}"
        extras = extras or _extras(unquote(fragment.get("egg", "")))[1]
        if path is not None:
            return Asked(name, place, extras, "", marker, "", path)
        kept = f"#subdirectory={fragment['subdirectory']}" if fragment.get("subdirectory") else ""
        return Asked(name, place, extras, "", marker, _without_login(_extras(raw_where)[0].partition("#")[0]) + kept)


def decoded(data: bytes) -> str:
    """Return the text of a requirements file: by its byte order mark, its coding line (PEP 263), else UTF-8.

    Raises:
        UnicodeDecodeError: It is something else.
        LookupError: The coding line names no known encoding.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    for line in data.split(b"\n")[:2]:
        found = _CODING.match(line)
        if found:
            return data.decode(found[1].decode("ascii"))
    return data.decode("utf-8")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number of the first line, text) of the lines that say something: joined where a backslash ends them, no comments."""
    start, held = 0, ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.match(line) is not None
        if line.endswith("\\") and not comment and number < len(lines):
            start = start or number
            held += line[:-1]
            continue
        # A comment ends a continued line, whatever it ends with itself.
        whole = held + (" " + line if comment else line.rstrip("\\") if number == len(lines) else line)
        said = _COMMENT.sub("", whole).strip()
        if said:
            yield start or number, said
        start, held = 0, ""


def _option(words: str) -> tuple[str, str]:
    """Return option and value of ``-r file``, ``-rfile``, ``--requirement=file``."""
    if words.startswith("--"):
        found = re.match(r"(--[A-Za-z-]+)\s*=?\s*(.*)", words, re.DOTALL)
        option, value = (found[1], found[2]) if found else (words, "")
    else:
        option, value = words[:2], words[2:]
    return option, _unquoted(value.strip())


def _head(text: str) -> str:
    """Return the normalised name that a line begins with; the whole line where it begins with none."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text.removeprefix("-e "))
    return normalise(found[0]) if found else text


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _is_place(text: str, *, editable: bool) -> bool:
    """Tell whether a line is a url or path by itself, and no name."""
    where = _unquoted(text.partition(" ;")[0].strip())
    if editable or _SCHEME.match(where) or where.startswith((".", "/", "\\", "~")):
        return True
    if "@" in where.partition("/")[0] or "@ " in where:
        return False
    return "/" in where or "\\" in where or where.endswith((".whl", ".tar.gz", ".zip"))


def _extras(where: str) -> tuple[str, tuple[str, ...]]:
    """Part ``./folder[one,two]`` into the place and its extras."""
    found = re.match(r"^(.*[^\[\]])\[([A-Za-z0-9._,\s-]*)\]$", where)
    if found is None:
        return where, ()
    return found[1], tuple(sorted(word.strip() for word in found[2].split(",") if word.strip()))


def _local(where: str, folder: Path) -> Path | None:
    """Return the path that a place on this machine means, or None for one elsewhere."""
    if where.startswith("file:"):
        return (folder / path_of(where)).resolve()
    if _SCHEME.match(where):
        return None
    return (folder / Path(where.partition("#")[0]).expanduser()).resolve()


def _egg(egg: str) -> str:
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", unquote(egg))
    return found[0] if found else ""


def _name_of_url(url: str) -> str:
    """Return the distribution that the last part of a url names: a wheel's or an sdist's."""
    if url.startswith(_VCS):
        return ""
    return _name_of_file(file_name(url))


def _name_of_file(file: str) -> str:
    from packaging.utils import (  # noqa: PLC0415 - import cost
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        return str(parse_wheel_filename(file)[0] if file.endswith(".whl") else parse_sdist_filename(file)[0])
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""


def _name_at(path: Path) -> str:
    """Return the distribution that lies in a folder, by its pyproject.toml or setup.cfg, or in a file, by its name."""
    if path.is_file():
        return _name_of_file(path.name)
    try:
        content = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
        name = content.get("project", {}).get("name") or content.get("tool", {}).get("poetry", {}).get("name")
        if isinstance(name, str):
            return name
    except (OSError, ValueError, AttributeError):
        pass
    import configparser  # noqa: PLC0415 - the rare case

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path / "setup.cfg", encoding="utf-8")
        return parser.get("metadata", "name", fallback="")
    except (configparser.Error, UnicodeDecodeError):
        return ""


def _without_login(url: str) -> str:
    """Return a url without a password; a user name alone (``git@``) stays, and so does a variable, which is no secret."""
    return _CREDENTIALS.sub(lambda found: found[0] if ":" not in found[0] or "${" in found[0] else "", url)
