"""The C that stands around what Nuitka made of a module: the entry that Python calls, and what joins several modules in one file.

Nuitka's own text is not changed, but for the word that exports its entry. Where a name has to be another one, or a call has to go
elsewhere, a macro says so before the text is included. Each form that is relied on is looked for; without it nothing is joined.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack.data
from pypackpack.backend import filesystem
from pypackpack.backend.tools.toolchain import init_symbol
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENTRY = Path(pypackpack.data.__path__[0]) / "nuitka_entry.c"

MEMBER = "__member.c"
"""The source that a module is compiled from when several are joined; it wants the macro ``MEMBER``, a name of its own."""

START = "start/__start.c"
"""The source that joined modules have in common: an empty module, whose code makes everything ready once."""

_INCLUDES = '#include "nuitka/prelude.h"\n#include "nuitka/unfreezing.h"\n#include "nuitka/constants_blob.h"\n'
_IDENTIFIER = re.compile(r"^extern struct Nuitka_MetaPathBasedLoaderEntry entry_(\S+);$", re.MULTILINE)
_LOADED = re.compile(r'^ *loadConstantsBlob\(tstate, &mod_consts, UN_TRANSLATE\("(.*)"\)\);$', re.MULTILINE)
_FIRST_TIME = re.compile(
    r"^    if \(init_done == false\) \{\n(.*?)^ *createModuleConstants\(tstate\);\n\n        init_done = true;\n",
    re.MULTILINE | re.DOTALL,
)
_CALL = re.compile(r"^ +(?:PyObject \*)?(?:\w+ = )?([A-Za-z_]\w*)\(.*\);$", re.MULTILINE)
_DESCRIPTION = re.compile(r"^extern char const \* const (type_description_\w+);$", re.MULTILINE)

_SHARED_CALLS = (
    "initNuitkaAllocators",
    "_initBuiltinModule",
    "createGlobalConstants",
    "_initCompiledCellType",
    "_initCompiledGeneratorType",
    "_initCompiledFunctionType",
    "_initCompiledMethodType",
    "_initCompiledFrameType",
    "_initSlotCompare",
    "_initSlotIterNext",
    "patchTypeComparison",
    "setupMetaPathBasedLoader",
    "updateMetaPathBasedLoaderModuleRoot",
    "patchInspectModule",
)
"""What the code of a module calls when it first runs and several modules have in common; each is called once in a file."""

_OWN_CALLS = frozenset({"PyObject_GetAttrString", "CHECK_OBJECT", "strdup", "PRINT_STRING", "NUITKA_PRINT_TRACE"})
"""What else it calls there."""


_OURS = {
    "pypackpack_relative_path": "PyObject *pypackpack_relative_path(PyObject *relative);",
    "pypackpack_setup_loader": "void pypackpack_setup_loader(PyThreadState *tstate);",
    "pypackpack_loader": "PyObject *pypackpack_loader(struct Nuitka_MetaPathBasedLoaderEntry const *entry);",
    "pypackpack_bootstrap": "PyObject *pypackpack_bootstrap(void);",
}
"""The functions of `ENTRY` that a module's code calls."""

_PATH = {"MAKE_RELATIVE_PATH": "pypackpack_relative_path"}
_FINDER = {"setupMetaPathBasedLoader": "pypackpack_setup_loader"}
_SPEC = {"Nuitka_Loader_New": "pypackpack_loader", "getImportLibBootstrapModule": "pypackpack_bootstrap"}
"""Functions that a module's code calls → those of `ENTRY` that it calls instead."""


class ApartError(Exception):
    """A module's C has another form than is known, and cannot be joined with that of others."""


def unexported(c: bytes, version: str) -> bytes:
    """Return a module's C whose entry is not seen from outside: that is ours (`ENTRY`).

    Raises:
        ToolError: It does not say so in the form that is known.
    """
    for exported in (b"__declspec(dllexport) PyObject *", b'__attribute__((visibility("default"))) PyObject *'):
        if exported not in c:
            msg = f"the C that Nuitka {version} made exports its entry in another way than is known"
            raise ToolError(msg, hint=f"Install Nuitka {version.rpartition('.')[0]} again.")
        c = c.replace(exported, b"static PyObject *")
    return c


def entry(module: str, name: str) -> bytes:
    """Return the C that includes a module's, and stands between it and Python; ``name`` is the last part of the module's."""
    symbol = init_symbol(name)
    return _around(module, symbol, (), {**_PATH, **_FINDER, **_SPEC}, [f"#define ENTRY {symbol}"])


def member(files: Mapping[str, bytes], module: str, name: str, blob: bytes) -> bytes:
    """Return the C of a module (`MEMBER`) that is joined with others.

    What several modules would have twice has a name of its own in it (macro ``MEMBER``), its constants are its own, and what its
    code makes ready at first is left to `START`.

    Args:
        files: What Nuitka made.
        module: Which of them is the module's.
        name: The last part of the module's name.
        blob: The module's constants, as Nuitka's data composer writes them.

    Raises:
        ApartError: Something has another form than is known.
    """
    text = files[module].decode()
    identifier = _one(_IDENTIFIER, text, "the entry of its loader")
    for line in (f"PyObject *module_{identifier};", f"PyDictObject *moduledict_{identifier};"):
        if f"\n{line}\n" not in text:
            raise ApartError(f"there is no {line}")
    found = set(_CALL.findall(_one(_FIRST_TIME, text, "what is done when it first runs")))
    if strange := found - _OWN_CALLS - {*_SHARED_CALLS}:
        raise ApartError(f"it calls {', '.join(sorted(strange))} when it first runs")
    constants = section(blob, _one(_LOADED, text, "where its constants are loaded"))
    described, includes, _ = files["__constants.c"].decode().partition('\n#include "nuitka/prelude.h"\n')
    if not includes:
        raise ApartError("its constants begin in another way")
    own = [f"module_{identifier}", f"moduledict_{identifier}", f"entry_{identifier}", *_DESCRIPTION.findall(described)]
    before = [
        "#define MEMBER_JOIN_2(a, b) a##_##b",
        "#define MEMBER_JOIN(a, b) MEMBER_JOIN_2(a, b)",
        *(f"#define {each} MEMBER_JOIN(MEMBER, {each})" for each in dict.fromkeys(own)),
        described,
        array("static const unsigned char member_constants[]", constants),
        "static void member_nothing() {}",
        "#define loadConstantsBlob(tstate, output, name) loadConstantsBlobData(tstate, output, member_constants)",
    ]
    calls = {**_PATH, **_SPEC, **dict.fromkeys(_SHARED_CALLS, "member_nothing")}
    return _around(module, init_symbol(name), before, calls, ["#define ENTRY MEMBER"])


def start(files: Mapping[str, bytes], module: str) -> dict[str, bytes]:
    """Return the files of `START`: those that Nuitka made of an empty module, in a folder of their own.

    Args:
        files: What Nuitka made.
        module: Which of them is the module's.

    Raises:
        ApartError: Something has another form than is known.
    """
    identifier = _one(_IDENTIFIER, files[module].decode(), "the entry of its loader")
    after = [f"#define START module_code_{identifier}"]
    text = _around(module, init_symbol(identifier), (), {**_PATH, **_FINDER}, after)
    parts = ("__constants.c", "__constants_data.c", "__helpers.c", "__loader.c")
    text += "".join(f'\n#include "{part}"\n' for part in parts).encode()
    needed = (module, *parts, "__helpers.h", "build_definitions.h")
    return {START: text, **{f"start/{name}": files[name] for name in needed}}


def section(blob: bytes, name: str) -> bytes:
    """Return a part of a blob of constants.

    The form is what ``loadConstantsBlob`` of Nuitka's ``HelpersConstantsBlob.c`` reads: for each part its name with a zero byte,
    its length in four bytes, the low one first, and that many bytes.

    Raises:
        ApartError: It is not there.
    """
    at = 0
    while at < len(blob):
        end = blob.find(b"\0", at)
        body = end + 5
        if end < 0 or body > len(blob):
            break
        size = int.from_bytes(blob[end + 1 : body], "little")
        if blob[at:end] == name.encode() and body + size <= len(blob):
            return blob[body : body + size]
        at = body + size
    raise ApartError(f"its constants have no part {name!r}")


def array(declared: str, data: bytes) -> str:
    """Return the C of an array with these bytes."""
    lines = [",".join(map(str, data[start : start + 32])) for start in range(0, len(data), 32)]
    return f"{declared} = {{\n" + ",\n".join(lines) + "\n};\n"


def _around(module: str, symbol: str, before: Iterable[str], calls: Mapping[str, str], after: Iterable[str]) -> bytes:
    """Return C that includes a module's: what stands before it, and ours behind it.

    Args:
        module: The file that is included.
        symbol: Its function for Python, which becomes ``made_…``.
        before: Lines before it.
        calls: Functions that it calls → what it calls instead.
        after: Macros of our entry.
    """
    lines = [
        _INCLUDES,
        *(f"static {_OURS[each]}" for each in sorted({*calls.values()} & _OURS.keys())),
        *before,
        f"#define {symbol} made_{symbol}",
        *(f"#define {call} {instead}" for call, instead in calls.items()),
        f'#include "{module}"',
        *(f"#undef {each}" for each in (*calls, symbol)),
        *after,
        f"#define MADE made_{symbol}",
        filesystem.read_bytes(ENTRY).decode(),
    ]
    return "\n".join(lines).encode()


def _one(pattern: re.Pattern[str], text: str, what: str) -> str:
    found = pattern.findall(text)
    if len(found) != 1:
        raise ApartError(f"{what} is in another form than is known")
    return str(found[0])
