"""Imports of every kind."""

from __future__ import annotations

import sys
from functools import partial
from io import StringIO

FINDERS = len(sys.meta_path), len(sys.path_hooks)


def answer_relative() -> object:
    from behaviour import inner

    return [inner.version, inner.above.name, inner.shown, inner.VALUE, inner.leaf_function(), hasattr(inner, "other")]


def answer_star() -> object:
    scope: dict[str, object] = {}
    exec("from behaviour.inner.leaf import *", scope)
    return sorted(name for name in scope if name != "__builtins__")


def answer_namespace_package() -> object:
    import behaviour.space.deep.core as core
    from behaviour import space

    return [core.value(), space.__name__, getattr(space, "__file__", None), type(space.__path__).__name__]


def answer_module_getattr() -> object:
    import behaviour

    results = [behaviour.lazy, "lazy" in dir(behaviour), getattr(behaviour, "nothing", "default")]
    from behaviour import lazy

    try:
        from behaviour import nowhere  # noqa: F401
    except ImportError as error:
        results.append(type(error).__name__)
    return [*results, lazy, behaviour.loaded[:1]]


def answer_import_error_details() -> object:
    try:
        from behaviour import nowhere  # noqa: F401
    except ImportError as error:
        return [error.name, str(error).split(" (")[0]]


def answer_missing() -> object:
    try:
        import behaviour.nowhere  # noqa: F401
    except ModuleNotFoundError as error:
        return [error.name, str(error)]
    return "found"


def answer_too_far_up() -> object:
    try:
        from ..... import nothing  # noqa: F401
    except ImportError as error:
        return type(error).__name__
    return "found"


def answer_function_level() -> object:
    import os.path as p
    from importlib import import_module as load

    return [p.basename("/a/b"), load(".leaf", "behaviour.inner").VALUE, "behaviour.inner.leaf" in sys.modules]


def answer_import_statement_returns_top() -> object:
    import xml.dom.minidom

    return [xml.__name__, __import__("xml.dom").__name__, __import__("xml.dom", fromlist=["x"]).__name__]


def answer_module_attributes() -> object:
    module = sys.modules[__name__]
    return [module.__name__, module.__package__, module.__doc__, module.__spec__.name, __builtins__ is not None, module.__loader__ is not None]


def answer_names_put_in_place_of_imported_ones() -> object:
    from . import importing as me  # the module as others see it

    kept = me.StringIO, me.partial
    me.StringIO, me.partial = (lambda: "another stream"), (lambda *_: "another partial")
    try:
        return [StringIO(), partial(int, "3")]
    finally:
        me.StringIO, me.partial = kept


def answer_finders_while_it_was_imported() -> object:
    return len(sys.meta_path) - FINDERS[0], len(sys.path_hooks) - FINDERS[1]
