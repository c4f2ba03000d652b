"""Whether an archive of data files is what it says: each file in it, and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.resource.read import show
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
    facts = show(path, whole=True)
    count = len(facts.members)
    said = f"{count} {'file' if count == 1 else 'files'}, {facts.unpacked} bytes unpacked, each with its digest"
    wanted = f"{facts.package}-{facts.version}-{facts.tag}.resource"
    wrong = () if path.name == wanted else (f"by what it says of itself it is called {wanted}",)
    checks = (Check("files", said), Check("names", path.name, wrong))
    return Verification(path, "resource", facts.size, filesystem.sha256_file(path), checks)
