"""Whether an archive of data files is what it says: each file in it, and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.resource.read import opened
from pypackpack.model.verification import Check, Verification

if TYPE_CHECKING:
    from pathlib import Path


def verify_resource(path: Path) -> Verification:
    """Return what is right and wrong with an archive of data files.

    Raises:
        DamagedArtifactError: It is damaged.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    with opened(path) as resource:
        resource.verify()
        index, manifest = resource.index, resource.index.manifest
    count, unpacked = len(index.entries), sum(each.size for each in index.entries.values())
    said = f"{count} {'file' if count == 1 else 'files'}, {unpacked} bytes unpacked, each with its digest"
    wanted = f"{manifest.package}-{manifest.version}-{manifest.tag}.resource"
    wrong = () if path.name == wanted else (f"by what it says of itself it is called {wanted}",)
    checks = (Check("files", said), Check("names", path.name, wrong))
    return Verification(path, "resource", index.length, filesystem.sha256_file(path), checks)
