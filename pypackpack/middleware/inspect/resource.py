"""What is in an archive of data files, and what separates two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.resource_update import difference
from pypackpack.middleware.resource.read import opened
from pypackpack.model.comparison import ADDED, CHANGED, REMOVED, MemberChange, ResourceComparison, ResourceInspection
from pypackpack.model.inspection import InspectedFile

if TYPE_CHECKING:
    from pathlib import Path


def inspect_resource(path: Path) -> ResourceInspection:
    """Return what an archive says of itself; its files are not read.

    Raises:
        UsageError: It is not there.
        DamagedArtifactError: It is damaged, or no archive.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    with opened(path) as resource:
        index, manifest = resource.index, resource.index.manifest
        return ResourceInspection(
            "resource",
            path,
            index.length,
            filesystem.sha256_file(path),
            manifest.name,
            manifest.version,
            manifest.package,
            manifest.tag,
            index.identity,
            sum(each.size for each in resource),
            sum(not each.repeated for each in index.chunks()),
            tuple(InspectedFile(each.path, each.size) for each in resource),
        )


def compare_resources(first: Path, second: Path) -> ResourceComparison:
    """Return what separates an archive from the next one, and what whoever has it has to fetch (errors as `inspect_resource`)."""
    with opened(first) as before, opened(second) as after:
        old, new = before.index, after.index
        found = difference([old], new)
    changes = {
        **dict.fromkeys(found.added, ADDED),
        **dict.fromkeys(found.removed, REMOVED),
        **dict.fromkeys(found.changed, CHANGED),
    }
    was, now = ({path: each.size for path, each in index.entries.items()} for index in (old, new))
    members = tuple(MemberChange(path, change, was.get(path), now.get(path)) for path, change in sorted(changes.items()))
    sizes, missing = (old.length, new.length), found.chunks[0]
    return ResourceComparison("resource-comparison", first, second, sizes, not members, members, missing, found.fetch)
