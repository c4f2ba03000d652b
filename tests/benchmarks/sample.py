"""Makes the package that the benchmarks build: modules of ordinary Python, each a little different from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIX_TARGETS = ("linux_x86_64", "linux_arm64", "linux_musl_x86_64", "windows_amd64", "macos_arm64", "emscripten_wasm32")
"""The targets of the budgets."""

MODULE = '''"""Stock keeping, part {number}: what came in, what went out, and what is left of it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

LINE = re.compile(r"(?P<kind>[a-z]+)\\s+(?P<count>-?\\d+)\\s*(?:#\\s*(?P<note>.*))?")
LIMIT = {number} * 7 + 100


class BookError(ValueError):
    """A line that cannot be read."""

    def __init__(self, line, reason="it is not `kind count`"):
        super().__init__(f"line {{line}}: {{reason}}")
        self.line = line


@dataclass(order=True)
class Entry:
    """One movement of goods."""

    kind: str
    count: int
    note: str = ""
    tags: list = field(default_factory=list, compare=False)

    @property
    def outgoing(self):
        return self.count < 0

    def scaled(self, factor):
        return Entry(self.kind, round(self.count * factor), self.note, [*self.tags, f"x{{factor}}"])


class Book:
    """All movements of a shelf."""

    def __init__(self, entries=()):
        self._entries = list(entries)
        self._listeners = []

    def __len__(self):
        return len(self._entries)

    def __iter__(self):
        return iter(self._entries)

    def add(self, entry, *, quiet=False):
        if abs(entry.count) > LIMIT:
            raise BookError(len(self), f"{{entry.count}} is more than {{LIMIT}}")
        self._entries.append(entry)
        if not quiet:
            for listener in self._listeners:
                listener(entry)
        return self

    def listen(self, prefix):
        seen = Counter()

        def listener(entry):
            if entry.kind.startswith(prefix):
                seen[entry.kind] += entry.count

        self._listeners.append(listener)
        return seen

    def totals(self):
        result = defaultdict(int)
        for entry in self._entries:
            result[entry.kind] += entry.count
        return {{kind: count for kind, count in sorted(result.items()) if count}}

    def running(self, kind):
        left = 0
        for number, entry in enumerate(self._entries):
            if entry.kind != kind:
                continue
            left += entry.count
            if left < 0:
                yield number, "short by", -left
            else:
                yield number, "left", left


def parse(text):
    """Read one entry per line; empty lines and comments are passed over."""
    book = Book()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if found is None:
            raise BookError(number)
        try:
            book.add(Entry(found["kind"], int(found["count"]), found["note"] or ""), quiet=True)
        except BookError as error:
            raise BookError(number, str(error)) from error
    return book


def report(book, width={width}):
    """Return a table of the totals as text."""
    rows = [(kind, count, "#" * min(width, abs(count) * width // LIMIT)) for kind, count in book.totals().items()]
    if not rows:
        return "nothing\\n"
    longest = max(len(kind) for kind, _, _ in rows)
    lines = [f"{{kind:<{{longest}}}} {{count:>6}} {{bar}}".rstrip() for kind, count, bar in rows]
    return "\\n".join([*lines, "-" * (longest + 7), f"{{sum(row[1] for row in rows)}} in all"]) + "\\n"


async def merged(sources):
    """Take the books of several sources one after the other into one."""
    whole = Book()
    async for book in sources:
        for entry in book:
            whole.add(entry.scaled(1 + {number} / 100), quiet=True)
    return whole


def dump(book):
    return json.dumps([[entry.kind, entry.count, entry.note] for entry in book])
'''


def module(number: int, *, lines: int = 0) -> str:
    """Return the source of one module; ``lines`` short functions more make it larger."""
    more = (f"\n\ndef step_{each}(value):\n    return value * {each} + {number}\n" for each in range(lines))
    return MODULE.format(number=number, width=20 + number) + "".join(more)


def write_project(root: Path, modules: int, python: str, *, targets: tuple[str, ...] = SIX_TARGETS) -> Path:
    """Write a project with the package ``mypkg`` and return the folder of its modules."""
    package = root / "mypkg"
    main = package / "src" / "main"
    main.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nname = "bench"\nversion = "1"\n\n[tool.pypackpack]\npackages = ["mypkg"]\n')
    (root / ".python-version").write_text(f"{python}\n")
    listed = ", ".join(f'"{target}"' for target in targets)
    (package / "pyproject.toml").write_text(
        f'[project]\nname = "mypkg"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = [{listed}]\n'
    )
    (main / "__init__.py").write_text('"""The package."""\n')
    for number in range(1, modules):
        (main / f"part{number:02}.py").write_text(module(number))
    return main
