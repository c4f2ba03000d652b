"""A tree of dependencies as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.render import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.environment import TreeNode, TreeResult


def tree_lines(result: TreeResult, style: Style, *, nothing: str = "(no dependencies)") -> list[str]:
    """Return what a package's targets resolve to; those with the same tree have one together, and of none ``nothing`` is said."""
    alike: dict[tuple[TreeNode, ...], list[str]] = {}
    for each in result.trees:
        name = f"{each.target} {each.python[0]}.{each.python[1]}"
        alike.setdefault(each.roots, []).append(name)
    lines = [f"{style.bold(result.package)} {result.version}".rstrip()]
    repeated = False
    for roots, names in alike.items():
        lines += ["", style.word(", ".join(names))]
        below = _below(roots, "", style) or ([nothing] if nothing else [])
        repeated = repeated or any(line.endswith("(*)") for line in below)
        lines += below
    return [*lines, "", "(*) further up with what it needs"] if repeated else lines


def _below(nodes: Sequence[TreeNode], indent: str, style: Style) -> list[str]:
    lines = []
    for number, node in enumerate(nodes, 1):
        last = number == len(nodes)
        extras = f"[{','.join(node.extras)}]" if node.extras else ""
        words = [f"{node.name}{extras}", node.version, f"({node.source})" if node.source else "", style.dim(_said(node.marker))]
        words += [f"({size(node.size)})" if node.size is not None else ""]
        words += [style.warn(f"(latest: {node.latest})") if node.latest else ""]
        line = " ".join(word for word in words if word)
        lines.append(f"{indent}{'└── ' if last else '├── '}{line}{' (*)' if node.repeated else ''}")
        lines += _below(node.children, indent + ("    " if last else "│   "), style)
    return lines


def _said(marker: str) -> str:
    """Return a marker as a person reads it; those that uv makes up for its own groups say nothing to anybody."""
    return f"; {marker}" if marker and "extra ==" not in marker and "extra !=" not in marker else ""
