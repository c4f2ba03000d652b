"""``tree`` for the development environment: as uv shows it, or as data of the same form as a package's tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pypackpack.backend.tools import uv_json, venv
from pypackpack.backend.tools import uv_options as known
from pypackpack.middleware.dependency import tree_graph as graphs
from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.environment.development import Work, refuse_elsewhere, working
from pypackpack.model.build import Silent
from pypackpack.model.environment import TargetTree, TreeNode, TreeResult, TreeView
from pypackpack.model.errors import ToolError, UsageError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.dependency.tree_graph import Edge, Graph
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Project

_OF_THE_VIEW = ("--depth", "-d", "--prune", "--invert", "--no-dedupe")
"""Options that say which part of the graph is shown; as data we do that."""


def said(
    project: Project,
    packages: Sequence[str] = (),
    *,
    uv_options: Sequence[str] = (),
    offline: bool = False,
    watcher: Watcher | None = None,
) -> str:
    """Return what ``uv tree`` says of the development dependencies and of those of the packages.

    Args:
        project: The project.
        packages: What ``--package`` of uv names.
        uv_options: More options for ``uv tree``, as typed.
        offline: Never touch the network.
        watcher: Gets notes.

    Raises:
        UsageError: One of ``uv_options`` cannot be used here, or none of ``packages`` is there.
        PyPackPackError: Something cannot be resolved.
    """
    refuse_elsewhere(uv_options, "tree")
    with working(project, watcher or Silent()) as work:
        work.ensure(offline=offline)
        text = _uv(work, [*(f"--package={name}" for name in packages), *uv_options], offline=offline)
    if packages and not text.strip():
        msg = f"{', '.join(packages)}: neither a package of the project {project.name} nor in its tree"
        raise UsageError(msg, hint="Without --package it shows everything that is in it.")
    # The version of the project that uv works on is nobody's.
    return re.sub(rf"(?m)(?<![\w.-])({re.escape(_name(project))}(?:\[\S*\])?) v{works.VERSION}(?!\S)", r"\1", text).rstrip()


def tree(
    project: Project,
    packages: Sequence[str] = (),
    *,
    uv_options: Sequence[str] = (),
    offline: bool = False,
    watcher: Watcher | None = None,
) -> TreeResult:
    """Return what the development environment resolves to; see `said` for arguments and errors."""
    from pypackpack.middleware.dependency.tree import check_names  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target.table import host_target  # noqa: PLC0415 - import cost

    refuse_elsewhere(uv_options, "tree")
    view = _view(uv_options, packages)
    rest = [word for pair in known.grouped(uv_options, "tree") if not _is(pair, (*_OF_THE_VIEW, "--format")) for word in pair]
    watcher = watcher or Silent()
    with working(project, watcher) as work:
        work.ensure(offline=offline)
        nodes = uv_json.tree(_uv(work, [*rest, *uv_json.TREE], offline=offline))
        python = venv.version(project.venv) or (0, 0, 0)
    graph = _graph(project, nodes, sizes="--show-sizes" in rest, python=python[:2])
    check_names(view, [graph], f"the project {project.name}", watcher)
    found = TargetTree(host_target().name, python[:2], graphs.shown(graph, view))
    return TreeResult(project.name, "", (found,), inverted=view.invert)


def _name(project: Project) -> str:
    """Return the name of what uv works on."""
    return normalise(works.work_project(project).content["project"]["name"])


def _uv(work: Work, options: Sequence[str], *, offline: bool) -> str:
    work.lay_out(works.work_project(work.project))
    return work.uv("tree", ["tree", *options], offline=offline).stdout


def _is(pair: tuple[str, ...], names: Sequence[str]) -> bool:
    return pair[0].partition("=")[0] in names


def _view(options: Sequence[str], packages: Sequence[str]) -> TreeView:
    """Return what a person wants to see, of options that uv knows.

    Raises:
        UsageError: A depth that is no number.
    """
    pairs = known.grouped(options, "tree")
    depth = known.value_of(options, "tree", ("--depth", "-d"))
    if depth is not None and not (depth.isascii() and depth.isdigit()):
        msg = f'--depth "{depth}" is not a number'
        raise UsageError(msg, hint="--depth 1 shows what the project needs itself.")
    prune = [pair[1] if len(pair) > 1 else pair[0].partition("=")[2] for pair in pairs if _is(pair, ("--prune",))]
    return TreeView(
        depth=None if depth is None else int(depth),
        packages=tuple(packages),
        prune=tuple(prune),
        invert=any(_is(pair, ("--invert",)) for pair in pairs),
        dedupe=not any(_is(pair, ("--no-dedupe",)) for pair in pairs),
    )


def _graph(project: Project, nodes: Mapping[str, Mapping[str, Any]], *, sizes: bool, python: tuple[int, ...]) -> Graph:
    """Return uv's nodes as a graph: an extra of a distribution, a node of its own with uv, goes into the one that asks for it.

    Raises:
        ToolError: The project is not among them.
    """
    name = _name(project)
    mine = [node for node in nodes.values() if normalise(node["name"]) == name and node.get("version") == works.VERSION]
    own = next((node for node in mine if node["kind"] == "package"), None)
    groups = [node for node in mine if isinstance(node["kind"], dict) and "group" in node["kind"]]
    if own is None and not groups and nodes:
        msg = "uv's tree does not have the project in it"
        raise ToolError(msg, hint="Without --json it is shown as uv shows it.")
    graph = graphs.Graph((name, "", ()))
    graph.add(TreeNode(name, ""))
    reading = _Reading(project, nodes, graph, sizes=sizes, python=python)
    edges = [] if own is None else reading.edges(own, "")
    for node in groups:
        edges += reading.edges(node, node["kind"]["group"])
    graph.edges[graph.root] = edges
    return graph


def _marker(edge: Mapping[str, Any]) -> str:
    """Return an edge's marker, without what we say to uv of every machine that people develop on."""
    marker = str(edge.get("marker") or "")
    return "" if marker == works.NO_HOST else marker.removesuffix(f" and {works.NO_HOST}")


class _Reading:
    """The walk through uv's nodes."""

    def __init__(
        self, project: Project, nodes: Mapping[str, Mapping[str, Any]], graph: Graph, *, sizes: bool, python: tuple[int, ...]
    ) -> None:
        self._local = {normalise(package.name): package for package in project.packages}
        self._nodes = nodes
        self._graph = graph
        self._sizes = sizes
        self._python = python

    def edges(self, node: Mapping[str, Any], group: str) -> list[Edge]:
        """Return what a node leads to, and read everything below it."""
        wishes: list[tuple[TreeNode, Edge]] = []
        below: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for each in node.get("dependencies", []):
            there = self._nodes[each["id"]]
            if there["name"] == node["name"]:
                continue  # an extra leads to its distribution
            made = self._node(there)
            wishes.append((made, graphs.Edge((made.name, made.version, made.extras), _marker(each), group)))
            below.setdefault((made.name, made.version), []).extend(self._parts(there))
        found = []
        for made, edge in graphs.merged(wishes):
            key = self._graph.add(made)
            if key not in self._graph.edges:
                self._graph.edges[key] = []
                parts = [self.edges(part, "") for part in below[made.name, made.version]]
                self._graph.edges[key] = list(dict.fromkeys(edge for part in parts for edge in part))
            found.append(edge)
        return found

    def _parts(self, node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return a node, and before it the distribution whose extra it is."""
        if node["kind"] == "package":
            return [node]
        base = [self._nodes[each["id"]] for each in node.get("dependencies", [])]
        return [*(each for each in base if each["name"] == node["name"]), node]

    def _node(self, node: Mapping[str, Any]) -> TreeNode:
        from pypackpack.middleware.dependency.tree import source_of  # noqa: PLC0415 - import cost

        extra = node["kind"].get("extra") if isinstance(node["kind"], dict) else None
        package = self._local.get(normalise(node["name"]))
        return TreeNode(
            package.name if package else node["name"],
            package.version if package else node.get("version", ""),
            (extra,) if extra else (),
            source="local" if package else source_of(node.get("source", {})),
            size=self._size(node) if self._sizes else None,
            latest=node.get("latest_version") or "",
        )

    def _size(self, node: Mapping[str, Any]) -> int | None:
        from pypackpack.middleware.dependency import wheels  # noqa: PLC0415 - import cost

        major, minor = self._python[0], self._python[1]
        wheel = wheels.best_wheel(node.get("wheels", []), wheels.host_platforms(), (major, minor))
        return wheel.get("size") if wheel else None
