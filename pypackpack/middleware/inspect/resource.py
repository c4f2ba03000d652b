"""What is in an archive of data files, and what separates two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.resource import read
from pypackpack.model.comparison import ADDED, CHANGED, REMOVED, MemberChange, ResourceComparison, ResourceInspection
from pypackpack.model.inspection import InspectedFile

if TYPE_CHECKING:
    from pathlib import Path


def inspect_resource(path: Path) -> ResourceInspection:
    """Return what an archive says of itself; its files are not read.

    Raises:
        DamagedArtifactError: It is damaged, or no archive.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    facts = read.show(path)
    return ResourceInspection(
        "resource",
        path,
        facts.size,
        filesystem.sha256_file(path),
        facts.name,
        facts.version,
        facts.package,
        facts.tag,
        facts.identity,
        facts.unpacked,
        facts.chunks,
        tuple(InspectedFile(member.path, member.size) for member in facts.members),
    )


def compare_resources(first: Path, second: Path) -> ResourceComparison:
    """Return what separates two archives (errors as `inspect_resource`)."""
    found = read.compare(first, second)
    before = {member.path: member.size for member in found.old.members}
    after = {member.path: member.size for member in found.new.members}
    changes = {
        **dict.fromkeys(found.added, ADDED),
        **dict.fromkeys(found.removed, REMOVED),
        **dict.fromkeys(found.changed, CHANGED),
    }
    members = tuple(MemberChange(path, change, before.get(path), after.get(path)) for path, change in sorted(changes.items()))
    sizes = (found.old.size, found.new.size)
    return ResourceComparison("resource-comparison", first, second, sizes, not members, members, found.chunks, found.fetch)
