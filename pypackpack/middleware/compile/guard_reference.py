"""The reference page of the guard, made from its rules.

``python -m pypackpack.middleware.compile.guard_reference <docs>`` writes ``reference/guard.md`` below that folder; a test
compares what is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pypackpack.backend import filesystem
from pypackpack.backend.tools.workers.guard import RULES

PAGE = "reference/guard.md"

_HEAD = """\
# What the guard finds

<!-- Made from the code by `python -m pypackpack.middleware.compile.guard_reference docs`. Do not edit. -->

Before a module is compiled, it is looked at for what its compiler is known to break. Where one of these rules finds
something, the module is not compiled: it goes into the wheel as bytecode, and the build says file, line, the reason, and
the rule in brackets. `own-source` makes it source instead. `native.include` and `native.exclude` are asked before the
guard; with `strict` what it finds is an error. [A module that falls back](../how-to/fallbacks.md) says what to do about
it, [how native modules differ](native-differences.md) what differs and is no reason to fall back.

The rules look at the module alone, and at what is written there: what stands in a string, or goes through a name that a
rule does not know, they do not see.
"""


def page() -> str:
    """Return the page as Markdown."""
    rules = (
        f"## {rule.name}\n\n{_compilers(rule.compilers)}. {rule.breaks}\n\n```python\n{rule.example}\n```\n" for rule in RULES
    )
    return "\n".join([_HEAD, *rules])


def _compilers(compilers: dict[str, tuple[str, str]]) -> str:
    def said(name: str, since: str, until: str) -> str:
        words = [
            "mypyc" if name == "mypyc" else name.capitalize(),
            f"from {since} on" if since else "",
            f"before {until}" if until else "",
        ]
        return " ".join(word for word in words if word)

    return ", ".join(said(name, since, until) for name, (since, until) in compilers.items())


def main(folder: Path) -> None:
    """Write the page into a folder of docs."""
    filesystem.write_atomic(folder / PAGE, page())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
