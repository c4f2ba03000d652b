"""The one comparison of a package's answers, interpreted and compiled, that the host and the foreign Pythons share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.builds import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = PACKAGES / "behaviour"
RUNNER = PROJECT / "answers.py"

# Every answer that a compiled module gives differently, and why. Whatever is not here has to be the same; what is here
# and is the same has to go. The reasons stand in docs as the limits of level native.
NO_FRAME = "compiled functions have no frame, so whoever looks up the stack finds the interpreted caller"
NOT_A_FUNCTION = (
    "compiled functions, generators and coroutines have types of their own; the abstract ones of collections.abc hold"
)
TEXT_ANNOTATIONS = "compiled annotations are text: typing.get_type_hints gives the same"
OTHER_WORDS = "the same exception, in Cython's words"
LITERALS = "Cython works out expressions of literals in C"
KNOWN: dict[str, str] = {
    "corners.autospec": NOT_A_FUNCTION,
    "corners.handled_exception_in_a_generator": "behind an except clause, what was handled when it began is handled again",
    "corners.locals_with_names_of_the_function_around": "locals() has no names of the function around",
    "corners.names_of_an_ended_generator": "it has none",
    "corners.no_context_manager": "`with` on something else is an AttributeError, not a TypeError",
    "corners.patched_hex": "len and a few other builtins are called in C, whatever stands in the module",
    "corners.patched_names": "len and a few other builtins are called in C, whatever stands in the module",
    "corners.reload": "a module runs once in a process",
    "corners.when_a_generator_expression_asks": "it asks for its first iterator when it begins",
    "coroutines.exact_objects": NOT_A_FUNCTION,
    "coroutines.state_names": NOT_A_FUNCTION,
    "errors.bad_except": "`except 5` is a ValueError, not a TypeError",
    "errors.name_of_name_error": "NameError.name is not set",
    "errors.not_an_exception_message": OTHER_WORDS,
    "generators.exact_types": NOT_A_FUNCTION,
    "generators.state_names": NOT_A_FUNCTION,
    "hints.order_of_annotations": "__annotations__ has keyword-only parameters before *args",
    "hints_eager.raw": TEXT_ANNOTATIONS,
    "hints_eager.raw_class": TEXT_ANNOTATIONS,
    "importing.import_error_details": OTHER_WORDS,
    "logs.caller": NO_FRAME,
    "signatures.arity_messages": OTHER_WORDS,
    "signatures.is_function": NOT_A_FUNCTION,
    "signatures.name_of_a_lambda": "lambdas are numbered: lambda2",
    "signatures.set_defaults": "a new __defaults__ changes the signature, not the calls (Cython warns)",
    "syntax.chained_unpacking_of_the_same_names": "`a, b = b, a = 1, 2` assigns in parallel",
    "syntax.doubled_keywords_as_written": LITERALS,
    "syntax.patched_builtins": "len and a few other builtins are called in C, whatever stands in builtins",
    "traces.names": "traceback entries carry the module's name before the function's",
    "traces.reraise_entries": "a bare `raise` has a traceback entry of its own",
    "traces.warning_place": NO_FRAME,
    "values.identity_of_a_float": LITERALS,
    "values.written_arithmetic_that_cannot_work": LITERALS,
}

# What modules of the limited API add to it.
KNOWN_ABI3: dict[str, str] = {
    "values.none_attribute": OTHER_WORDS,
}

# The same for compiler = "nuitka", wherever its modules run.
NUITKA: dict[str, str] = {
    "coroutines.never_awaited_twice": "the message names the type: compiled_coroutine",
    "coroutines.state_names": NOT_A_FUNCTION,
    "errors.name_of_name_error": "NameError.name is not set",
    "generators.exact_types": NOT_A_FUNCTION,
    "groups.split": "ExceptionGroup.split wants a function of Python's own type",
    "hints.order_of_annotations": "__annotations__ has keyword-only parameters before *args",
    "importing.import_error_details": "ImportError.name is not set",
    "syntax.patched_builtins": "len and a few other builtins are called in C, whatever stands in builtins",
    "syntax.shadowed_builtins": "len and a few other builtins are called in C, whatever stands in builtins",
}
NUITKA_FALLBACKS: dict[str, str] = {"behaviour.values": "unhashable type", "behaviour.guarded": "[chained-comparison]"}
NUITKA_MODULES = (
    "__init__",
    "coroutines",
    "errors",
    "generators",
    "groups",
    "guarded",
    "hints",
    "importing",
    "inner/**",
    "place",
    "syntax",
    "values",
)
"""What is compiled with Nuitka: every module with a difference, packages and their resources, and two that fall back."""

# Modules that are not to be native, with a word of the reason that the build gives.
FALLBACKS: dict[str, str] = {
    "behaviour.generators_close": "closed",
    "behaviour.groups": "except*",
    "behaviour.guarded": "[own-frame]",
    "behaviour.guarded_keys": "[required-keys]",
    "behaviour.refused_await": "await",
    "behaviour.refused_crash": "crash",
    "behaviour.refused_scopes": "can not delete",
    "behaviour.refused_unpacking": "unpack",
}


def parse(text: str) -> Mapping[str, Any]:
    """Read what answers.py printed."""
    return dict(json.loads(text))


def differences(source: Mapping[str, Any], wheel: Mapping[str, Any], package: str = "behaviour") -> dict[str, tuple[Any, Any]]:
    """Return the answers that differ, by the name without the package: as source, as wheel."""
    before, after = source["answers"], wheel["answers"]
    names = {*before, *after}
    return {
        name.removeprefix(f"{package}."): (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    }
