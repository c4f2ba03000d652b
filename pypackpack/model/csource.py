"""The C of an extension module as a value, and as the result of a task."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "file "
_FACT = "c"


@dataclass(frozen=True)
class CSource:
    """C or C++ that becomes one extension module, the same for every target.

    Attributes:
        files: Relative path, with ``/``, → SHA-256 of its bytes, which lie in the store.
        sources: Those of ``files`` that are compiled, in this order; the others are there to be included.
        folders: Folders among ``files`` in which ``#include`` looks.
        defines: Macros: name and value; an empty value defines the bare name.
        member: The one of ``files`` that is compiled instead of ``sources`` when modules are joined in one file, with the
            macro ``MEMBER``: what its function is to be called; empty: ``sources`` can be joined as they are.
        apart: Why it cannot be joined with others; empty when it can.
    """

    files: Mapping[str, str]
    sources: tuple[str, ...]
    folders: tuple[str, ...] = ()
    defines: tuple[tuple[str, str], ...] = field(default=())
    member: str = ""
    apart: str = ""

    def result(self) -> ActionResult:
        """Return it as a task leaves it behind."""
        joined = [self.member, self.apart] if self.member or self.apart else []
        facts = {_FACT: json.dumps([self.sources, self.folders, self.defines, *joined])}
        return ActionResult({f"{_FILE}{path}": digest for path, digest in self.files.items()}, facts)


def refusal(reason: str, *, keep: bool = True) -> ActionResult:
    """Return the result of a task that found that a module cannot be compiled; ``keep``: it never will be."""
    return ActionResult(facts={"refused": reason}, keep=keep)


def c_source(result: ActionResult) -> CSource:
    """Return the C that a task left behind."""
    sources, folders, defines, *joined = json.loads(result.facts[_FACT])
    files = {name.removeprefix(_FILE): digest for name, digest in result.outputs.items() if name.startswith(_FILE)}
    return CSource(files, tuple(sources), tuple(folders), tuple((name, value) for name, value in defines), *joined)
