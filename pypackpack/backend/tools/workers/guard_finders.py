"""How the rules of `guard` find what they look for in a module's tree; those about expressions are in `guard_expressions`.

Imported by `guard`, and as that on the Python that is built for. Standard library only.
"""

from __future__ import annotations

import ast

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
