"""What is in a patch, by what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.patch import read_patch
from pypackpack.middleware.patch.use import show
from pypackpack.model.comparison import ADDED, CHANGED, PatchedMember, PatchInspection

if TYPE_CHECKING:
    from pathlib import Path


def inspect_patch(path: Path) -> PatchInspection:
    """Return what is known of a patch.

    Raises:
        DamagedArtifactError: It is damaged, or no patch.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    facts = show(path)
    with filesystem.explained("read", path):
        steps = read_patch(path).steps
    members = tuple(
        PatchedMember(step.path, ADDED if step.kind == "full" else CHANGED, step.size, step.executable)
        for step in steps
        if step.kind in ("full", "delta")
    )
    return PatchInspection(
        "patch",
        path,
        facts.size,
        filesystem.sha256_file(path),
        facts.identity,
        facts.name,
        facts.number,
        facts.tag,
        facts.codec,
        facts.primary.file,
        facts.primary.identity,
        facts.result.file,
        facts.result.identity,
        facts.result.size,
        facts.same,
        members,
    )
