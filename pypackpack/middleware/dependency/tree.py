"""`pypackpack <package> tree`: what each target resolves to, read from the package's lock.

One way for every target: uv's own `tree` has no name for some of them, and shows a package's own lines for single targets only
as groups.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.dependency import tree_graph as graphs
from pypackpack.middleware.environment import lock as locks
from pypackpack.model.build import Silent
from pypackpack.model.environment import LockUse, TargetTree, TreeNode, TreeResult, TreeView
from pypackpack.model.errors import DamagedLockError, UsageError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.middleware.dependency.tree_graph import Edge, Graph, Key
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target


def tree(
    project: Project,
    package: Package,
    target_words: Sequence[str] = (),
    *,
    pythons: Sequence[PythonVersion] = (),
    view: TreeView | None = None,
    use: LockUse = LockUse.UPDATE,
    offline: bool = False,
    watcher: Watcher | None = None,
) -> TreeResult:
    """Return what a package's targets resolve to; nothing is written.

    Args:
        project: The project.
        package: The package.
        target_words: Which targets, as typed; empty means all of the package.
        pythons: For which Pythons; empty means the settings', else the project's own.
        view: What to show of it; None shows everything.
        use: What to do where the lock does not fit the settings; ``UPDATE`` shows what `sync` would begin with.
        offline: Never touch the network.
        watcher: Told when the lock does not fit the settings, and what is shown is what `sync` would begin with.

    Raises:
        UsageError: A word names no target of the package, or the view begins at a distribution that is nowhere in it.
        PyPackPackError: There is no lock that fits, and what it would say cannot be resolved.
    """
    from pypackpack.middleware.environment.lock_use import as_locked, current_lock  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.prepare import rooms_of  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    watcher = watcher or Silent()
    view = view or TreeView()
    refuse_offline(view, offline=offline)
    targets = table.resolve(target_words, package.targets) if target_words else package.targets
    rooms = rooms_of(project, package, targets, pythons, offline=offline, watcher=watcher)
    needs = locks.needs_of(project, package)
    lock, locked = current_lock(project, package, use=use, offline=offline, watcher=watcher)
    if use is LockUse.FROZEN:
        needs = as_locked(needs, lock)
    if not locked:
        watcher.note(f"{package.name}/{locks.FILE} does not fit the settings; this is what `sync` would begin with")
    latest = _latest(package, needs, lock) if view.outdated else {}
    read = _Lock(lock, needs.name, latest, sizes=view.sizes, frozen=use is LockUse.FROZEN)
    found = [read.graph(project, package, needs, room.target, room.python) for room in rooms]
    check_names(view, found, package.name, watcher)
    trees = tuple(
        TargetTree(room.target.name, room.python, graphs.shown(graph, view)) for room, graph in zip(rooms, found, strict=True)
    )
    return TreeResult(package.name, package.version, trees, locked, view.invert)


def refuse_offline(view: TreeView, *, offline: bool) -> None:
    """Refuse a view that needs the network where the network must not be touched.

    Raises:
        UsageError: It does.
    """
    if view.outdated and offline:
        msg = "--outdated asks the package index for newer versions, and --offline keeps pypackpack from it"
        raise UsageError(msg, hint="Leave one of them out.")


def check_names(view: TreeView, found: Sequence[Graph], whose: str, watcher: Watcher) -> None:
    """See that what a view names is in at least one graph; what is only left out is noted.

    Raises:
        UsageError: It begins at something that is in none.
    """
    from pypackpack.middleware.project.words import nearest  # noqa: PLC0415 - import cost

    there = sorted({key[0] for graph in found for key in graph.items})

    def nowhere(names: Sequence[str]) -> list[str]:
        return [name for name in names if all(graph.unknown([name]) for graph in found)]

    if missing := nowhere(view.packages):
        msg = f"{', '.join(missing)}: not in the tree of {whose}{nearest(missing[0], there)}"
        raise UsageError(msg, hint="Without --package it shows everything that is in it.")
    if missing := nowhere(view.prune):
        watcher.note(f"--prune {', '.join(missing)}: not in the tree of {whose} anyway")


def _latest(package: Package, needs: locks.Needs, lock: locks.Lock) -> dict[tuple[str, str], str]:
    """Ask uv for the newest version of everything in a lock: (name, version) → newest, where it is another one."""
    from pypackpack.backend import filesystem  # noqa: PLC0415 - import cost
    from pypackpack.backend.tools import uv_json  # noqa: PLC0415 - import cost
    from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.place import crossenv_folder  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.prepare import lay_out, no_empty_folders  # noqa: PLC0415 - import cost
    from pypackpack.model.errors import ToolError  # noqa: PLC0415 - import cost

    if needs.nothing:
        return {}
    folder = crossenv_folder(package)
    with no_empty_folders(folder, package.root), filesystem.scratch_folder(folder, ".sync-") as scratch:
        lay_out(scratch, needs, lock)
        try:
            return uv_json.latest(scratch)
        except ToolError as error:
            raise explain.explained(error, needs) from error


class _Lock:
    """uv's lock, read as what needs what."""

    def __init__(self, lock: locks.Lock, name: str, latest: Mapping[tuple[str, str], str], *, sizes: bool, frozen: bool) -> None:
        self._name = normalise(name)
        self._latest = latest
        self._sizes = sizes
        self._frozen = frozen
        self._items: dict[str, list[dict[str, Any]]] = {}
        for item in tomllib.loads(lock.text).get("package", []):
            self._items.setdefault(item["name"], []).append(item)
        if self._name not in self._items:
            msg = f"the lock of {name} says nothing of {name} itself"
            raise DamagedLockError(msg, hint=f"`pypackpack {name} sync` makes it anew.")

    def graph(self, project: Project, package: Package, needs: locks.Needs, target: Target, python: PythonVersion) -> Graph:
        """Return what a package needs on one target, itself and through others; local packages are among them."""
        item = self._items[self._name][0]
        groups = locks.groups_for(needs, target)
        facts = dict(locks.marker_facts(target, python))
        if groups:
            # uv writes "only where this group is" as an extra of a name that it makes up like this.
            facts["extra"] = f"group-{len(self._name)}-{self._name}-{groups[0]}"
        edges = list(item.get("dependencies", []))
        for group in groups:
            edges += item.get("dev-dependencies", {}).get(group, [])
        graph = graphs.Graph((package.name, package.version, ()))
        graph.add(TreeNode(package.name, package.version))
        walk = _Reading(self, graph, facts, target, python)
        edges = [edge for edge in edges if walk.holds(edge)]
        walk.member(project, package, edges)
        if self._frozen:  # what the settings ask for no longer, and the lock still has
            walk.also(graph.root, edges)
        return graph

    def item(self, edge: Mapping[str, Any], facts: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the locked distribution that an edge means."""
        found = [each for each in self._items.get(edge["name"], []) if edge.get("version") in (None, each.get("version"))]
        if len(found) > 1 and "source" in edge:
            found = [each for each in found if each.get("source") == edge["source"]]
        if len(found) > 1:
            found = [
                each for each in found if any(_true(marker, facts) for marker in each.get("resolution-markers", []))
            ] or found
        return found[0] if found else None

    def node(self, item: Mapping[str, Any], extras: tuple[str, ...], target: Target, python: PythonVersion) -> TreeNode:
        """Return a locked distribution, as a target has it."""
        version = item.get("version", "")
        return TreeNode(
            item["name"],
            version,
            extras,
            source=source_of(item.get("source", {})),
            size=_size(item, target, python) if self._sizes else None,
            latest=self._latest.get((item["name"], version), ""),
        )


class _Reading:
    """The walk through a lock for one environment."""

    def __init__(self, lock: _Lock, graph: Graph, facts: Mapping[str, str], target: Target, python: PythonVersion) -> None:
        self._lock = lock
        self._graph = graph
        self._facts = facts
        self._target = target
        self._python = python
        self._asked: set[str] = set()

    def holds(self, edge: Mapping[str, Any]) -> bool:
        """Tell whether an edge is there on this target."""
        return _true(edge.get("marker", ""), self._facts)

    def _counts(self, line: str) -> bool:
        """Tell whether a line of the person's own says something for this target."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        marker = Requirement(line).marker
        return marker is None or _true(str(marker), self._facts)

    def member(self, project: Project, member: Package, edges: Sequence[Mapping[str, Any]]) -> None:
        """Read the lines of one package of the project: the lock has those of all that it needs in one list."""
        key = (member.name, member.version, ())
        if key in self._graph.edges:
            return
        self._graph.edges[key] = []
        lines = (*member.dependencies, *member.target_dependencies.get(self._target.name, ()))
        # Of several lines for one name those that count here.
        own = locks.markers(line for line in lines if self._counts(line))
        # The person's own marker: uv's says in the same breath which of several locked versions is meant.
        self._asked |= set(own)
        found = [
            dataclasses.replace(edge, marker=own[edge.to[0]]) for edge in self._edges([e for e in edges if e["name"] in own])
        ]
        for name in member.local_dependencies:
            other = project.package(name)
            if other is not None:
                found.append(graphs.Edge(self._graph.add(TreeNode(other.name, other.version, source="local"))))
                self.member(project, other, edges)
        self._graph.edges[key] = sorted(found, key=lambda edge: normalise(edge.to[0]))

    def also(self, key: Key, edges: Sequence[Mapping[str, Any]]) -> None:
        """Add what no package of the project asks for to what one of them needs."""
        found = [*self._graph.edges[key], *self._edges([edge for edge in edges if edge["name"] not in self._asked])]
        self._graph.edges[key] = sorted(found, key=lambda edge: normalise(edge.to[0]))

    def _edges(self, edges: Iterable[Mapping[str, Any]]) -> list[Edge]:
        """Return the edges that hold here, and read everything that they lead to."""
        wishes = []
        for edge in edges:
            item = self._lock.item(edge, self._facts) if self.holds(edge) else None
            if item is not None:
                node = self._lock.node(item, tuple(edge.get("extra", ())), self._target, self._python)
                marker = "" if "version" in edge else edge.get("marker", "")
                wishes.append((item, node, graphs.Edge((node.name, node.version, node.extras), marker)))
        items = {(node.name, node.version): item for item, node, _ in wishes}
        found = []
        for node, merged in graphs.merged((node, edge) for _, node, edge in wishes):
            key = self._graph.add(node)
            if key not in self._graph.edges:
                self._graph.edges[key] = []
                item = items[node.name, node.version]
                below = [*item.get("dependencies", [])]
                for extra in node.extras:
                    below += item.get("optional-dependencies", {}).get(extra, [])
                self._graph.edges[key] = self._edges(below)
            found.append(merged)
        return found


def _true(marker: str, facts: Mapping[str, str]) -> bool:
    if not marker:
        return True
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    return Marker(marker).evaluate(dict(facts))


def _size(item: Mapping[str, Any], target: Target, python: PythonVersion) -> int | None:
    """Return the size in bytes of the wheel that a target takes, where the index has said it."""
    from pypackpack.middleware.dependency import wheels  # noqa: PLC0415 - import cost

    wheel = wheels.best_wheel(item.get("wheels", []), wheels.platforms(target, python), python)
    return wheel.get("size") if wheel else None


def source_of(source: Mapping[str, Any]) -> str:
    """Return what kind of place a distribution's ``source`` in uv's lock is; empty for an index."""
    if "git" in source:
        return "git"
    if "url" in source:
        return "url"
    return "path" if any(word in source for word in ("path", "directory", "editable")) else ""
