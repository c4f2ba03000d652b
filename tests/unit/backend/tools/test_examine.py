"""What is found out about a source before Cython gets it says the same on every Python."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from pypackpack.backend.tools.workers.examine import annotation_text, examine

PLAIN = [
    "int",
    "a.b.C",
    "dict[str,int]",
    "list[ 'Later' ]",
    "Callable[[int , str], None]",
    "tuple[int, ...]",
    "int|None",
    "int | (str|None)",
    "Literal['a', b'c', 3, True]",
    "a.b[c].d[e, f][g]",
]
AS_THEY_STAND = [
    "Annotated[int, Range(0,  10)]",
    "Literal[-1]",
    "a if b else  c",
    "tuple[()]",
    'Literal["größe"]',
    "x[1:2]",
    "(int | str).__args__",
]


def text(annotation: str) -> str:
    source = f"x: {annotation}"
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.AnnAssign)
    return str(annotation_text(node.annotation, source))


@pytest.mark.parametrize("annotation", PLAIN)
def test_a_plain_type_is_written_as_python_writes_it(annotation: str) -> None:
    assert text(annotation) == ast.unparse(ast.parse(annotation))


@pytest.mark.parametrize("annotation", AS_THEY_STAND)
def test_what_is_no_plain_type_stays_as_it_stands(annotation: str) -> None:
    assert text(annotation) == annotation


def test_several_lines_can_still_be_evaluated() -> None:
    found = text("(\n  f(1)  # one\n  or int\n)")
    assert "\n" in found
    assert eval(found, {"f": lambda _: 0}) is int  # noqa: S307 - our own text


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_trailer_has_what_cython_leaves_out(encoding: str) -> None:
    source = f"# coding: {encoding}\nx: Lit['é' ] = 1\ny: dict[str,int]\nclass A:\n    z: int\nP = collections.namedtuple('P', 'a b')\nQ = type('Q', (), {{}})\nR = type(P)\n"
    refused, trailer = examine(source.encode(encoding))
    assert refused == []
    module: dict[str, Any] = {"__name__": "demo"} | {name: type(name, (), {"__module__": "importlib._bootstrap"}) for name in "PQR"}
    exec(trailer, module)  # noqa: S102 - what is to be executed
    assert module["__annotations__"] == {"x": "Lit['é' ]", "y": "dict[str, int]"}
    assert [module[name].__module__ for name in "PQR"] == ["demo", "demo", "importlib._bootstrap"]  # R was there before
    assert trailer.isascii()


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("try:\n        yield 1\n    except GeneratorExit:\n        return 2", [1]),
        ("try:\n        yield 1\n    except (ValueError, builtins.BaseException):\n        pass\n    return 2", [1]),
        ("try:\n        yield 1\n    except:\n        raise\n    return 2", []),
        ("try:\n        yield 1\n    except exceptions['GeneratorExit']:\n        pass\n    return 2", []),
        ("try:\n        yield 1\n    finally:\n        return 2", [1]),
        ("yield 1\n    return 2", []),
    ],
)
def test_generators_that_answer_close_are_refused(body: str, places: list[int]) -> None:
    refused, _ = examine(f"def f():\n    {body}\n".encode())
    assert [line for line, _column, _reason in refused] == places
