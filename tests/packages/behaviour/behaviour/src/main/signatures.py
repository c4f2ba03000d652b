"""inspect.signature and what else can be asked of a function."""

from __future__ import annotations

import functools
import inspect

SENTINEL = object()


def many(a, /, b, c=3, *args, d, e="x", **kwargs):
    """Many kinds."""
    return [a, b, c, list(args), d, e, kwargs]


def annotated(a: int, b: str = "x", *, c: float = 1.5) -> list[int]:
    return []


def default_objects(a=None, b=(1, 2), c=[], d={"k": 1}, e=-1, f=1.5, g="", h=True, i=print):  # noqa: B006
    return [a, b, c, d, e, f, g, h]


class Thing:
    """A thing."""

    def __init__(self, size, *, colour="red"):
        self.size = size

    def method(self, a, b=2):
        """Do it."""
        return a + b

    @classmethod
    def make(cls, n=1):
        return cls(n)

    @staticmethod
    def helper(x, *, y=0):
        return x + y

    def __call__(self, value):
        return value


def text(what) -> str:
    return str(inspect.signature(what))


def answer_functions() -> object:
    return [text(many), text(annotated), text(lambda x, y=1: x)]


def answer_defaults() -> object:
    parameters = inspect.signature(default_objects).parameters
    return [repr(each.default) for each in parameters.values()][:-1]


def answer_kinds() -> object:
    return [[each.name, str(each.kind), each.default is inspect.Parameter.empty] for each in inspect.signature(many).parameters.values()]


def answer_classes() -> object:
    return [text(Thing), text(Thing.method), text(Thing(1).method), text(Thing.make), text(Thing.helper), text(Thing(1))]


def answer_partial() -> object:
    return [text(functools.partial(many, 1, d=4)), text(functools.partial(Thing.method, b=3))]


def answer_bind() -> object:
    bound = inspect.signature(many).bind(1, 2, d=5, z=6)
    bound.apply_defaults()
    return [list(bound.arguments), repr(bound.kwargs), repr(bound.args)]


def answer_dunders() -> object:
    return [
        many.__name__,
        many.__qualname__,
        many.__module__,
        many.__doc__,
        many.__defaults__,
        many.__kwdefaults__,
        Thing.method.__qualname__,
        Thing.method.__doc__,
        Thing.__doc__,
        Thing.__qualname__,
        Thing.make.__func__.__qualname__,
        (lambda: 0).__qualname__,
    ]


def answer_name_of_a_lambda() -> object:
    return (lambda: 0).__name__


def answer_set_attributes() -> object:
    def f(a):
        return a

    f.extra = "set"
    f.__name__ = "renamed"
    f.__doc__ = "new"
    return [f(1), f.extra, f.__name__, f.__doc__, sorted(f.__dict__)]


def answer_set_defaults() -> object:
    def f(a, b=1, *, c=2):
        return [a, b, c]

    f.__defaults__ = (10, 20)
    f.__kwdefaults__ = {"c": 30}
    return f()


def answer_code() -> object:
    code = many.__code__
    return [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, list(code.co_varnames[:7]), code.co_name]


def answer_code_flags() -> object:
    return [bool(many.__code__.co_flags & flag) for flag in (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS, inspect.CO_GENERATOR)]


def answer_callable() -> object:
    return [callable(many), callable(Thing(1)), inspect.isroutine(many), inspect.ismethod(Thing(1).method), inspect.isclass(Thing)]


def answer_is_function() -> object:
    return [inspect.isfunction(many), inspect.isfunction(Thing.method)]


def answer_full_argument_spec() -> object:
    spec = inspect.getfullargspec(many)
    return [spec.args, spec.varargs, spec.varkw, spec.defaults, spec.kwonlyargs, spec.kwonlydefaults]


def answer_members() -> object:
    return [name for name, _ in inspect.getmembers(Thing, callable) if not name.startswith("__")]


def answer_doc() -> object:
    return [inspect.getdoc(Thing.method), inspect.getdoc(many), inspect.getmodule(many).__name__]


def answer_arity_errors() -> object:
    kinds = []
    for call in (lambda: many(), lambda: many(1), lambda: many(1, 2), lambda: annotated(1, 2, 3), lambda: annotated(1, z=3), lambda: many(a=1, b=2, d=3)):
        try:
            call()
        except TypeError:
            kinds.append("TypeError")
        else:
            kinds.append("none")
    return kinds


def answer_arity_messages() -> object:
    words = []
    for call in (lambda: many(1), lambda: annotated(1, 2, 3), lambda: annotated(1, z=3), lambda: Thing(1).method()):
        try:
            call()
        except TypeError as error:
            words.append(str(error))
    return words
