"""The reference page of the facts behind pyconfig.h, made from their table.

``python -m pypackpack.middleware.compile.pyconfig_reference <docs>`` writes ``reference/pyconfig-facts.md`` below that
folder; a test compares what is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.compile.pyconfig import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = "reference/pyconfig-facts.md"

_HEAD = """\
# Facts for pyconfig.h

<!-- Made from the code by `python -m pypackpack.middleware.compile.pyconfig_reference docs`. Do not edit. -->

CPython's headers of one X.Y are the same for every platform but for `pyconfig.h`. PyPackPack compiles for a target from the
headers of any Python of that X.Y and a `pyconfig.h` made from the facts below, which stand in
`pypackpack/data/pyconfig.toml`. They cover every macro that CPython's own headers look at, internal ones included, and a
little more; they describe builds with the GIL and without `Py_DEBUG`. Of a macro that is not defined, "absent" is said too.

Tests hold the facts against the compiler with each target's C headers, against the real `pyconfig.h` of the Pythons at hand,
and against the structures in running interpreters.

`CPython:` stands for `https://github.com/python/cpython/blob/<branch of X.Y>/`.
"""

_EMSCRIPTEN = """\
## Emscripten's C headers

zig has clang for `wasm32-emscripten` and not Emscripten's C headers. musl's, which zig has, serve instead, below the folder
`pypackpack/data/emscripten`, which says what Emscripten has otherwise: `size_t` and its relatives are `long`, `dev_t` has 32
bit, errors are numbered as in WASI. `struct stat` is left incomplete there: code that looks inside does not compile and needs
Emscripten's own compiler. `jmp_buf` and the constants of `fenv.h` are musl's for another processor and not to be trusted.
"""


def facts_page() -> str:
    """Return the page as Markdown."""
    data = table()
    return "\n".join(
        [
            _HEAD,
            *_abi(data["headers"]["abi"]),
            *_targets(data["targets"]),
            *_groups(data["groups"]),
            *_amendments(data["amendments"]),
            _EMSCRIPTEN,
        ]
    )


def write_page(docs: Path) -> None:
    """Write the page below the folder of the documentation."""
    filesystem.write_atomic(docs / PAGE, facts_page())


def _abi(abi: Mapping[str, str]) -> Iterator[str]:
    yield "## What decides how code is laid out\n"
    yield "A wrong one of these makes an extension that compiles and crashes.\n"
    yield "| macro | what it decides |\n| --- | --- |"
    for name, what in sorted(abi.items()):
        yield f"| `{name}` | {what} |"
    yield ""


def _targets(targets: Mapping[str, list[str]]) -> Iterator[str]:
    yield "## Targets\n"
    yield "A target is a list of groups of facts.\n"
    yield "| target | groups |\n| --- | --- |"
    for name, groups in targets.items():
        yield f"| `{name}` | {', '.join(f'[{group}](#{group})' for group in groups)} |"
    yield ""


def _groups(groups: Mapping[str, Any]) -> Iterator[str]:
    yield "## Groups\n"
    for name, group in groups.items():
        yield f"### {name}\n"
        yield f"{group['about'][0].upper()}{group['about'][1:]}.\n"
        if "when" in group:
            yield f"Where `{group['when']}`.\n"
        yield f"Source: {', '.join(_source(each) for each in group['source'])}.\n"
        if "define" in group:
            yield "| macro | text |\n| --- | --- |"
            yield from (f"| `{macro}` | {_said(said)} |" for macro, said in group["define"].items())
            yield ""
        if "absent" in group:
            yield f"Absent: {', '.join(f'`{macro}`' for macro in group['absent'])}.\n"


def _source(source: str) -> str:
    return f"<{source}>" if source.startswith("https://") else source


def _said(said: Any) -> str:  # noqa: ANN401 - a value as TOML has it
    if isinstance(said, (int, str)):
        return f"`{said}`" if said != "" else "empty"
    if isinstance(said, list):
        return "; ".join(_said(each) for each in said)
    span = [f"since {said['since']}"] if "since" in said else []
    span += [f"until {said['until']}"] if "until" in said else []
    return f"{_said(said['is'])} {', '.join(span)}"


def _amendments(amendments: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Amended headers\n"
    yield "What a target's own build of CPython has changed in the headers. Only code that includes internal ones needs it.\n"
    for each in amendments:
        yield f"* `{each['target']}`, Python {', '.join(each['pythons'])}, `{each['file']}`: after `{each['after']}` comes"
        yield f"  `{each['add']}`. {each['about']} Source: {', '.join(_source(one) for one in each['source'])}."
    yield ""


if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
