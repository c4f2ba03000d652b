"""Views of what needs what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.dependency.tree_graph import Edge, Graph, Key, merged, shown
from pypackpack.model.environment import TreeNode, TreeView


def _graph(**needs: str) -> Graph:
    """Return a graph of names, each with what it needs; ``app`` is what all of it is for."""
    graph = Graph(_key("app"))
    names = {*needs, *(name for said in needs.values() for name in said.split())}
    for name in sorted(names):
        graph.add(TreeNode(name, "1"))
    for name, said in needs.items():
        graph.edges[_key(name)] = [Edge(_key(each)) for each in said.split()]
    return graph


def _key(name: str) -> Key:
    return (name, "1", ())


def _text(nodes: tuple[TreeNode, ...]) -> str:
    return " ".join(f"{node.name}{'*' * node.repeated}{f'({_text(node.children)})' * bool(node.children)}" for node in nodes)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (TreeView(), "a(b(d) c(d)) c*"),
        (TreeView(dedupe=False), "a(b(d) c(d)) c(d)"),
        (TreeView(depth=0), ""),
        (TreeView(depth=1), "a c"),
        (TreeView(depth=2), "a(b c) c(d)"),
        (TreeView(prune=("c",)), "a(b(d))"),
        (TreeView(prune=("A", "nothing")), "c(d)"),
        (TreeView(packages=("c", "b")), "b(d) c(d)"),
        (TreeView(packages=("app",), depth=1), "app(a c)"),
        (TreeView(packages=("a",), depth=0), "a"),
        (TreeView(invert=True), "d(b(a(app)) c(a* app))"),
        (TreeView(invert=True, dedupe=False), "d(b(a(app)) c(a(app) app))"),
        (TreeView(invert=True, packages=("c",)), "c(a(app) app)"),
        (TreeView(invert=True, packages=("d",), depth=1), "d(b c)"),
        (TreeView(invert=True, packages=("d",), prune=("a",)), "d(b c(app))"),
    ],
)
def test_views(view: TreeView, expected: str) -> None:
    assert _text(shown(_graph(app="a c", a="b c", b="d", c="d"), view)) == expected


def test_a_circle_ends() -> None:
    graph = _graph(app="a", a="b", b="a")
    assert _text(shown(graph, TreeView())) == "a(b(a*))"
    assert _text(shown(graph, TreeView(dedupe=False))) == "a(b(a*))"
    assert _text(shown(graph, TreeView(invert=True, packages=("a",)))) == "a(app b(a*))"
    assert shown(graph, TreeView(invert=True)) == ()


def test_several_wishes_for_one_distribution_are_one() -> None:
    plain, more = TreeNode("a", "1"), TreeNode("a", "1", ("more",))
    found = merged([(plain, Edge(("a", "1", ()), "x")), (more, Edge(("a", "1", ("more",)), "y"))])
    assert found == [(more, Edge(("a", "1", ("more",)), ""))]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=4, unique=True), max_size=6),
    st.booleans(),
    st.integers(0, 4),
)
def test_any_graph_has_an_end_and_every_name_that_can_be_reached(needs: dict[str, list[str]], dedupe: bool, depth: int) -> None:
    graph = _graph(app="a b", **{name: " ".join(said) for name, said in needs.items()})
    reached: set[str] = set()
    left = ["a", "b"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += needs.get(name, [])

    def names(nodes: tuple[TreeNode, ...]) -> set[str]:
        return {name for node in nodes for name in {node.name, *names(node.children)}}

    def steps(nodes: tuple[TreeNode, ...]) -> int:
        return max((1 + steps(node.children) for node in nodes), default=0)

    assert names(shown(graph, TreeView(dedupe=dedupe))) == reached
    assert steps(shown(graph, TreeView(dedupe=dedupe, depth=depth))) <= depth
