"""A child process that turns typed Python modules into C with mypyc, one request per line.

Started as a script by `pypackpack.backend.tools.mypyc`, which hands it the folder that holds mypy, the Python X.Y that is
compiled for, and the bytes of a ``size_t`` there: ``mypyc_worker.py <folder> 3.12 8``. It must not import anything of pypackpack.

Request: ``{"path": "pkg/mod.py", "module": "pkg.mod", "source": <base64>, "platform": "linux", "entry": "PyInit_mod"}``.
Answer: ``{"files": {name: <base64>}}``, the first of them the one to compile, or ``{"errors": [[line, column, message], …]}``;
``{"errno": n, "trouble": text}`` when it is this machine that cannot do it. To ``{"folder": ...}``, which it works in from then
on, it answers ``{"mypy": "2.4.1", "target": [immortal objects, bytes of size_t, suffix]}``.

mypy sees the one module and its own stubs of the standard library: whatever else the module imports is of any type. So the C
depends on the module, mypy, the platform, X.Y and the size, and on no other file.
"""

from __future__ import annotations

import sys

from mypyc_entry import ENTRY, PICKLES, PICKLING

sys.path.pop(0)  # the folder of this script: nothing in it may shadow a module that mypy imports
sys.path.append(sys.argv[1])  # where mypy is; started with -S, there is nothing else but the standard library

import base64
import errno
import importlib.machinery
import json
import os
import re
import shutil
import sysconfig
from pathlib import Path

import mypy.util  # noqa: F401 - so that only mypyc.common itself is imported under the target's facts
import mypyc.namegen  # noqa: F401 - as above

SERIES = tuple(int(part) for part in sys.argv[2].split("."))
SIZE = int(sys.argv[3])


def targets_facts():
    """Import ``mypyc.common``, which asks the Python that it runs on what is true of the one that is compiled for."""
    real = sys.version_info, sysconfig.get_config_var, importlib.machinery.EXTENSION_SUFFIXES
    sys.version_info = (*SERIES, 0, "final", 0)
    sysconfig.get_config_var = {"SIZEOF_SIZE_T": SIZE, "Py_GIL_DISABLED": 0}.__getitem__
    importlib.machinery.EXTENSION_SUFFIXES = [".so"]
    try:
        import mypyc.common  # noqa: PLC0415 - it looks at once
    finally:
        sys.version_info, sysconfig.get_config_var, importlib.machinery.EXTENSION_SUFFIXES = real
    return mypyc.common


common = targets_facts()

from mypy import options as mypy_options
from mypy.build import BuildSource
from mypy.errors import CompileError
from mypy.fscache import FileSystemCache
from mypy.nodes import (
    ARG_NAMED,
    AssignmentStmt,
    Block,
    CallExpr,
    ClassDef,
    ExpressionStmt,
    ImportFrom,
    IndexExpr,
    NameExpr,
    RefExpr,
    StrExpr,
    SymbolTable,
    TypeInfo,
)
from mypy.types import AnyType, Instance, TypeOfAny, UnboundType
from mypy.version import __version__
from mypyc.codegen import emitclass, emitmodule
from mypyc.errors import Errors
from mypyc.irbuild.util import dataclass_type, get_mypyc_attr_call, is_extension_class, is_final_decorator, is_trait
from mypyc.options import CompilerOptions

GROUP = "m"
"""mypyc's name for what is put into one library. It stands in the C, so it is the same for every module."""

STUB = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
"""What stands for the packages around a module: they have every name, of any type."""

KNOWN_BASES = frozenset(
    {
        "abc.ABC",
        "builtins.BaseException",
        "builtins.Exception",
        "builtins.IndexError",
        "builtins.LookupError",
        "builtins.UserWarning",
        "builtins.ValueError",
        "builtins.Warning",
        "builtins.object",
        "typing.Generic",
        "typing.Protocol",
    }
)
"""Classes outside of a module that a native class may inherit from: mypyc knows how their objects lie in memory."""

HOOKS = frozenset({"__delattr__", "__getattr__", "__setattr__"})
"""Methods with which mypyc lets nothing outside of a module inherit from a class."""

MOST_ERRORS = 20
_ERROR = re.compile(r"^.*?\.py:(?P<line>\d+)(?::(?P<column>\d+))?: error: (?P<message>.*)$")


def options(module, platform, cache):
    """Return mypy's options: none of them comes from a file."""
    chosen = mypy_options.Options()
    chosen.python_version = SERIES
    chosen.platform = platform
    chosen.mypy_path = ["."]
    chosen.python_executable = None
    chosen.no_site_packages = True
    chosen.namespace_packages = True
    chosen.explicit_package_bases = True
    chosen.follow_imports = "skip"
    chosen.ignore_missing_imports = True
    # A function without types gains little, and behaves as one with types: it is better left to another compiler.
    chosen.disallow_untyped_defs = True
    chosen.disallow_incomplete_defs = True
    # What mypyc itself sets.
    chosen.mypyc = True
    chosen.strict_bytes = True
    chosen.export_types = True
    chosen.preserve_asts = True
    chosen.show_traceback = True
    # Its stubs are read once. Nothing is kept of the module itself (`forget`).
    chosen.incremental = True
    chosen.sqlite_cache = False
    chosen.cache_dir = cache
    chosen.show_column_numbers = True
    chosen.per_module_options[module] = {"mypyc": True}
    return chosen


def attribute(name, node):
    """Return ``@mypyc_attr(<name>=True)``; mypyc reads it, and native classes do not run it."""
    callee = NameExpr("mypyc_attr")
    callee.fullname = "mypy_extensions.mypyc_attr"
    value = NameExpr("True")
    value.fullname = "builtins.True"
    value.node = node
    return CallExpr(callee, [value], [ARG_NAMED], [name])


def stand_in(name, module):
    """Return a class of which nothing is known but that a module has it under a name."""
    made = TypeInfo(SymbolTable(), ClassDef(name, Block([])), module)
    made._fullname = f"{module}.{name}"  # noqa: SLF001 - fullname is read from it
    return made


def lend_bases(definition, module, path, errors):
    """Give a class of Python those of its bases that mypy knows nothing of: mypyc would make it without them.

    It takes the bases of such a class by their names, and a name that belongs to the module itself out of the module's variables.
    """
    info = definition.info
    known = [base for base in info.bases if base.type.fullname != "builtins.object"]
    written = [each.base if isinstance(each, IndexExpr) else each for each in definition.base_type_exprs]
    if definition.removed_base_type_exprs or any(definition.type_args or ()):
        errors.error("A generic class cannot inherit from a class of another module", path, definition.line)
    if len(known) == len(written):
        return
    bases = []
    for each in written:
        if isinstance(each, RefExpr) and known and each.node is known[0].type:
            bases.append(known.pop(0))
        elif isinstance(each, NameExpr):
            bases.append(Instance(stand_in(each.name, module), []))
        else:
            message = "A base from another module has to be a plain name: import the class itself"
            errors.error(message, path, definition.line)
    if known:
        errors.error("The bases of a class from other modules cannot be told apart", path, definition.line)
    info.bases = bases


def arrange(tree, builtins, path, errors):
    """Settle which classes of a module are native, and let all of them be inherited from.

    mypyc takes a class from elsewhere for one without contents of its own: where it is written in C, or made by mypyc out of
    another module, objects would overlap. Classes that inherit from one stay classes of Python, with compiled methods.

    Returns whether classes of Python are among them.
    """
    closed, plain = set(), False
    for definition in tree.defs:
        if not isinstance(definition, ClassDef):
            continue
        info = definition.info
        foreign = {base.fullname for base in info.mro[1:] if base.module_name != tree.fullname}
        # What mypyc does to a class around @dataclass fails where instances have a __dict__, as exceptions have.
        refused = "builtins.BaseException" in foreign and any(map(dataclass_type, (base.defn for base in info.mro)))
        if info.fallback_to_any or foreign - KNOWN_BASES or refused:
            if is_extension_class(path, definition, errors):
                info.metaclass_type = Instance(builtins.names["type"].node, [])
            lend_bases(definition, tree.fullname, path, errors)
        if not is_extension_class(path, definition, errors):
            plain = plain or not info.is_enum
            continue
        # By default nothing outside of the module could inherit from its classes, and each module is by itself.
        said = {name for each in definition.decorators if (call := get_mypyc_attr_call(each)) for name in call.arg_names}
        own = any(map(is_final_decorator, definition.decorators)) or said & {"allow_interpreted_subclasses", "free_list_len"}
        if own or HOOKS & set(info.names) or any(base.fullname in closed for base in info.mro[1:]):
            closed.add(info.fullname)
            if not is_trait(definition) and "serializable" not in said:  # else a copy of an instance asks for arguments
                definition.decorators.append(attribute("serializable", builtins.names["True"].node))
        elif not is_trait(definition):
            definition.decorators.append(attribute("allow_interpreted_subclasses", builtins.names["True"].node))
    return plain


def generate_init(kind, function, emitter):
    """Write ``tp_init`` of a class: in mypyc's own ``__new__`` calls ``__init__``, but for serializable classes nobody does."""
    before = kind.allow_interpreted_subclasses
    kind.allow_interpreted_subclasses = before or kind.is_serializable()
    try:
        return emitclass.generate_init_for_class(kind, function, emitter)
    finally:
        kind.allow_interpreted_subclasses = before


emitclass.SLOT_DEFS["__init__"] = ("tp_init", generate_init)


def written(annotation, source):
    """Return an annotation as its module has it, or its outermost name where that cannot be told."""
    if annotation.original_str_expr is not None:
        return annotation.original_str_expr
    lines = source.splitlines(keepends=True)[annotation.line - 1 : annotation.end_line]
    lines[-1] = lines[-1][: annotation.end_column]  # mypy's columns are right where a line is ASCII
    text = b"".join(lines)[annotation.column :].decode(errors="replace")
    return text if text.startswith(annotation.name) and text.endswith("]") else annotation.name


def keep_class_variables(tree, source):
    """Have annotations say ``ClassVar``, as text: mypyc writes what its brackets hold, and a dataclass makes a field of it."""
    statements = (each for definition in tree.defs if isinstance(definition, ClassDef) for each in definition.defs.body)
    for each in statements:
        if not isinstance(each, AssignmentStmt) or not isinstance(each.unanalyzed_type, UnboundType):
            continue
        if getattr(each.lvalues[0].node, "is_classvar", False):  # those of a TypedDict have no node
            each.unanalyzed_type.original_str_expr = written(each.unanalyzed_type, source)
            each.type = AnyType(TypeOfAny.explicit)  # of what it knows nothing about, mypyc takes the text


def checked(groups, chosen, asked, source):
    """Return what mypy knows of a module.

    ``from . import name`` in a package asks the package that is being compiled, and its own modules are not there. What mypy
    misses gets a stub, and mypy is asked again.

    Raises CompileError when it finds mistakes.
    """
    ((sources, _),) = groups
    module, given = sources[0].module, set()
    missing = re.compile(rf'Module "{re.escape(module)}" has no attribute "(\w+)"')
    while True:
        try:
            result = emitmodule.parse_and_typecheck(sources, chosen, asked, groups, FileSystemCache())
        except CompileError as error:
            names = {found[1] for line in error.messages if (found := missing.search(line))} - given
            if source.name != "__init__.py" or not names:
                raise
        else:
            names = submodules(result.graph[module].tree) - given if source.name == "__init__.py" else set()
            if not names:
                return result
            result.manager.metastore.close()
        for name in names:
            source.with_name(f"{name}.pyi").write_text(STUB)
        given |= names


def has_code(data):
    """Tell whether a source is more than comments."""
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in data.splitlines())


def submodules(tree):
    """Return the names that a package imports from itself, and does not define: its own modules."""
    own = (
        name
        for each in tree.imports
        if isinstance(each, ImportFrom) and (each.id == tree.fullname or (each.relative == 1 and not each.id))
        for name, _ in each.names
    )
    return {name for name in own if (found := tree.names.get(name)) is None or getattr(found.node, "is_suppressed_import", False)}


def generate(request):
    """Answer one request; the files lie in the folder that we stand in."""
    path, module = request["path"], request["module"]
    source = Path(path)
    for parent in source.parents:
        if parent != Path() and parent / "__init__.py" != source:
            parent.mkdir(parents=True, exist_ok=True)
            (parent / "__init__.pyi").write_text(STUB)
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(base64.b64decode(request["source"]))
    chosen = options(module, request["platform"], request["cache"])
    asked = CompilerOptions(
        multi_file=False,
        separate=False,
        include_runtime_files=False,
        capi_version=SERIES,
        python_version=SERIES,
        group_name=GROUP,
    )
    groups = [([BuildSource(path, module, None)], GROUP)]
    try:
        result = checked(groups, chosen, asked, source)
    except CompileError as error:
        return {"errors": parse(error.messages)}
    errors = Errors(chosen)
    try:
        state = result.graph[module]
        tree = state.tree
        if state.options.ignore_errors or (not tree.defs and has_code(source.read_bytes())):
            return {
                "errors": [[1, 0, "mypy does not look into it (ignore-errors, or type: ignore at its top), and leaves code out"]]
            }
        keep_class_variables(tree, source.read_bytes())
        if arrange(tree, result.manager.modules["builtins"], path, errors):
            asked.global_opts = False  # else mypyc believes that it knows all of their methods, and compares them by identity
        modules, made, _ = emitmodule.compile_modules_to_c(result, asked, errors, groups)
    finally:
        result.manager.metastore.close()
    if errors.num_errors:
        return {"errors": parse(errors.new_messages())}
    files = dict(made[0])
    name = f"__native_{GROUP}.c"
    needed = sorted(dep.path for dep in emitmodule.collect_source_dependencies(modules))
    files[name] = with_entry(files[name], module, request["entry"], needed, docstring(tree))
    order = sorted(files, key=lambda each: each != name)
    return {"files": {each: base64.b64encode(files[each].encode()).decode() for each in order}}


def literal(text):
    """Return text as a string of C, in UTF-8; each byte by itself, since a digit that follows would belong to an escape."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogatepass")) + '"'


def docstring(tree):
    """Return what a module says of itself, which mypyc leaves out; None where it says nothing."""
    first = tree.defs[0] if tree.defs else None
    return first.expr.value if isinstance(first, ExpressionStmt) and isinstance(first.expr, StrExpr) else None


def with_entry(c, module, entry, needed, doc):
    """Return the C of a module with what it needs of mypyc's library besides what all modules share, and with our entry point.

    mypyc's own entry makes the module and runs it in one go, and works out from names of this machine where it lies.
    """
    library = common.shared_lib_name(GROUP)
    exported = f"PyMODINIT_FUNC PyInit_{library}(void)"
    if c.count(exported) != 1:
        raise ValueError(f"the C of mypyc {__version__} does not say {exported} once")
    c = c.replace(exported, f"static PyObject *PyInit_{library}(void)")
    names = {
        "INIT_ONLY": common.module_init_only_name(module),
        "EXEC": common.module_exec_name(module),
        "LIBRARY": library,
        "STATE": common.module_import_state_name(module),
        "NAME": literal(module),
        "DOC": "NULL" if doc is None or "\0" in doc else literal(doc),
        "PYINIT": entry,
    }
    text = re.sub("|".join(names), lambda found: names[found[0]], ENTRY)
    for name, own in PICKLING.items():
        c = c.replace(f"(PyCFunction){name},", f"(PyCFunction){own},")
    if any(own in c for own in PICKLING.values()):
        head = f'#include "__native_internal_{GROUP}.h"\n'
        if c.count(head) != 1:
            raise ValueError(f"the C of mypyc {__version__} does not say {head.strip()} once")
        c = c.replace(head, head + PICKLES)
    return "".join([*(f"#include <{each}>\n" for each in needed), c, text])


def parse(messages):
    """Read mypy's printed errors: ``path:line:column: error: message``."""
    found = [match for line in messages if (match := _ERROR.match(line))]
    places = [[int(match["line"]), int(match["column"] or 1) - 1, match["message"].strip()] for match in found]
    return places[:MOST_ERRORS] or [[0, 0, "; ".join(messages[:3]) or "mypyc made no C, and says nothing"]]


def answer(request):
    """Answer one request in a fresh folder, and leave nothing behind but what mypy knows of its own stubs."""
    home = Path.cwd()
    folder = home / "module"
    request["cache"] = str(home / "cache" / request["platform"])
    try:
        folder.mkdir()
        os.chdir(folder)  # relative names are what its C will say
        return generate(request)
    except OSError as error:  # a full disk says nothing about the module
        return {"errno": error.errno or 0, "trouble": error.strerror or str(error)}
    except MemoryError:
        return {"errno": errno.ENOMEM, "trouble": os.strerror(errno.ENOMEM)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a crash of the compiler is an answer about this module, not our end
        first = error.__context__ if isinstance(error, SystemExit) and error.__context__ else error  # mypy reports it, and exits
        return {"errors": [[0, 0, f"the compiler crashed: {type(first).__name__}: {first}".removesuffix(": ")]]}
    finally:
        os.chdir(home)
        shutil.rmtree(folder, ignore_errors=True)
        forget(home / "cache", request["module"])


def forget(cache, module):
    """Take what mypy noted about a module, and the packages around it, out of its cache."""
    top = module.partition(".")[0]
    for notes in cache.glob("*/*"):  # by platform and Python
        shutil.rmtree(notes / top, ignore_errors=True)
        for each in notes.glob(f"{top}.*"):
            each.unlink()


def main():
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not mix with the answers
    os.environ.pop("MYPYPATH", None)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "folder" in request:
            os.chdir(request["folder"])
            reply = {"mypy": __version__, "target": [common.HAVE_IMMORTAL, common.SIZEOF_SIZE_T, common.EXT_SUFFIX]}
        else:
            reply = answer(request)
        answers.write(json.dumps(reply).encode() + b"\n")
        answers.flush()
    os._exit(0)  # to take all of mypy apart in good order takes time for which somebody waits


if __name__ == "__main__":
    main()
