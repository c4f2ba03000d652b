"""The guard's rules: each finds its own example, and nothing of what only looks like it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from pypackpack.backend.tools.workers.guard import RULES, Rule, refused
from pypackpack.middleware.compile.guard_reference import page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "guard.md"
READABLE = [rule for rule in RULES if rule.name != "except-star" or sys.version_info >= (3, 11)]


def names(source: str, compiler: str = "cython", version: str = "") -> list[str]:
    return [reason.rpartition("[")[2].rstrip("]") for _, _, reason in refused(ast.parse(source), compiler, version)]


@pytest.mark.parametrize("rule", READABLE, ids=lambda rule: rule.name)
def test_each_finds_its_example_for_its_compilers_only(rule: Rule) -> None:
    for compiler in ("cython", "mypyc", "nuitka"):
        found = set(names(rule.example, compiler))
        assert found == ({rule.name} if compiler in rule.compilers else set())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class A(B):\n    def f(self):\n        return super().f()", []),
        ("class A(B):\n    def f(self):\n        def g():\n            return super(A, self).f()\n        return g()", []),
        ("class A(B):\n    def f(self):\n        class C(B):\n            def f(self):\n                return super().f()", []),
        ("class A(B):\n    def f(self):\n        async def g(me):\n            return super().f()", ["nested-super"]),
        ("@dataclass(slots=False)\nclass A(B):\n    def f(self):\n        return super().f()", []),
        ("class A(B):\n    def f(self):\n        return [g for g in super().f()]", ["nested-super"]),
        ("class A:\n    def f(self):\n        return list(__class__ for x in 'a')", ["nested-super"]),
        ("class A(T):\n    key: t.Required[int]", ["required-keys"]),
        ("class A(T):\n    key: Annotated[NotRequired[int], 1]", ["required-keys"]),
        ("@dataclass(slots=True)\nclass A(B):\n    def f(self):\n        return super().f()", ["rebuilt-class"]),
        ("@define\nclass A:\n    def f(self):\n        return __class__", ["rebuilt-class"]),
        ("@define\nclass A:\n    def f(self):\n        return 1", []),
        ("hasattr(sys, '_getframe')", []),
        ("frame = currentframe().f_back", ["own-frame"]),
        ("self.stack()", []),
        ("inspect.stack()[1]", ["own-frame"]),
        ("def show(function):\n    return inspect.getsource(function)", []),
        ("def f(): ...\nx = inspect.getsourcelines(f)", ["own-source"]),
        ("inspect.getsource(sys.modules[__name__])", ["own-source"]),
        ("linecache.getline(__file__, 3)", ["own-source"]),
        ("HERE = Path(__file__).parent", []),
        ("def f():\n    yield\nisinstance(f(), types.GeneratorType)", ["own-generator"]),
        ("def f():\n    return [x for x in g()]\nisinstance(f(), GeneratorType)", []),
        ("from types import GeneratorType\ndef f():\n    yield\n", []),
        ("def f():\n    yield\nx = type(f()) is GeneratorType", ["own-generator"]),
        ("async def f(): ...\nisinstance(f(), types.GeneratorType)", []),
        ("f = lambda: [(yield 1) for _ in ()]", ["lambda-yield"]),
        ("def f():\n    yield lambda: 1", []),
        ("f = lambda: None\nf()", []),
        ("exec(code)", []),
        ("def f(code, names):\n    exec(code, names)", []),
        ("def f(code):\n    return eval(code)", []),
        ("def f(function):\n    return function.__code__.co_varnames", []),
        ("def f(g):\n    return types.FunctionType(g.__code__, {})", ["own-code"]),
        ("def f(function):\n    return function.__closure__", []),
        ("try:\n    f()\nexcept (ValueError, RecursionError):\n    pass", ["recursion-error"]),
        ("raise RecursionError", []),
    ],
)
def test_what_is_found(source: str, found: list[str]) -> None:
    assert names(source) == found


def test_chains_whose_order_nobody_sees() -> None:
    assert names("a < b() < c()", "nuitka") == []
    assert names("a() < b()", "nuitka") == []
    assert names("a() < b() < c", "nuitka") == ["chained-comparison"]


def test_lambdas_that_are_called_where_they_stand() -> None:
    assert names("@(lambda f: None or None)\ndef f(): ...", "nuitka") == ["called-lambda"]
    assert names("x = (lambda *a: None)(1)", "nuitka") == ["called-lambda"]
    assert names("f = lambda: None\nf()\n(lambda: 'None')()\n@f\nclass A: ...", "nuitka") == []


def test_private_names_that_case_binds() -> None:
    match = "match data:\n{0}    case {{'a': 1, **__rest}} as __all:\n{0}        pass"
    assert names("class A:\n def f(self, data):\n  " + match.format("  "), "nuitka") == ["private-capture"] * 2
    assert names(match.format(""), "nuitka") == []
    assert names("class A:\n def f(self, data):\n  " + match.format("  ").replace("__", "_"), "nuitka") == []


INC = "def outer(n):\n def inc():\n  nonlocal n\n  n += 1\n  return n\n def by():\n  return inc()\n"


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ("n + inc()", True),
        ("(n, by())", True),
        ("n < inc()", True),
        ("{n: inc()}", True),
        ("print(*n, a=inc())", True),
        ("n[inc()]", True),
        ("(n, [inc()])", True),
        ("[n, (n := 1)]", True),
        ("(yield), n, (yield)", True),
        ("inc() + n", False),
        ("n + len(x)", False),
        ("f(n) + inc()", False),
        ("n and inc()", False),
        ("f'{n}{inc()}'", False),
        ("(n, lambda: inc())", False),
        ("m + inc()", False),
        ("n.x + inc()", False),
        ("(n := f(n))", False),
    ],
)
def test_names_that_would_be_read_late(operation: str, found: bool) -> None:
    assert names(f"{INC} {operation}") == (["late-read"] if found else [])


def test_targets_that_would_be_lost() -> None:
    assert names(f"{INC} n += f(inc())", "nuitka") == ["lost-target"]
    assert names(f"{INC} n += f(inc())") == ["lost-target"]
    assert names(f"{INC} n += len(n)\n x = n + inc()", "nuitka") == []


def test_second_names_of_methods() -> None:
    assert names("class A:\n    def f(self): ...\n    g = f", "mypyc") == ["second-name"]
    assert names("class A:\n    def f(self): ...\n    g: object = f\n    h = k\nm = A.f", "mypyc") == ["second-name"]
    assert names("def f(): ...\nclass A:\n    g = f", "mypyc") == []


def test_keywords_of_classes() -> None:
    assert names("class A(B, flag=1): ...\nclass C(B, **more): ...", "mypyc") == ["class-keywords"] * 2
    assert names("def f():\n    class A(T, total=quiet): ...", "mypyc") == ["class-keywords"]
    assert names("class A(B, metaclass=M): ...\nclass C(T, total=True): ...\nD = T('D', {}, total=False)", "mypyc") == []


def test_what_is_for_type_checkers() -> None:
    assert names("if TYPE_CHECKING:\n    import a\n    from b import c", "mypyc") == []
    assert names("if typing.TYPE_CHECKING:\n    import a\n    A = a.B", "mypyc") == ["type-checking"]
    assert names("if not TYPE_CHECKING:\n    import a", "mypyc") == ["type-checking"]
    assert names("A = 1 if TYPE_CHECKING else 2", "mypyc") == ["type-checking"]
    assert names("from . import a\nfrom b import *", "mypyc") == []


def test_a_rule_holds_for_the_versions_that_it_names() -> None:
    rule = Rule("x", {"cython": ("3.1", "3.10")}, "", "", lambda _: ())
    assert [rule.holds("cython", version) for version in ("3.0.12", "3.1", "3.9.2", "3.10.0a1", "")] == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert not rule.holds("nuitka", "3.2")


def test_names_are_unique_and_reasons_carry_place_and_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    ((line, column, reason),) = refused(ast.parse("\n  \nif 1:\n    sys._getframe(1)"))
    assert (line, column) == (4, 4)
    assert reason.endswith("[own-frame]")


def test_the_page_is_up_to_date() -> None:
    # python -m pypackpack.middleware.compile.guard_reference docs
    assert PAGE.read_text(encoding="utf-8") == page()
