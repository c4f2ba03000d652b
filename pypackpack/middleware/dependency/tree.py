"""`pypackpack <package> tree`: what each target resolves to, read from the package's lock.

One way for every target: uv's own `tree` has no name for some of them, and shows a package's own lines for single targets only
as groups.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.environment import lock as locks
from pypackpack.model.build import Silent
from pypackpack.model.environment import TargetTree, TreeNode, TreeResult
from pypackpack.model.errors import DamagedLockError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target


def tree(
    project: Project,
    package: Package,
    target_words: Sequence[str] = (),
    *,
    pythons: Sequence[PythonVersion] = (),
    depth: int | None = None,
    offline: bool = False,
    watcher: Watcher | None = None,
) -> TreeResult:
    """Return what a package's targets resolve to; nothing is written.

    Args:
        project: The project.
        package: The package.
        target_words: Which targets, as typed; empty means all of the package.
        pythons: For which Pythons; empty means the settings', else the project's own.
        depth: How many steps from the package; None shows all.
        offline: Never touch the network.
        watcher: Told when the lock does not fit the settings, and what is shown is what `sync` would begin with.

    Raises:
        UsageError: A word names no target of the package.
        PyPackPackError: There is no lock that fits, and what it would say cannot be resolved.
    """
    from pypackpack.middleware.environment.prepare import current_lock, rooms_of  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    watcher = watcher or Silent()
    targets = table.resolve(target_words, package.targets) if target_words else package.targets
    rooms = rooms_of(project, package, targets, pythons, offline=offline, watcher=watcher)
    needs = locks.needs_of(project, package)
    lock, locked = current_lock(project, package, offline=offline, watcher=watcher)
    if not locked:
        watcher.note(f"{package.name}/{locks.FILE} does not fit the settings; this is what `sync` would begin with")
    graph = _Graph(lock, needs.name)
    trees = tuple(
        TargetTree(room.target.name, room.python, _cut(graph.roots(project, package, needs, room.target, room.python), depth))
        for room in rooms
    )
    return TreeResult(package.name, package.version, trees, locked)


def _cut(nodes: tuple[TreeNode, ...], depth: int | None) -> tuple[TreeNode, ...]:
    if depth is None:
        return nodes
    return tuple(dataclasses.replace(node, children=_cut(node.children, depth - 1)) for node in nodes) if depth > 0 else ()


class _Graph:
    """uv's lock, as what needs what."""

    def __init__(self, lock: locks.Lock, name: str) -> None:
        self._name = normalise(name)
        self._items: dict[str, list[dict[str, Any]]] = {}
        for item in tomllib.loads(lock.text).get("package", []):
            self._items.setdefault(item["name"], []).append(item)
        if self._name not in self._items:
            msg = f"the lock of {name} says nothing of {name} itself"
            raise DamagedLockError(msg, hint=f"`pypackpack {name} sync` makes it anew.")

    def roots(
        self, project: Project, package: Package, needs: locks.Needs, target: Target, python: PythonVersion
    ) -> tuple[TreeNode, ...]:
        """Return what a package needs itself on one target; local packages with what they need."""
        item = self._items[self._name][0]
        groups = locks.groups_for(needs, target)
        facts = dict(locks.marker_facts(target, python))
        if groups:
            # uv writes "only where this group is" as an extra of a name that it makes up like this.
            facts["extra"] = f"group-{len(self._name)}-{self._name}-{groups[0]}"
        edges = list(item.get("dependencies", []))
        for group in groups:
            edges += item.get("dev-dependencies", {}).get(group, [])
        walk = _Walk(self, facts)
        return self._of_member(project, package, target, walk, [edge for edge in edges if walk.holds(edge)], ())

    def _of_member(
        self,
        project: Project,
        member: Package,
        target: Target,
        walk: _Walk,
        edges: Sequence[Mapping[str, Any]],
        path: tuple[str, ...],
    ) -> tuple[TreeNode, ...]:
        """Return the lines of one package of the project: the lock has those of all that it needs in one list."""
        lines = (*member.dependencies, *member.target_dependencies.get(target.name, ()))
        # Of several lines for one name those that count here.
        own = locks.markers(line for line in lines if walk.counts(line))
        # The person's own marker: uv's says in the same breath which of several locked versions is meant.
        found = [
            dataclasses.replace(node, marker=own[node.name])
            for node in walk.nodes([edge for edge in edges if edge["name"] in own], ())
        ]
        for name in member.local_dependencies:
            other = project.package(name)
            if other is not None and name not in path:
                below = self._of_member(project, other, target, walk, edges, (*path, name))
                found.append(TreeNode(other.name, other.version, source="local", children=below))
        return tuple(sorted(found, key=lambda node: normalise(node.name)))

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


class _Walk:
    """The walk through a lock for one environment."""

    def __init__(self, graph: _Graph, facts: Mapping[str, str]) -> None:
        self._graph = graph
        self._facts = facts
        self._shown: set[tuple[str, str, tuple[str, ...]]] = set()

    def holds(self, edge: Mapping[str, Any]) -> bool:
        """Tell whether an edge is there on this target."""
        return _true(edge.get("marker", ""), self._facts)

    def counts(self, line: str) -> bool:
        """Tell whether a line of the person's own says something for this target."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        marker = Requirement(line).marker
        return marker is None or _true(str(marker), self._facts)

    def nodes(self, edges: Iterable[Mapping[str, Any]], path: tuple[str, ...]) -> list[TreeNode]:
        """Return what the edges that hold here lead to; what was shown once is not unfolded again."""
        found: dict[tuple[str, str], TreeNode] = {}
        for edge in edges:
            item = self._graph.item(edge, self._facts) if self.holds(edge) else None
            if item is None:
                continue
            extras = tuple(edge.get("extra", ()))
            version = item.get("version", "")
            key = (item["name"], version, extras)
            below = [*item.get("dependencies", [])]
            for extra in extras:
                below += item.get("optional-dependencies", {}).get(extra, [])
            repeated = (key in self._shown or item["name"] in path) and any(self.holds(each) for each in below)
            self._shown.add(key)
            children = () if repeated else tuple(self.nodes(below, (*path, item["name"])))
            marker = "" if "version" in edge else edge.get("marker", "")
            node = TreeNode(item["name"], version, extras, marker, _source(item), children, repeated)
            found.setdefault((item["name"], version), node)
        return list(found.values())


def _true(marker: str, facts: Mapping[str, str]) -> bool:
    if not marker:
        return True
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    return Marker(marker).evaluate(dict(facts))


def _source(item: Mapping[str, Any]) -> str:
    source = item.get("source", {})
    if "git" in source:
        return "git"
    if "url" in source:
        return "url"
    return "path" if any(word in source for word in ("path", "directory", "editable")) else ""
