"""Whether an archive of data files is what it says: each file in it, and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.patch.use import identity_of
from pypackpack.middleware.resource.read import opened
from pypackpack.model.errors import UntrustedArtifactError
from pypackpack.model.verification import Check, Verification

if TYPE_CHECKING:
    from pathlib import Path


def verify_resource(path: Path, expect: str | None = None) -> Verification:
    """Return what is right and wrong with an archive of data files.

    Args:
        path: The archive.
        expect: The identity that it has to have; None for any.

    Raises:
        UntrustedArtifactError: It has another identity.
        DamagedArtifactError: It is damaged.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    wanted = identity_of(expect)
    with opened(path) as resource:
        identity = resource.index.identity
        if wanted not in (None, identity):
            msg = f"{path}: the archive is another one than was expected: its identity is {identity}"
            raise UntrustedArtifactError(msg, hint="Get the archive that its publisher names.")
        resource.verify()
        index, manifest = resource.index, resource.index.manifest
    count, unpacked = len(index.entries), sum(each.size for each in index.entries.values())
    said = f"{count} {'file' if count == 1 else 'files'}, {unpacked} bytes unpacked, each with its digest"
    name = f"{manifest.package}-{manifest.version}-{manifest.tag}.resource"
    wrong = () if path.name == name else (f"by what it says of itself it is called {name}",)
    known = Check("identity", identity if wanted is None else f"{identity}, as it should be")
    checks = (Check("files", said), known, Check("names", path.name, wrong))
    return Verification(path, "resource", index.length, filesystem.sha256_file(path), checks)
