"""The tutorial is true: every command of its pages is run, in the order in which a person types them.

How a page is read:

* A line of a ``console`` block that begins with ``$ `` is a command, and what follows it is what it prints. A line ``...``
  stands for any lines.
* A command has to end with 0. One that fails is followed by ``$ echo $?``, which shows its exit code.
* A block below a line that ends with ``<path>`:`` is the content of that file, to be written; below a line that ends with
  ``<path>` reads:`` it is what the file has to be by then.
* There are no other blocks.

Commands are run by bash as they stand on the page, in an empty folder, with an empty home. What is normalised is in
``plain``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pypackpack
from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv
from pypackpack.backend.tools.python import inspect_interpreter
from pypackpack.frontend.cli import table as table_of_commands
from pypackpack.middleware.python import choose, foreign
from pypackpack.middleware.target import table
from tests.integration.private_index import SECRET, USER, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pypackpack.model.interpreter import Interpreter
    from tests.integration.private_index import PrivateIndex

ROOT = Path(pypackpack.__file__).parents[1]
PAGES = ROOT / "docs" / "tutorial"
FENCE = re.compile(r"^```(\w*)$")
WRITE = re.compile(r"`([^`]+)`:$")
READ = re.compile(r"`([^`]+)` reads:$")
LEFT_OUT = "..."

# The Pythons of the page: the project's, and the one that is fetched for a while.
FIRST, SECOND = "3.11", "3.13"


@dataclass
class Command:
    """A command of a page, with the lines that the page shows below it."""

    page: str
    line: int
    text: str
    shown: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: $ {self.text}"


@dataclass(frozen=True)
class File:
    """A file of a page: to be written, or (``checked``) to be compared."""

    page: str
    line: int
    path: str
    content: str
    checked: bool


def read_page(page: str, text: str) -> Iterator[Command | File]:
    """Yield what a page tells its reader to do.

    Raises:
        ValueError: A block is of no known kind.
    """
    fence: re.Match[str] | None = None
    before, start = "", 0
    block: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if fence is None:
            fence, start = found, number
            before = before if found or not line else line
        elif line != "```":
            block.append(line)
        else:
            yield from _read_block(page, start, fence[1], before, block)
            fence, before, block = None, "", []
    if fence is not None:
        raise ValueError(f"{page}:{start}: the block has no end")


def _read_block(page: str, start: int, kind: str, before: str, block: list[str]) -> Iterator[Command | File]:
    if kind != "console":
        for pattern, checked in ((READ, True), (WRITE, False)):
            if path := pattern.search(before):
                yield File(page, start, path[1], "".join(f"{line}\n" for line in block), checked)
                return
        raise ValueError(f"{page}:{start}: neither commands nor a file")
    command: Command | None = None
    for number, line in enumerate(block, start + 1):
        if line.startswith("$ "):
            if command:
                yield command
            command = Command(page, number, line[2:])
        elif command is None:
            raise ValueError(f"{page}:{number}: output without a command")
        else:
            command.shown.append(line)
    if command is None:
        raise ValueError(f"{page}:{start}: a block without a command")
    yield command


def plain(line: str, kept: Sequence[str] = ()) -> str:
    """Return a line without what differs from day to day and from machine to machine.

    That is: versions, except for the series of Python in ``kept``; times, sizes, shares, counts of what came from the cache; where a
    link in /usr/bin leads to; which wheels an index has; and the width of columns, which follows from all of them.
    """

    def version(found: re.Match[str]) -> str:
        series = next((each for each in kept if f"{found[2]}.".startswith(f"{each}.")), None)
        return found[1] + (series or "<version>")

    line = re.sub(r" -> /.*", "", line)
    line = re.sub(r"; what it has: .*", "", line)
    line = re.sub(r"\b\d+(\.\d+)? (B|kB|MB)\b", "<size>", line)
    line = re.sub(r"(\d\d:\d\d:\d\d) +\d+$", r"\1 <size>", line)  # a member of a zip file
    line = re.sub(r"\bin (\d+ min )?\d+(\.\d+)? ?(ms|s)\b", "in <time>", line)
    line = re.sub(r"\b\d+\.\d % of", "<share> % of", line)
    line = re.sub(r"\d+ from the cache", "<count> from the cache", line)
    line = re.sub(r"(emscripten|pyodide)(_\d+)+_wasm32", "emscripten_<version>_wasm32", line)
    line = re.sub(r"((?:^|\w)(?:-| v?|[=>]=))(\d+(?:\.\d+)+)", version, line)
    return re.sub(r"\s+", " ", line).rstrip()


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Tell whether a page shows what was printed; ``...`` stands for any lines."""
    if not shown:
        return not printed
    if shown[0] == LEFT_OUT:
        return any(matches(shown[1:], printed[index:]) for index in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and matches(shown[1:], printed[1:])


class Reader:
    """Somebody who does what the pages say, in a folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str], words: Mapping[str, str], paths: Mapping[str, str]) -> None:
        self.folder = folder
        self.paths = paths
        self.environment = dict(environment)
        self.words = words
        self.series = [words.get(each, each) for each in (FIRST, SECOND)]
        self.code = 0
        self.last: Command | None = None
        self.seen: list[tuple[Command, list[str]]] = []

    def follow(self, step: Command | File) -> None:
        if isinstance(step, File):
            self._file(step)
        else:
            self._command(step)

    def end(self) -> None:
        """Check the last command too."""
        assert self.code == 0, f"{self.last}\nended with exit code {self.code}"

    def _file(self, file: File) -> None:
        path = self.folder / file.path
        content = self._here(file.content)
        if file.checked:
            text = path.read_text(encoding="utf-8")
            shown, real = ([plain(line, self.series) for line in each.splitlines()] for each in (content, text))
            assert matches(shown, real), f"{file.page}:{file.line}: {file.path} is\n{text}"
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def _command(self, command: Command) -> None:
        words = command.text.split(" ")
        if command.text == "echo $?":
            printed = f"{self.code}\n"
            self.code = 0
        else:
            assert self.code == 0, f"{self.last}\nended with exit code {self.code}"
            printed = ""
            if words[0] == "cd":
                self.folder = (self.folder / words[1]).resolve()
                assert self.folder.is_dir(), command
            else:
                printed = self._run(self._here(command.text))
        self.last = command
        for real, shown in self.paths.items():
            printed = printed.replace(real, shown)
        lines = printed.rstrip("\n").splitlines()
        self.seen.append((command, lines))
        shown = [plain(self._here(line), self.series) for line in command.shown]
        real = [plain(line, self.series) for line in lines]
        assert matches(shown, real), f"{command}\nexit code {self.code}, printed:\n" + "\n".join(lines)

    def _run(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        self.code = done.returncode
        return done.stdout

    def _here(self, text: str) -> str:
        """Put this machine's Pythons in place of the page's."""
        page = "|".join(map(re.escape, self.words))
        return re.sub(rf"(?<!\d)(?<!\d\.)({page})(?!\d)", lambda found: self.words[found[1]], text) if page else text


def pythons() -> tuple[Interpreter, Interpreter]:
    """Return two Pythons of this machine, the page's where they are here, else others; the second is newer.

    The first one has C headers, and is one that everything on the pages has wheels for.
    """
    here = [each for each in choose.installed(choose.SUPPORTED) if not each.free_threaded and each.implementation == "cpython"]
    here += [inspect_interpreter(program) for program in provided()]

    def take(series: str, others: Sequence[Interpreter]) -> Interpreter:
        if not others:
            message = "the tutorial needs two Pythons, one of 3.11 to 3.13; tests/foreign/provide.py makes some"
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        return next((each for each in others if ".".join(map(str, each.series)) == series), others[0])

    first = take(FIRST, [each for each in here if each.has_headers and (3, 11) <= each.series <= (3, 13)])
    return first, take(SECOND, [each for each in here if each.series > first.series])  # a newer one: no bound has to move


def provided() -> list[Path]:
    """Return the Pythons of this machine that tests/foreign/provide.py made."""
    folder = os.fspath(ROOT / "tests" / "foreign")
    sys.path.append(folder)
    try:
        from pythons import available  # noqa: PLC0415 - from that folder
    finally:
        sys.path.remove(folder)
    return [Path(each.command[0]) for each in available() if each.target == table.host_target().name]


def downloads(folder: Path, python: Interpreter) -> str:
    """Write a list of downloads for uv with one Python that starts one of this machine, and one for Windows; returns its url."""
    series = ".".join(map(str, python.series))
    _, _, _, processor, libc = (foreign.request_key(table.host_target(), series) or "").split("-")
    program = f'#!/bin/sh\nexec {shlex.quote(os.path.realpath(python.executable))} "$@"\n'
    # uv mends this file of every Python that it fetches.
    variables = f"lib/python{series}/_sysconfigdata__linux_{processor}-linux-{libc}.py"
    host = {
        f"bin/python{series}": program,
        variables: "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n",
    }
    windows = {"python.exe": "", "Lib/os.py": "", "include/Python.h": "", f"libs/python{series.replace('.', '')}.lib": ""}
    listed = dict(
        [
            _download(folder, python, "linux", processor, libc, host),
            _download(folder, python, "windows", "x86_64", "none", windows),
        ]
    )
    place = folder / "downloads.json"
    place.write_text(json.dumps(listed), encoding="utf-8")
    return place.as_uri()


def _download(
    folder: Path, python: Interpreter, system: str, processor: str, libc: str, files: Mapping[str, str]
) -> tuple[str, dict[str, object]]:
    major, minor, patch = python.version[:3]
    key = f"cpython-{major}.{minor}.{patch}-{system}-{processor}-{libc}"
    archive = folder / f"{key}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"python/{name}")
            member.size, member.mode = len(text.encode()), 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    return key, {
        "name": "cpython",
        "arch": {"family": processor, "variant": None},
        "os": system,
        "libc": libc,
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": archive.as_uri(),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "variant": None,
        "build": "20251101",
    }


def page_names() -> list[str]:
    """Return the tutorial's pages in the order of the site's navigation."""
    return re.findall(r"tutorial/([\w-]+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def steps() -> list[Command | File]:
    """Return all that the pages tell."""
    return [step for page in page_names() for step in read_page(page, (PAGES / page).read_text(encoding="utf-8"))]


PORT = "8080"
"""Of the index on the pages."""


def reader(folder: Path, index: PrivateIndex) -> Reader:
    """Return a reader in an empty home, with one Python to find, another to fetch, and an index with a login to it."""
    home, tools = folder / "home", folder / "tools"
    cache = home / ".cache" / "pypackpack"
    for each in (tools, cache):
        each.mkdir(parents=True)
    first, second = pythons()
    series, other = (".".join(map(str, each.series)) for each in (first, second))
    shared = filesystem.cache_folder()
    for name in ("tools-v1", "zig-v1"):  # the C compiler, and what it builds once per target
        (shared / name).mkdir(parents=True, exist_ok=True)
        (cache / name).symlink_to(shared / name, target_is_directory=True)
    for name in (f"python{series}", "python3"):
        (tools / name).symlink_to(first.executable)
    command = f"import sys\n\nsys.path.insert(0, {os.fspath(ROOT)!r})\nfrom pypackpack.__main__ import main\n\nsys.exit(main())\n"
    (tools / "pypackpack").write_text(f"#!{sys.executable}\n{command}", encoding="utf-8")
    (tools / "pypackpack").chmod(0o755)
    for name in ("bash", "sh", "ls", "mkdir", "git", "uname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    left_out = ("PYTHON", "VIRTUAL_ENV", "PYENV", "XDG_", "PYPACKPACK_", "UV_PYTHON", "LC_", "COLUMNS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)} | {
        "HOME": os.fspath(home),
        "PATH": f"{tools}{os.pathsep}{home / '.local' / 'bin'}",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "UV_CACHE_DIR": uv.run(["cache", "dir"], "asking uv for its cache").stdout.strip(),
        "UV_PYTHON_DOWNLOADS_JSON_URL": downloads(folder, second),
        "UV_PUBLISH_USERNAME": USER,
        "UV_PUBLISH_PASSWORD": SECRET,
    }
    words = {PORT: index.host.rpartition(":")[2]}
    for page, here in ((FIRST, series), (SECOND, other)):
        words |= {page: here, f"cp{page.replace('.', '')}": f"cp{here.replace('.', '')}"}
    # The Python that is fetched only starts one of this machine, and says where that one is.
    fetched = f"/home/ada/.local/share/uv/python/cpython-{other}-linux-x86_64-gnu/bin/python{other}"
    paths = {os.path.realpath(second.executable): fetched, os.fspath(home): "/home/ada", os.fspath(tools): "/usr/bin"}
    return Reader(home, environment, {page: here for page, here in words.items() if page != here}, paths)


def commands(told: Sequence[Command | File]) -> set[str]:
    """Return the commands of the command line that pages use: ``package add``, and for a package ``<package> add``."""
    used = set()
    for step in told:
        words = step.text.split(" ") if isinstance(step, Command) else []
        if words[:1] != ["pypackpack"]:
            continue
        if words[1] == "billing":
            used.add(f"<package> {words[2]}")
        used |= {" ".join(words[1:3]), words[1]}
    return used


def test_no_command_is_missing() -> None:
    used = commands(steps())
    wanted = {row.words for row in table_of_commands.ROWS if row.words != "completion"}
    wanted |= {f"<package> {verb}" for verb in table_of_commands.PACKAGE_VERBS} | {"help", "version"}
    assert wanted - used == set()
    assert sorted(page_names()) == sorted(page.name for page in PAGES.iterdir())


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.skipif(
    table.host_target().name != "linux_x86_64",
    reason="the pages show what is printed on a Linux machine with an x86-64 processor",
)
def test_every_command_prints_what_the_pages_show(tmp_path: Path) -> None:
    files = tmp_path / "index"
    files.mkdir()
    with served(files, ["update"]) as index:
        ada = reader(tmp_path, index)
        for step in steps():
            ada.follow(step)
        ada.end()


def follow(folder: Path, text: str) -> Reader:
    """Do what a page says, without a pypackpack."""
    made = Reader(folder, os.environ, {}, {})
    for step in read_page("page.md", text):
        made.follow(step)
    made.end()
    return made


GOOD = """\
Words, `and more`.

`a/note.txt`:

```text
one
two
```

```console
$ cat a/note.txt
...
two
$ cd a
$ false
$ echo $?
1
$ echo "tool 1.2"; echo "9.00 in 3.5 s"
tool 1.3
9.00 in 14 s
```

It reads as before, `note.txt` reads:

```text
one
...
```
"""


@pytest.mark.skipif(os.name == "nt", reason="pages are read with bash")
def test_a_page_that_is_not_true_fails(tmp_path: Path) -> None:
    assert len(follow(tmp_path, GOOD).seen) == 5
    for true, untrue in (
        ("...\ntwo\n$", "two\n$"),  # a line is missing
        ("...\ntwo\n$", "one\ntwo\nthree\n$"),
        ("...\ntwo\n$", "one\ntwo\n\n$"),
        ("$ echo $?\n1\n", "$ echo $?\n2\n"),
        ("$ echo $?\n1\n", ""),  # a failure that is not shown
        ("$ cd a\n", "$ cd b\n"),
        ("\n9.00", "\n8.00"),
        ("one\n...\n", "two\n...\n"),
        ("tool 1.3", "tools 1.3"),
    ):
        assert true in GOOD
        with pytest.raises(AssertionError):
            follow(tmp_path, GOOD.replace(true, untrue))


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1\n```\n",
        "`x.py`:\n\nMore words.\n\n```python\nx = 1\n```\n",
        "```console\nout\n```\n",
        "```console\n$ ls\n",
    ],
)
def test_a_block_that_nobody_runs_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^page\.md:"):
        list(read_page("page.md", text))
