"""Settings that the schema has and no build does yet: one list, for the builds that refuse them and for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.model.build import Bundle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

LATER: dict[str, object] = {}
"""Key below ``tool.pypackpack`` → the value that is not built yet."""

LATER_KEYS: tuple[str, ...] = ("bundle.entry", "bundle.binary-layout")
"""Keys that only say something about bundles, or forms of them, that are not built yet."""


def unbuilt(package: Package, targets: Iterable[Target], bundle: Bundle) -> tuple[str, ...]:
    """Return the settings, as ``key = value``, that these targets of a package have and that are not built yet."""
    found: dict[str, None] = {}
    for target in targets:
        settings = package.settings(target)
        for key, value in LATER.items():
            if getattr(settings, key.partition(".")[2]) == value:
                shown = "true" if value is True else f'"{value}"'
                found[f"{key} = {shown}"] = None
    if bundle is Bundle.BINARY and package.bundle.entry is not None:
        found[f'bundle.entry = "{package.bundle.entry}"'] = None
    return tuple(found)
