"""A child process that turns Python modules into C with Cython, one request per line.

Started as a script by `pypackpack.backend.tools.cython`; it must not import anything of pypackpack, so that starting it
costs Cython's import and nothing else.

Request: ``{"path": "pkg/mod.py", "module": "pkg.mod", "source": <base64>, "trailer": "", "packages": ["pkg"]}``, and with
``"declared": {"pkg/mod.pxd": <base64>}`` the declarations that Cython may look at: they and the module get a folder of their own.
Answer: ``{"c": <base64>}`` or ``{"errors": [[line, column, message], …]}``; ``{"errno": n, "trouble": text}`` when it is this
machine that cannot do it. To ``{"folder": ...}``, which it works in from then on, it answers ``{"cython": "3.1.0"}``.

The sources lie in a folder of the worker's own, by their place in the package, and are named relative to it: the C
then holds no path of this machine, and Cython finds the same package around the module as Python will.

It runs on the Python that runs pypackpack, so nothing here may depend on which one that is: what a source says is found out
by `examine`, on the Python that is built for. ``trailer`` is what that wants after the source.
"""

from __future__ import annotations

import sys

from cython_common import below, lined
from cython_lexicon import Tables

sys.path.pop(0)  # the folder of this script: nothing in it may shadow a module that Cython imports
_standard = list(sys.path)
sys.path.append(sys.argv[1])  # where Cython is; started with -S, there is nothing else but the standard library
tables = Tables(sys.argv[2] if len(sys.argv) > 2 else "")

import gc

gc.disable()  # all that Cython loads stays; to look for garbage in it meanwhile takes a sixth of the time

import base64
import contextlib
import errno
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

tables.keep()  # before Cython makes its own

import cython  # noqa: F401 - imported by Cython when it looks into a source, which it could not be later
from Cython import Utils, __version__
from Cython.Compiler import Errors, ExprNodes, Main, MatchCaseNodes, Optimize, Options, ParseTreeTransforms, Symtab

sys.path[:] = _standard  # Cython looks for .pxd files there, and what somebody has installed is in no key

if TYPE_CHECKING:
    from collections.abc import Callable

DIRECTIVES = {
    "language_level": "3",
    # Functions that inspect, pickle and bind as methods like Python's own.
    "binding": True,
    # By default Cython turns annotations into C types: f(x: float) would return 1.0 for 1.
    "annotation_typing": False,
    # Inferred C types give wrong answers: a variable that is not bound yet reads as garbage, 1 << -1 raises nothing, and
    # nan is not nan.
    "infer_types": False,
    "always_allow_keywords": True,
    "auto_pickle": None,
    # A __test__ of its own would be a name that nobody wrote, and doctest would run each example twice.
    "autotestdict": False,
}

PYTHON_2 = frozenset({"basestring", "unichr", "unicode", "xrange"})
"""Names of Python 2 that Cython knows as builtins still."""

LIMITED = b"""\
#ifdef Py_LIMITED_API
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include "Python.h"
#if Py_LIMITED_API < 0x030F0000
/* A generator that is dropped runs its `finally` (PEP 442). The limited API has no PyObject_CallFinalizerFromDealloc before 3.15,
   and Cython then leaves finalizers out; this does the same. What is above the low 32 bits of the count are flags since 3.14. */
#define CYTHON_USE_TP_FINALIZE 1
static int pypackpack_finalize(PyObject *self) {
    destructor finalize = (destructor) PyType_GetSlot(Py_TYPE(self), Py_tp_finalize);
    self->ob_refcnt++;
    finalize(self);
    self->ob_refcnt--;
    return (self->ob_refcnt & 0xFFFFFFFF) != 0;
}
#define PyObject_CallFinalizerFromDealloc pypackpack_finalize
#endif
#endif
"""
"""What stands before Cython's C, for modules of the limited API."""

_WEAK = b"""\
#if CYTHON_COMPILING_IN_LIMITED_API || CYTHON_COMPILING_IN_GRAAL
    {"__weaklistoffset__", T_PYSSIZET, offsetof(__pyx_CyFunctionObject, func_weakreflist),
        __PYX_SHARED_RELATIVE_OFFSET | READONLY, 0},
#else
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyCFunctionObject, m_weakreflist), READONLY, 0},
#endif
"""
_CLASS_METHOD = b"""\
    else {
        return PyClassMethod_New(method);
    }
#else
"""
_CALLED = b"PyObject_CallFunctionObjArgs((PyObject *) &PyClassMethod_Type, method, NULL)"
_FRAME = b"frame = PyEval_EvalCode(code_object, dict, dict);"
DECLARATION = re.compile(r"(?!warning:)[^:]+\.p(?:xd|xi):\d+:\d+: ")
"""How Cython's words about a declaration begin."""

MENDED = {
    # Only a call copies the function's name, annotations and the like, which `singledispatchmethod` and `wraps` look for.
    _CLASS_METHOD: _CLASS_METHOD.replace(b"PyClassMethod_New(method)", _CALLED),
    # Before 3.12 there is no vectorcall in the limited API, and with it went the weak references to functions.
    _WEAK + b"#endif\n": b"#endif\n" + _WEAK,
    # The frame of a traceback's entry has the module's globals, not a dictionary of Cython's own.
    _FRAME: b"frame = PyEval_EvalCode(code_object, __pyx_m ? PyModule_GetDict(__pyx_m) : dict, dict);",
}
"""Places in what Cython writes that do not behave as in Python, most of them in the limited API only, and what we put there."""


def uncached(declare: Callable[[Any, str, Any], Any]) -> Callable[[Any, str, Any], Any]:
    """Wrap the method of Cython that declares a builtin name, so that the name is looked up at each use."""

    def declare_builtin(scope: Any, name: str, pos: Any) -> Any:
        Options.cache_builtins = False
        try:
            return declare(scope, name, pos)
        finally:
            Options.cache_builtins = True

    return declare_builtin


def of_this_python(lookup: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the method of Cython that looks for a builtin name: none of Python 2, which it takes for their heirs.

    Who asks by a NameError whether this is Python 2 would hear that it is.
    """

    def look_up(scope: Any, name: str, *args: Any, **options: Any) -> Any:
        return None if name in PYTHON_2 else lookup(scope, name, *args, **options)

    return look_up


def only_leading_ifs(refactor: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the method of Cython that turns simple cases of a ``match`` into if statements: none behind a case of another kind.

    Cython's analysis of control flow (3.3.1: ``visit_MatchNode``) takes such an if for what follows the body of the case before
    it: a name that both bind is then believed to be bound, and what it does not hold yet is released, which ends the process.
    """

    def refactor_cases(match: Any) -> Any:
        simple = True
        for case in match.cases:
            simple = simple and case.is_simple_value_comparison()
            if not simple:
                case.is_simple_value_comparison = lambda: False
        return refactor(match)

    return refactor_cases


def but_bytes(visit: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Wrap the method of Cython that puts literals of text into f-strings, so that bytes are formatted.

    It takes them for text (3.3.1): ``f"{b'x'}"`` would be bytes.
    """

    def visit_value(transform: Any, node: Any) -> Any:
        if isinstance(node.value, ExprNodes.BytesNode):
            return node
        return visit(transform, node)

    return visit_value


def without_directive(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap the method of Cython that begins to look for directives, so that ``staticmethod`` is a decorator like any other.

    As a directive it is put behind all other decorators (3.3.1): of ``@staticmethod @abstractmethod`` the second then gets a
    static method, and the import ends in an error.
    """

    def begin(transform: Any, *args: Any, **options: Any) -> None:
        init(transform, *args, **options)
        transform.directive_names.pop("staticmethod", None)

    return begin


def inferred(process: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the method of Cython that reads declarations, so that inline functions in them are compiled as Cython does by itself.

    They are Cython and no Python, and rely on inferred types: numpy's assign a ``PyObject *`` to names that nobody declared.
    """

    def process_pxd(context: Any, source: Any, *args: Any) -> Any:
        if getattr(source, "in_utility_code", False):
            return process(context, source, *args)
        before = context.compiler_directives
        context.compiler_directives = {**before, "infer_types": None}
        try:
            return process(context, source, *args)
        finally:
            context.compiler_directives = before

    return process_pxd


def setup() -> None:
    """Set Cython's global options once."""
    # A name that is nowhere declared may still be there at run time, as in Python.
    Options.error_on_unknown_names = False
    # A builtin that this Python lacks, or that somebody patched, is looked up when it is used, not when the module is
    # imported. The option that says so (cache_builtins) also leaves out the set-up of the methods of builtin types, and
    # the first values.pop() then ends the process; so it is off only while Cython decides about a name.
    Symtab.ModuleScope.declare_builtin = uncached(Symtab.ModuleScope.declare_builtin)
    Symtab.BuiltinScope.lookup = of_this_python(Symtab.BuiltinScope.lookup)
    Main.Context.process_pxd = inferred(Main.Context.process_pxd)
    MatchCaseNodes.MatchNode.refactor_cases = only_leading_ifs(MatchCaseNodes.MatchNode.refactor_cases)
    Optimize.ConstantFolding.visit_FormattedValueNode = but_bytes(Optimize.ConstantFolding.visit_FormattedValueNode)
    Main.Context.find_include_file = below(Main.Context.find_include_file)
    directives = ParseTreeTransforms.InterpretCompilerDirectives
    directives.__init__ = without_directive(directives.__init__)
    # The source line above each statement triples the size of the C for readers whom it does not have.
    Options.emit_code_comments = False


def apart(request: dict[str, Any], number: int) -> dict[str, Any]:
    """Answer a request that brings declarations, in a folder of its own: no other module is to see them."""
    home, folder = Path.cwd(), Path(f"apart-{number}")
    try:
        for name, content in request["declared"].items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(base64.b64decode(content))
        os.chdir(folder)
        return transcompile(request)
    except OSError as error:
        return {"errno": error.errno or 0, "trouble": error.strerror or str(error)}
    finally:
        os.chdir(home)
        shutil.rmtree(folder, ignore_errors=True)


def transcompile(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    source = Path(request["path"])
    for package in request["packages"]:
        marker = Path(package, "__init__.py")
        if not marker.exists():
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
    source.parent.mkdir(parents=True, exist_ok=True)
    data = base64.b64decode(request["source"])
    declared = map(base64.b64decode, request.get("declared", {}).values())
    tables.whole([data, request["trailer"].encode(), request["module"].encode(), *declared])
    source.write_bytes(data + b"\n" + request["trailer"].encode())
    c_file = source.with_suffix(".c")
    c_file.unlink(missing_ok=True)
    # Cython remembers which folders are packages and what files hold; another module may have changed that.
    Utils.clear_function_caches()
    words = io.StringIO()
    errors: list[list[Any]] = []
    try:
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
            options = Main.CompilationOptions(
                Main.default_options,
                output_file=os.fspath(c_file),
                compiler_directives=dict(DIRECTIVES),
                language_level="3",
                use_listing_file=0,
                emit_linenums=True,
            )
            result = Main.compile_single(os.fspath(source), options, full_module_name=request["module"])
        if result.num_errors:
            errors = parse(words.getvalue())
    except Errors.CompileError as error:
        errors = [position(error)]
    except OSError as error:  # a full disk says nothing about the module
        return {"errno": error.errno or 0, "trouble": error.strerror or str(error)}
    except MemoryError:
        return {"errno": errno.ENOMEM, "trouble": os.strerror(errno.ENOMEM)}
    except Exception as error:  # noqa: BLE001 - a crash of the compiler is an answer about this module, not our end
        errors = [[0, 0, f"the compiler crashed: {type(error).__name__}: {error}"]]
    finally:
        source.unlink(missing_ok=True)
        if source.name == "__init__.py":
            source.touch()
    if errors or not c_file.exists():
        c_file.unlink(missing_ok=True)
        return {"errors": errors or [[0, 0, words.getvalue().strip() or "no C was written"]]}
    data = c_file.read_bytes()
    c_file.unlink()
    return {"c": base64.b64encode(lined(mended(data), c_file.as_posix())).decode()}


def mended(c: bytes) -> bytes:
    """Return Cython's C as it has to be, for the limited API, too."""
    for found, ours in MENDED.items():
        if c.count(found) == 1:
            c = c.replace(found, ours)
    return LIMITED + c


def position(error: Errors.CompileError) -> list[Any]:
    """Return line, column and message of one error."""
    place = getattr(error, "position", None)
    line, column = (place[1], place[2]) if place else (0, 0)
    return [line, column, getattr(error, "message_only", str(error)).strip()]


def parse(text: str) -> list[list[Any]]:
    """Read Cython's printed errors: ``path:line:column: message``."""
    found: list[list[Any]] = []
    for line in text.splitlines():
        head, _, rest = line.partition(".py:")
        number, _, rest = rest.partition(":")
        column, _, message = rest.partition(":")
        if head and not head.startswith("warning:") and number.isdigit() and column.isdigit():
            found.append([int(number), int(column), message.strip()])
        elif DECLARATION.match(line):
            found.append([0, 0, line.strip()])
    return found or [[0, 0, text.strip()]]


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not mix with the answers
    setup()
    gc.freeze()
    gc.enable()
    for number, line in enumerate(sys.stdin.buffer):
        request = json.loads(line)
        if "folder" in request:
            os.chdir(request["folder"])  # relative names are what its C will say
            answer: dict[str, Any] = {"cython": __version__}
        elif "declared" in request:
            answer = apart(request, number)
        else:
            answer = transcompile(request)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    os._exit(0)  # to take all of Cython apart in good order costs a fifth of a second, for which somebody waits


if __name__ == "__main__":
    main()
