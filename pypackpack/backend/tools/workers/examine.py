"""What to know of a module's source before Cython gets it; imported by the bytecode worker, on the Python to build for.

Cython runs on whatever Python runs pypackpack, and that one may not know the syntax of a newer Python, or write a tree as
text in other words. Here the source is read by the Python that is built for, which has compiled it already, and nothing
that comes out depends on which one it is: one source gives one C on every host. Standard library only.
"""

from __future__ import annotations

import ast
import io
import tokenize

if __package__:
    from pypackpack.backend.tools.workers.guard import refused
    from pypackpack.backend.tools.workers.guard_finders import last_name, own
else:  # beside the worker, where nothing of pypackpack can be imported
    from guard import refused
    from guard_finders import last_name, own

MADE_BY_CALL = frozenset(
    {"Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "NewType", "ParamSpec", "StrEnum", "TypeVar", "TypeVarTuple"}
    | {"TypedDict", "make_dataclass", "namedtuple"}
)
"""Calls that learn from the caller's frame in which module they stand; compiled code has none, and importlib's is taken."""


def examine(source, compiler="cython", version=""):
    """Return the places that must not be compiled, ``[[line, column, reason], …]``, and the source to put after the module's."""
    tree = ast.parse(source)
    return refused(tree, compiler, version), trailer(tree, source)


def trailer(tree, source):
    """Return source to put after a module's: what Cython leaves out of the module, and Python has in it."""
    lines = []
    notes = {
        node.target.id: node.annotation
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.simple
    }
    if notes:
        text = text_of(source)
        written = (f"{name!a}: {annotation_text(node, text)!a}" for name, node in notes.items())
        lines.append("__annotations__ = {" + ", ".join(written) + "}")
    made = sorted(
        {
            node.targets[0].id
            for node in own(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Call)
            and makes_type(node.value)
        }
    )
    if made:
        names = ", ".join(map(ascii, made))
        # Which of its two names importlib has depends on how Python was started.
        known = "getattr(globals().get(name), '__module__', None) in ('importlib._bootstrap', '_frozen_importlib')"
        lines.append(f"[setattr(globals()[name], '__module__', __name__) for name in [{names}] if {known}]")
    return "".join(f"{line}\n" for line in lines)


def makes_type(call):
    """Tell whether a call makes a type, or the like, of its own: ``type`` with one argument asks for one that is there."""
    name = last_name(call.func)
    return name in MADE_BY_CALL or (name == "type" and len(call.args) == 3)


def text_of(source):
    """Return a source as text, by its own encoding."""
    stream = io.BytesIO(source)
    encoding = tokenize.detect_encoding(stream.readline)[0]
    stream.seek(0)
    return io.TextIOWrapper(stream, encoding).read()


def annotation_text(node, text):
    """Return an annotation as Python itself writes one as text.

    ``ast.unparse`` would do that, in words that change between Pythons. What is more than a plain type is taken as it stands
    in the source; in parentheses where it has several lines, so that it can be evaluated.
    """
    plain = plain_type(node)
    if plain is not None:
        return plain
    segment = ast.get_source_segment(text, node)
    return f"({segment}\n)" if "\n" in segment else segment


def plain_type(node):
    """Return a type made of names, attributes, subscripts, lists, ``|`` and literals as text, None for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant):
        return plain_literal(node)
    if isinstance(node, ast.List):
        inner = joined(node.elts)
        return None if inner is None else f"[{inner}]"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = plain_type(node.left), plain_type(node.right)
        if left is None or right is None:
            return None
        return f"{left} | ({right})" if isinstance(node.right, ast.BinOp) else f"{left} | {right}"
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript)):
        base = plain_type(node.value)
        if base is None:
            return None
        if isinstance(node, ast.Attribute):
            return f"{base}.{node.attr}"
        several = isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > 1
        inner = joined(node.slice.elts) if several else plain_type(node.slice)
        return None if inner is None else f"{base}[{inner}]"
    return None


def joined(nodes):
    """Return types with commas between them, None if one of them is not plain."""
    parts = [plain_type(node) for node in nodes]
    return None if None in parts else ", ".join(parts)


def plain_literal(node):
    """Return a literal as Python writes it; None where that is not the same on every Python."""
    value = node.value
    if value is ...:
        return "..."
    if isinstance(value, (str, bytes)):
        # Which letters repr() writes as they are is a matter of the Unicode that a Python knows.
        return repr(value) if getattr(node, "kind", None) is None and value.isascii() else None
    return repr(value) if value is None or isinstance(value, int) else None
