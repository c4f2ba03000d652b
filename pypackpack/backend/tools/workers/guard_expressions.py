"""Rules of `guard` about expressions: their order, names that are read too late, lambdas.

Imported by `guard`, and as that on the Python that is built for. Standard library only.
"""

from __future__ import annotations

import ast

INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
OPERATIONS = (ast.BinOp, ast.Call, ast.Compare, ast.Dict, ast.List, ast.Set, ast.Slice, ast.Subscript, ast.Tuple)
PAUSES = (ast.Await, ast.Yield, ast.YieldFrom)


def inside(node):
    """Yield a node and what lies in it, but not what lies in functions and classes in it."""
    yield node
    if not isinstance(node, INNER):
        for child in ast.iter_child_nodes(node):
            yield from inside(child)


def rebinding(tree):
    """Return functions by name, each with the names of functions around it that a call of it may give other values."""
    found, called = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, INNER[:2]):
            body = [each for part in node.body for each in inside(part)]
            names = {name for each in body if isinstance(each, ast.Nonlocal) for name in each.names}
            found.setdefault(node.name, set()).update(names)
            names = {each.func.id for each in body if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}
            called.setdefault(node.name, set()).update(names)
    for _ in found:  # who calls one of them does it, too
        for name, others in called.items():
            found[name] = found[name].union(*(found.get(other, ()) for other in others))
    return found


def operands(node):
    """Return what an operation keeps until all of it is worked out, in that order; of others nothing."""
    if isinstance(node, ast.AugAssign):
        return [node.target, node.value]
    if isinstance(node, ast.Dict):
        return [each for pair in zip(node.keys, node.values, strict=True) for each in pair if each is not None]
    children = ast.iter_child_nodes(node) if isinstance(node, OPERATIONS) else ()
    return [each.value if isinstance(each, (ast.Starred, ast.keyword)) else each for each in children]


def late_reads(tree, kinds=OPERATIONS):
    """Find names whose value something behind them in the same operation changes, before the operation takes it."""
    if not any(isinstance(node, (ast.Nonlocal, ast.NamedExpr)) for node in ast.walk(tree)):
        return
    changing = rebinding(tree)
    shared = set().union(*changing.values())
    functions = (node for node in ast.walk(tree) if isinstance(node, INNER[:3]))
    seen = dict.fromkeys(each for function in functions for each in ast.walk(function) if isinstance(each, kinds))
    for node in seen:
        parts = operands(node)
        for number, part in enumerate(parts):
            if isinstance(part, ast.Name) and any(
                changes(each, part.id, changing, shared) for later in parts[number + 1 :] for each in inside(later)
            ):
                yield node, f"{part.id} would be read after what stands behind it has changed it"
                break


def changes(node, name, changing, shared):
    """Tell whether a node gives a name another value, or lets others do it."""
    if isinstance(node, ast.NamedExpr):
        return node.target.id == name
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return name in changing.get(node.func.id, ())
    return isinstance(node, PAUSES) and name in shared


def lost_targets(tree):
    """Find ``x += f()``, where ``f`` gives ``x`` another value."""
    return late_reads(tree, (ast.AugAssign,))


def chained_comparison(tree):
    """Find chains of comparisons whose first two values are worked out by calls."""

    def acts(node):
        return any(isinstance(each, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)) for each in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) > 1 and acts(node.left) and acts(node.comparators[0]):
            yield node, "the second value of the comparison would be worked out before the first"


def lambda_yield(tree):
    """Find lambdas that are generators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in inside(node.body)):
            yield node, "a generator that is a lambda would return None, and not its value"


def called_lambda(tree):
    """Find lambdas whose value is None as it is written, and that are called on the spot, or decorate."""
    for node in ast.walk(tree):
        for each in getattr(node, "decorator_list", [getattr(node, "func", None)]):
            if isinstance(each, ast.Lambda) and {"None", "and", "or"}.issuperset(ast.unparse(each.body).split()):
                yield each, "to call a lambda whose value is None where it stands would end the process"
