"""What needs what in one environment, and the trees that can be shown of it. Pure: no lock and no tool is read here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.environment import TreeNode, TreeView

Key: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Name, version, and the extras that are asked for: these change what it needs."""


@dataclass(frozen=True)
class Edge:
    """One distribution needs another.

    Attributes:
        to: The other one; in an inverted graph the one that needs it.
        marker: Under which marker.
        group: For which dependency group, where it is for one.
    """

    to: Key
    marker: str = ""
    group: str = ""


@dataclass
class Graph:
    """What needs what.

    Attributes:
        root: The package or project that all of it is for.
        items: Each distribution as a node without children.
        edges: What each needs, in the order in which it is shown.
    """

    root: Key
    items: dict[Key, TreeNode] = field(default_factory=dict)
    edges: dict[Key, list[Edge]] = field(default_factory=dict)

    def add(self, node: TreeNode) -> Key:
        """Add a distribution without what it needs, and return its key."""
        key = (node.name, node.version, node.extras)
        self.items.setdefault(key, node)
        return key

    def named(self, names: Iterable[str]) -> list[Key]:
        """Return the keys of distributions by their names, sorted."""
        wanted = {normalise(name) for name in names}
        return sorted(key for key in self.items if normalise(key[0]) in wanted)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of some names that no distribution here has."""
        there = {normalise(key[0]) for key in self.items}
        return [name for name in names if normalise(name) not in there]


def merged(edges: Iterable[tuple[TreeNode, Edge]]) -> list[tuple[TreeNode, Edge]]:
    """Return what one distribution asks for, with several wishes for one distribution as one: all their extras together."""
    found: dict[tuple[str, str], tuple[TreeNode, Edge]] = {}
    for node, edge in edges:
        name = (node.name, node.version)
        if name in found:
            other, before = found[name]
            extras = tuple(dict.fromkeys((*other.extras, *node.extras)))
            same = edge.marker == before.marker
            node = dataclasses.replace(node, extras=extras)  # noqa: PLW2901 - the one of both
            edge = dataclasses.replace(before, marker=before.marker if same else "")  # noqa: PLW2901 - the one of both
        found[name] = (node, dataclasses.replace(edge, to=(node.name, node.version, node.extras)))
    return list(found.values())


def shown(graph: Graph, view: TreeView) -> tuple[TreeNode, ...]:
    """Return the nodes that a view of a graph begins with, each with what is shown below it."""
    edges = _inverted(graph) if view.invert else graph.edges
    if view.packages:
        starts = [Edge(key) for key in graph.named(view.packages)]
    elif view.invert:
        starts = [Edge(key) for key in sorted(graph.items) if not graph.edges.get(key) and key != graph.root]
    else:
        starts = list(graph.edges.get(graph.root, ()))
    # Of a package's tree the package itself is the first step, and stands in no node.
    level = None if view.depth is None else view.depth - (0 if view.packages or view.invert else 1)
    walk = _Walk(graph, edges, {normalise(name) for name in view.prune}, dedupe=view.dedupe)
    return walk.nodes(starts, level, ())


def _inverted(graph: Graph) -> dict[Key, list[Edge]]:
    found: dict[Key, list[Edge]] = {}
    for key in sorted(graph.edges):
        for edge in graph.edges[key]:
            found.setdefault(edge.to, []).append(dataclasses.replace(edge, to=key))
    return found


class _Walk:
    """The walk through a graph, in the order in which it is shown."""

    def __init__(self, graph: Graph, edges: Mapping[Key, Sequence[Edge]], pruned: set[str], *, dedupe: bool) -> None:
        self._graph = graph
        self._edges = edges
        self._pruned = pruned
        self._dedupe = dedupe
        self._unfolded: set[Key] = set()

    def nodes(self, edges: Iterable[Edge], level: int | None, path: tuple[str, ...]) -> tuple[TreeNode, ...]:
        """Return what some edges lead to: ``level`` steps below them, None for all; ``path`` has the names above."""
        if level is not None and level < 0:
            return ()
        return tuple(self._node(edge, level, path) for edge in edges if normalise(edge.to[0]) not in self._pruned)

    def _node(self, edge: Edge, level: int | None, path: tuple[str, ...]) -> TreeNode:
        node = dataclasses.replace(self._graph.items[edge.to], marker=edge.marker, group=edge.group)
        below = [each for each in self._edges.get(edge.to, ()) if normalise(each.to[0]) not in self._pruned]
        if not below or level == 0:
            return node
        if node.name in path or (self._dedupe and edge.to in self._unfolded):
            return dataclasses.replace(node, repeated=True)
        self._unfolded.add(edge.to)
        return dataclasses.replace(node, children=self.nodes(below, None if level is None else level - 1, (*path, node.name)))
