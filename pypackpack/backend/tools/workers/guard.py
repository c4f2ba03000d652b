"""What compilers are known to break, as rules that look at a module's tree; a module that one of them finds is not compiled.

Imported by the bytecode worker on the Python that is built for, and by what makes the reference page. Standard library only.
A rule says for which compilers it holds, and for which of their versions; its check yields the places with a reason. What a rule
finds must not depend on the Python that looks: Pythons share the C of a module.
"""

from __future__ import annotations

import ast

if __package__:
    from pypackpack.backend.tools.workers.guard_expressions import (
        called_lambda,
        chained_comparison,
        lambda_yield,
        late_reads,
        lost_targets,
    )
else:  # beside the worker, where nothing of pypackpack can be imported
    from guard_expressions import called_lambda, chained_comparison, lambda_yield, late_reads, lost_targets

SUSPENDED = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
STACK = frozenset({"_getframe", "_getframemodulename", "currentframe"})
STACK_OF = {"inspect": frozenset({"stack"}), "traceback": frozenset({"extract_stack", "walk_stack"})}
SOURCE = frozenset({"findsource", "getcomments", "getfile", "getsource", "getsourcefile", "getsourcelines"})
REBUILDING = frozenset({"define", "mutable", "frozen"})
"""Decorators of attrs that make a new class, with slots, from the one that they get."""
KEY_MARKS = frozenset({"NotRequired", "ReadOnly", "Required"})
"""What marks single keys of a TypedDict, which looks at the annotations when the class is made."""


class Rule:
    """One known breakage.

    Attributes:
        name: Its stable name, in brackets behind each reason.
        compilers: Name of a compiler → its versions that have the flaw: the first, and the first without; empty for open.
        breaks: What goes wrong, for the reference page.
        example: A few lines of Python that show it.
        find: Takes the module's tree; yields pairs of a node and a reason.
    """

    def __init__(self, name, compilers, breaks, example, find):
        self.name = name
        self.compilers = compilers
        self.breaks = breaks
        self.example = example
        self.find = find

    def holds(self, compiler, version):
        """Tell whether it holds for a version of a compiler; of an unknown version, yes."""
        if compiler not in self.compilers:
            return False
        since, until = self.compilers[compiler]
        if not version:
            return True
        return (not since or number(version) >= number(since)) and (not until or number(version) < number(until))


def number(version):
    """Return a version as numbers that compare."""
    parts = []
    for part in version.split("."):
        digits = "".join(letter for letter in part if letter.isdigit())
        parts.append(int(digits or 0))
    return parts


def refused(tree, compiler="cython", version=""):
    """Return ``[line, column, reason]`` of each place that a compiler turns into something that does not behave, in order."""
    found = []
    for rule in RULES:
        if rule.holds(compiler, version):
            found += [[node.lineno, node.col_offset, f"{reason} [{rule.name}]"] for node, reason in rule.find(tree)]
    return sorted(found)


def own(node):
    """Yield what lies in a node, but not what lies in the functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield from own(child)


def last_name(node):
    """Return ``c`` of ``c`` and of ``a.b.c``; nothing of all else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree):
    """Yield every call."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def except_star(tree):
    """Find ``except*``."""
    star = getattr(ast, "TryStar", ())  # Python 3.11
    return ((node, "except* that raises would end the process") for node in ast.walk(tree) if isinstance(node, star))


def returned(nodes):
    """Tell whether a value other than None is returned there."""
    returns = [node.value for node in nodes if isinstance(node, ast.Return)]
    return any(value is not None and not (isinstance(value, ast.Constant) and value.value is None) for value in returns)


def catches(handler, names):
    """Tell whether a handler takes one of some exceptions."""
    if handler.type is None:
        return False
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in names for kind in kinds)


def catches_close(handler):
    """Tell whether a handler takes the exception of close() and keeps it."""
    if isinstance(handler.body[-1], ast.Raise):
        return False
    return handler.type is None or catches(handler, {"GeneratorExit", "BaseException"})


def answers_close(function):
    """Tell whether a generator or coroutine may return a value when it is closed."""
    inside = list(own(function))
    if isinstance(function, ast.AsyncFunctionDef) and any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in inside):
        return False  # an async generator returns no values
    for node in inside:
        if isinstance(node, ast.Try) and any(isinstance(each, SUSPENDED) for part in node.body for each in (part, *own(part))):
            if returned(each for part in node.finalbody for each in (part, *own(part))):
                return True
            if any(catches_close(handler) for handler in node.handlers) and returned(inside):
                return True
    return False


def closing(tree):
    """Find generators and coroutines that may answer close()."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and answers_close(node):
            yield node, f"{node.name} may return a value when it is closed, which would be an error"


def bare_super(node):
    """Tell whether a node is ``super()``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args


def inner_functions(node):
    """Yield the functions in a function, at any depth, but not those of classes in it."""
    for child in own(node):
        if isinstance(child, FUNCTIONS):
            yield child
            yield from inner_functions(child)


def nested_super(tree):
    """Find ``super()`` in a function that lies in a method."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    methods = (node for owner in classes for node in own(owner) if isinstance(node, FUNCTIONS))
    inner = (node for method in methods for function in inner_functions(method) for node in own(function))
    yield from ((node, "super() in a function inside a method would find no arguments") for node in inner if bare_super(node))
    owners = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    parts = (node for owner in owners for node in ast.walk(owner) if isinstance(node, COMPREHENSIONS))
    parted = dict.fromkeys(node for part in parts for node in ast.walk(part))
    for node in (each for each in parted if bare_super(each) or (isinstance(each, ast.Name) and each.id == "__class__")):
        yield node, "super() or __class__ in a comprehension would find another class, or none"


def rebuilds(decorator):
    """Tell whether a decorator makes another class of the one that it gets."""
    if last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) in REBUILDING:
        return True
    if not isinstance(decorator, ast.Call):
        return False
    return any(
        keyword.arg == "slots" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in decorator.keywords
    )


def rebuilt_class(tree):
    """Find classes that a decorator makes anew, with methods that name their class by ``super()`` or ``__class__``."""
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef) and any(rebuilds(each) for each in owner.decorator_list):
            for node in ast.walk(owner):
                if bare_super(node) or (isinstance(node, ast.Name) and node.id == "__class__"):
                    yield node, f"super() in {owner.name} would mean the class as it was before its decorator made another"
                    break


def has_text_annotations(tree):
    """Tell whether a module has its annotations as text by its own will."""
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
    return any(name.name == "annotations" for node in imports for name in node.names)


def required_keys(tree):
    """Find keys of a TypedDict that are marked one by one."""
    if has_text_annotations(tree):
        return
    owners = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and (node.bases or node.keywords))
    for node in (each for owner in owners for each in owner.body if isinstance(each, ast.AnnAssign)):
        marks = {last_name(each.value) for each in ast.walk(node.annotation) if isinstance(each, ast.Subscript)}
        if marks & KEY_MARKS:
            yield node, f"{min(marks & KEY_MARKS)}[] would not be seen: compiled annotations are text"


def class_keywords(tree):
    """Find classes with keywords besides ``metaclass``, and ``total=True``, which a TypedDict has without it."""
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for each in owner.keywords:
            usual = each.arg == "total" and isinstance(each.value, ast.Constant) and each.value.value is True
            if each.arg != "metaclass" and not usual:
                yield owner, f"{f'{each.arg}=' if each.arg else '**'} of {owner.name} would be left out when the class is made"


def own_frame(tree):
    """Find calls that look up the stack."""
    for node in calls(tree):
        name = last_name(node.func)
        owner = node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
        if name in STACK or name in STACK_OF.get(owner, ()):
            yield node, f"{name}() would not count this module's functions, and find another frame"


def defined(tree):
    """Return the names of functions and classes that a module defines, wherever."""
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def is_own(node, names):
    """Tell whether an expression is something that this module defines, or the module itself."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node) == "sys.modules[__name__]"
    return isinstance(node, ast.Name) and node.id in names


def own_source(tree):
    """Find calls that ask for the source of what the module itself defines."""
    names = defined(tree)
    for node in calls(tree):
        first = node.args[0] if node.args else None
        by_file = isinstance(first, ast.Name) and first.id == "__file__"
        asks = (last_name(node.func) in SOURCE and is_own(first, names)) or (
            by_file and last_name(node.func) in {"open", "getline", "getlines"}
        )
        if asks:
            yield node, f"{last_name(node.func)}() would find no source of this module"


def own_generator(tree):
    """Find modules that make generators, and ask for the type of interpreted ones."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for function in functions for node in own(function)):
        for node in ast.walk(tree):
            if last_name(node) == "GeneratorType" and isinstance(node.ctx, ast.Load):
                yield node, "GeneratorType would not be the type of the generators of this module"


def exec_locals(tree):
    """Find ``exec`` of code that sees the names of the function around it."""
    functions = (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))
    for node in (node for function in functions for node in own(function) if isinstance(node, ast.Call)):
        if isinstance(node.func, ast.Name) and node.func.id == "exec" and len(node.args) == 1 and not node.keywords:
            yield node, "exec() would not see the names of the function around it"


def own_code(tree):
    """Find code objects that are taken to be run, or put into functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__code__" and isinstance(node.ctx, ast.Store):
            yield node, "the code of a compiled function cannot be replaced"
        if isinstance(node, ast.Call) and last_name(node.func) in {"FunctionType", "LambdaType"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Attribute) and first.attr == "__code__":
                yield node, "the code object of a compiled function is empty"


def own_closure(tree):
    """Find functions of the module that are asked for their cells."""
    names = defined(tree)
    for node in ast.walk(tree):
        asked = node.value if isinstance(node, ast.Attribute) and node.attr == "__closure__" else None
        if isinstance(node, ast.Call) and last_name(node.func) == "getclosurevars" and node.args:
            asked = node.args[0]
        if is_own(asked, names):
            yield node, "compiled functions have no __closure__"


def recursion_error(tree):
    """Find code that counts on Python's limit of recursion."""
    name = "RecursionError"
    for node in ast.walk(tree):
        handled = isinstance(node, ast.ExceptHandler) and catches(node, {name})
        suppressed = isinstance(node, ast.Call) and last_name(node.func) == "suppress" and name in map(last_name, node.args)
        if handled or suppressed:
            yield node, "compiled functions that call themselves too deeply end the process, and raise no RecursionError"


def private_capture(tree):
    """Find names with two underscores that a ``case`` in a class binds."""
    inside = (each for owner in ast.walk(tree) if isinstance(owner, ast.ClassDef) for each in ast.walk(owner))
    for node in dict.fromkeys(each for each in inside if type(each).__name__.startswith("Match")):
        name = getattr(node, "rest", None) or getattr(node, "name", None) or ""
        if name.startswith("__") and not name.endswith("__"):
            yield node, f"{name} would not be found where it is read"


def second_name(tree):
    """Find a method that its class knows by a second name: ``__rmul__ = __mul__``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = {each.name for each in node.body if isinstance(each, FUNCTIONS[:2])}
            for each in node.body:
                value = each.value if isinstance(each, (ast.Assign, ast.AnnAssign)) else None
                if isinstance(value, ast.Name) and value.id in methods:
                    yield each, f"{value.id} would not be found when the class is made"


def relative_star(tree):
    """Find ``from .module import *``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and any(name.name == "*" for name in node.names):
            yield node, "the module would be looked for without the package around it"


def type_checking(tree):
    """Find code that runs only, or only does not, where types are checked, besides imports that nobody needs at run time."""

    def asks(node):
        return last_name(node) in {"TYPE_CHECKING", "MYPY"}

    reason = "the code would be that of the type checker, and not what runs"
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and asks(node.test):
            if node.orelse or not all(isinstance(each, (ast.Import, ast.ImportFrom, ast.Pass)) for each in node.body):
                yield node, reason
        elif isinstance(node, (ast.If, ast.IfExp, ast.While)) and any(map(asks, ast.walk(node.test))):
            yield node, reason


ALL = ("", "")
RULES = (
    Rule(
        "except-star",
        {"cython": ALL},
        "An `except*` whose handler raises ends the process.",
        "try:\n    work()\nexcept* ValueError:\n    raise",
        except_star,
    ),
    Rule(
        "answers-close",
        {"cython": ALL},
        "A generator or coroutine that returns a value while it is being closed: `close()` raises an error.",
        "def average():\n    try:\n        yield\n    except GeneratorExit:\n        return 1",
        closing,
    ),
    Rule(
        "nested-super",
        {"cython": ALL},
        "`super()` without arguments, in a function or a comprehension inside a method, raises `RuntimeError`; `__class__` in a "
        "comprehension is another class.",
        "class Child(Base):\n    def call(self):\n        return (lambda me: super().call())(self)",
        nested_super,
    ),
    Rule(
        "rebuilt-class",
        {"cython": ALL},
        "A decorator that makes a new class of the one it gets (attrs with slots, `dataclass(slots=True)` from Python 3.14 on) "
        "puts the new one into the cell that `super()` reads. Compiled methods have none, and `super()` raises `TypeError`.",
        "@attrs.define\nclass Child(Base):\n    def call(self):\n        return super().call()",
        rebuilt_class,
    ),
    Rule(
        "required-keys",
        {"cython": ALL, "mypyc": ALL},
        "A `TypedDict` looks for `Required[]` and `NotRequired[]` when it is made, and compiled annotations are text: "
        "`__required_keys__` would have the wrong keys.",
        "class Options(TypedDict):\n    name: NotRequired[str]",
        required_keys,
    ),
    Rule(
        "own-frame",
        {"cython": ALL, "mypyc": ALL},
        "Compiled functions have no frame: who counts frames from inside one finds that of somebody further up.",
        "def caller():\n    return sys._getframe(1).f_globals['__name__']",
        own_frame,
    ),
    Rule(
        "own-source",
        {"cython": ALL, "mypyc": ALL, "nuitka": ALL},
        "A compiled module has no source: `inspect.getsource` of its own functions, and reading `__file__`, find nothing, or "
        "machine code.",
        "def helper(): ...\nTEXT = inspect.getsource(helper)",
        own_source,
    ),
    Rule(
        "exec-locals",
        {"cython": ALL, "mypyc": ALL},
        "`exec` without names of its own, in a function, does not see the function's (`eval` does).",
        "def run(out):\n    exec('out.append(1)')",
        exec_locals,
    ),
    Rule(
        "own-generator",
        {"cython": ALL, "mypyc": ALL},
        "Compiled generators have a type of their own: `isinstance` of one with `types.GeneratorType` says no.",
        "def parts():\n    yield 1\ndone = [*made] if isinstance(made := parts(), types.GeneratorType) else made",
        own_generator,
    ),
    Rule(
        "own-code",
        {"cython": ALL, "mypyc": ALL, "nuitka": ALL},
        "The `__code__` of a compiled function describes it and holds no code: it cannot be replaced, and a function made of it "
        "does not work.",
        "first.__code__ = second.__code__",
        own_code,
    ),
    Rule(
        "own-closure",
        {"cython": ALL, "mypyc": ALL},
        "Compiled functions have no `__closure__`.",
        "def outer(x):\n    def inner(): return x\n    return inner.__closure__[0].cell_contents",
        own_closure,
    ),
    Rule(
        "recursion-error",
        {"cython": ALL, "mypyc": ALL},
        "Calls between compiled functions are not counted: a recursion without end is the end of the process.",
        "try:\n    walk(tree)\nexcept RecursionError:\n    pass",
        recursion_error,
    ),
    Rule(
        "chained-comparison",
        {"nuitka": ALL},
        "In `f() < g() < h()`, `g` is called before `f`.",
        "def between(): return low() < value() < high()",
        chained_comparison,
    ),
    Rule(
        "lambda-yield",
        {"cython": ALL, "nuitka": ALL},
        "A lambda with `yield` returns None when it ends, and not its value.",
        "ask = lambda: (yield) or 'nothing'",
        lambda_yield,
    ),
    Rule(
        "late-read",
        {"cython": ALL},
        "An operation reads the variables of a function when all operands are there: after a call, or a `:=`, behind them that "
        "changes them.",
        "def count(x):\n    return x + (x := 7)",
        late_reads,
    ),
    Rule(
        "lost-target",
        {"cython": ALL, "nuitka": ALL},
        "`x += f()`, where `f` gives `x` another value by `nonlocal`: that one is added to, and with Nuitka the process ends.",
        "def outer(x):\n    def f():\n        nonlocal x\n        x = []\n    x += f() or []",
        lost_targets,
    ),
    Rule(
        "called-lambda",
        {"nuitka": ALL},
        "A lambda whose value is None, called where it is written, or a decorator: the process ends.",
        "(lambda event: None)(1)",
        called_lambda,
    ),
    Rule(
        "private-capture",
        {"nuitka": ALL},
        "A name with two underscores that a `case` binds, in a class: `NameError` where it is read.",
        "class Reader:\n    def read(self, data):\n        match data:\n            case [__first]: return __first",
        private_capture,
    ),
    Rule(
        "second-name",
        {"mypyc": ALL},
        "A class that gives one of its methods a second name looks for it where it is not: the import ends in `KeyError`.",
        "class Vector:\n    def __mul__(self, by): ...\n    __rmul__ = __mul__",
        second_name,
    ),
    Rule(
        "class-keywords",
        {"mypyc": ALL},
        "The keywords of a class, besides `metaclass`, are left out: a `TypedDict` is total, and `__init_subclass__` gets none.",
        "class Options(TypedDict, total=False):\n    name: str",
        class_keywords,
    ),
    Rule(
        "relative-star",
        {"mypyc": ALL},
        "`import *` from a module by its relative name looks for a module of that name outside of the package, and ends in "
        "`ModuleNotFoundError`.",
        "from .shapes import *",
        relative_star,
    ),
    Rule(
        "type-checking",
        {"mypyc": ALL},
        "mypy believes that `TYPE_CHECKING` is true, so what stands in its `else` is left out, and what stands behind it runs.",
        "if TYPE_CHECKING:\n    from shapes import Shape\nelse:\n    Shape = object",
        type_checking,
    ),
)
"""All of them, by the order of the reference page."""
