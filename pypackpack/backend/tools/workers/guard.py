"""What compilers are known to break, as rules that look at a module's tree; a module that one of them finds is not compiled.

Imported by the bytecode worker on the Python that is built for, and by what makes the reference page. Standard library only.
A rule says for which compilers it holds, and for which of their versions; its check yields the places with a reason. What a rule
finds must not depend on the Python that looks: Pythons share the C of a module.
"""

from __future__ import annotations

if __package__:
    from pypackpack.backend.tools.workers import guard_expressions as expressions
    from pypackpack.backend.tools.workers import guard_finders as finders
else:  # beside the worker, where nothing of pypackpack can be imported
    import guard_expressions as expressions
    import guard_finders as finders


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


ALL = ("", "")
RULES = (
    Rule(
        "except-star",
        {"cython": ALL},
        "An `except*` whose handler raises ends the process.",
        "try:\n    work()\nexcept* ValueError:\n    raise",
        finders.except_star,
    ),
    Rule(
        "answers-close",
        {"cython": ALL},
        "A generator or coroutine that returns a value while it is being closed: `close()` raises an error.",
        "def average():\n    try:\n        yield\n    except GeneratorExit:\n        return 1",
        finders.closing,
    ),
    Rule(
        "nested-super",
        {"cython": ALL},
        "`super()` without arguments, in a function or a comprehension inside a method, raises `RuntimeError`; `__class__` in a "
        "comprehension is another class.",
        "class Child(Base):\n    def call(self):\n        return (lambda me: super().call())(self)",
        finders.nested_super,
    ),
    Rule(
        "rebuilt-class",
        {"cython": ALL},
        "A decorator that makes a new class of the one it gets (attrs with slots, `dataclass(slots=True)` from Python 3.14 on) "
        "puts the new one into the cell that `super()` reads. Compiled methods have none, and `super()` raises `TypeError`.",
        "@attrs.define\nclass Child(Base):\n    def call(self):\n        return super().call()",
        finders.rebuilt_class,
    ),
    Rule(
        "required-keys",
        {"cython": ALL, "mypyc": ALL},
        "A `TypedDict` looks for `Required[]` and `NotRequired[]` when it is made, and compiled annotations are text: "
        "`__required_keys__` would have the wrong keys.",
        "class Options(TypedDict):\n    name: NotRequired[str]",
        finders.required_keys,
    ),
    Rule(
        "own-frame",
        {"cython": ALL, "mypyc": ALL},
        "Compiled functions have no frame: who counts frames from inside one finds that of somebody further up.",
        "def caller():\n    return sys._getframe(1).f_globals['__name__']",
        finders.own_frame,
    ),
    Rule(
        "own-source",
        {"cython": ALL, "mypyc": ALL, "nuitka": ALL},
        "A compiled module has no source: `inspect.getsource` of its own functions, and reading `__file__`, find nothing, or "
        "machine code.",
        "def helper(): ...\nTEXT = inspect.getsource(helper)",
        finders.own_source,
    ),
    Rule(
        "exec-locals",
        {"cython": ALL, "mypyc": ALL},
        "`exec` without names of its own, in a function, does not see the function's (`eval` does).",
        "def run(out):\n    exec('out.append(1)')",
        finders.exec_locals,
    ),
    Rule(
        "own-generator",
        {"cython": ALL, "mypyc": ALL},
        "Compiled generators have a type of their own: `isinstance` of one with `types.GeneratorType` says no.",
        "def parts():\n    yield 1\ndone = [*made] if isinstance(made := parts(), types.GeneratorType) else made",
        finders.own_generator,
    ),
    Rule(
        "own-code",
        {"cython": ALL, "mypyc": ALL, "nuitka": ALL},
        "The `__code__` of a compiled function describes it and holds no code: it cannot be replaced, and a function made of it "
        "does not work.",
        "first.__code__ = second.__code__",
        finders.own_code,
    ),
    Rule(
        "own-closure",
        {"cython": ALL, "mypyc": ALL},
        "Compiled functions have no `__closure__`.",
        "def outer(x):\n    def inner(): return x\n    return inner.__closure__[0].cell_contents",
        finders.own_closure,
    ),
    Rule(
        "recursion-error",
        {"cython": ALL, "mypyc": ALL},
        "Calls between compiled functions are not counted: a recursion without end is the end of the process.",
        "try:\n    walk(tree)\nexcept RecursionError:\n    pass",
        finders.recursion_error,
    ),
    Rule(
        "chained-comparison",
        {"nuitka": ALL},
        "In `f() < g() < h()`, `g` is called before `f`.",
        "def between(): return low() < value() < high()",
        expressions.chained_comparison,
    ),
    Rule(
        "lambda-yield",
        {"cython": ALL, "nuitka": ALL},
        "A lambda with `yield` returns None when it ends, and not its value.",
        "ask = lambda: (yield) or 'nothing'",
        expressions.lambda_yield,
    ),
    Rule(
        "late-read",
        {"cython": ALL},
        "An operation reads the variables of a function when all operands are there: after a call, or a `:=`, behind them that "
        "changes them.",
        "def count(x):\n    return x + (x := 7)",
        expressions.late_reads,
    ),
    Rule(
        "lost-target",
        {"cython": ALL, "nuitka": ALL},
        "`x += f()`, where `f` gives `x` another value by `nonlocal`: that one is added to, and with Nuitka the process ends.",
        "def outer(x):\n    def f():\n        nonlocal x\n        x = []\n    x += f() or []",
        expressions.lost_targets,
    ),
    Rule(
        "called-lambda",
        {"nuitka": ALL},
        "A lambda whose value is None, called where it is written, or a decorator: the process ends.",
        "(lambda event: None)(1)",
        expressions.called_lambda,
    ),
    Rule(
        "private-capture",
        {"nuitka": ALL},
        "A name with two underscores that a `case` binds, in a class: `NameError` where it is read.",
        "class Reader:\n    def read(self, data):\n        match data:\n            case [__first]: return __first",
        finders.private_capture,
    ),
    Rule(
        "second-name",
        {"mypyc": ALL},
        "A class that gives one of its methods a second name looks for it where it is not: the import ends in `KeyError`.",
        "class Vector:\n    def __mul__(self, by): ...\n    __rmul__ = __mul__",
        finders.second_name,
    ),
    Rule(
        "class-keywords",
        {"mypyc": ALL},
        "The keywords of a class, besides `metaclass`, are left out: a `TypedDict` is total, and `__init_subclass__` gets none.",
        "class Options(TypedDict, total=False):\n    name: str",
        finders.class_keywords,
    ),
    Rule(
        "relative-star",
        {"mypyc": ALL},
        "`import *` from a module by its relative name looks for a module of that name outside of the package, and ends in "
        "`ModuleNotFoundError`.",
        "from .shapes import *",
        finders.relative_star,
    ),
    Rule(
        "type-checking",
        {"mypyc": ALL},
        "mypy believes that `TYPE_CHECKING` is true, so what stands in its `else` is left out, and what stands behind it runs.",
        "if TYPE_CHECKING:\n    from shapes import Shape\nelse:\n    Shape = object",
        finders.type_checking,
    ),
)
"""All of them, by the order of the reference page."""
