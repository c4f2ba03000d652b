"""Whether a patch is what it says: each byte of it, and its name; with a wheel also whether it leads where it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.patch.use import show
from pypackpack.middleware.patch.use import verify as try_on
from pypackpack.model.verification import Check, Verification

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.patch import PatchFacts


def verify_patch(path: Path, base: Path | None = None, expect: str | None = None) -> Verification:
    """Return what is right and wrong with a patch.

    Args:
        path: The patch.
        base: A wheel to try it on; nothing of the result is kept.
        expect: The identity that it has to have; None for any.

    Raises:
        UntrustedArtifactError: It has another identity.
        DamagedArtifactError: It is damaged.
        UsageError: The wheel is not its primary.
        FilesystemError: A file cannot be read.
    """
    facts = show(path, expect)
    checks = [
        Check("patch", f"all of its bytes are what it says; it makes {facts.result.file} of {facts.primary.file}"),
        Check("identity", facts.identity if expect is None else f"{facts.identity}, as it should be"),
        _names(facts),
    ]
    if base is not None:
        try_on(path, base, facts.identity)
        checks.append(Check("result", f"made of {base.name}, it has the identity {facts.result.identity}"))
    return Verification(path, "patch", facts.size, filesystem.sha256_file(path), tuple(checks))


def _names(facts: PatchFacts) -> Check:
    name, version, *_ = (*facts.primary.file.removesuffix(".whl").split("-"), "")
    wanted = f"{name}-{version}-p{facts.number}-{facts.tag}.whl.patch"
    if facts.path.name != wanted:
        return Check("names", facts.path.name, (f"by what it says of itself it is called {wanted}",))
    return Check("names", facts.path.name)
