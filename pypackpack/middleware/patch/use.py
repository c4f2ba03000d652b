"""``pypackpack patch show``, ``verify`` and ``apply``: what people ask of a patch, with errors of our family."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.patch import PatchError, UnsupportedPatchError, apply_patch, check_patch, read_patch
from pypackpack.model.errors import DamagedArtifactError, MissingToolError, UsageError
from pypackpack.model.patch import Applied, PatchFacts, PatchSide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.client.patch_format import Manifest, Wheel


def show(patch: Path) -> PatchFacts:
    """Return what a patch says of itself.

    Raises:
        UsageError: It is not there.
        DamagedArtifactError: It is damaged, or no patch.
        MissingToolError: It is for a newer pypackpack.
    """
    _check_there(patch)
    with _explained(patch):
        return _facts(patch, read_patch(patch))


def verify(patch: Path, wheel: Path | None) -> Applied:
    """Check a patch by its own digests; with a wheel, also apply it and throw the result away.

    Raises:
        UsageError: One of them is not there.
        DamagedArtifactError: One of them is damaged, or the wheel is another one.
        MissingToolError: The patch is for a newer pypackpack.
        FilesystemError: Something cannot be read or written.
    """
    if wheel is None:
        return Applied(show(patch), None, None)
    _check_there(patch, wheel)
    with _explained(patch):
        return Applied(_facts(patch, check_patch(patch, wheel)), wheel, None)


def apply(patch: Path, wheel: Path, folder: Path) -> Applied:
    """Apply a patch to a wheel file; the result stands in the folder once it is whole and checked. Errors as `verify`."""
    _check_there(patch, wheel)
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is no folder"
        raise UsageError(msg, hint="The patch knows the name of its result: -o names the folder where it goes.")
    with _explained(patch):
        result = apply_patch(patch, wheel, folder)
        return Applied(_facts(patch, read_patch(patch)), wheel, result)


def _check_there(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            msg = f"{path} is not there" if not path.exists() else f"{path} is no file"
            raise UsageError(msg)


@contextlib.contextmanager
def _explained(patch: Path) -> Iterator[None]:
    """Turn the client's errors into ours."""
    with filesystem.explained("work with", patch):
        try:
            yield
        except UnsupportedPatchError as error:
            msg = f"{patch}: {error}"
            raise MissingToolError(msg, hint=error.hint) from error
        except PatchError as error:
            msg = f"{patch}: {error}"
            raise DamagedArtifactError(msg, hint=error.hint) from error


def _facts(patch: Path, manifest: Manifest) -> PatchFacts:
    counts = dict.fromkeys(("run", "copy", "delta", "full"), 0)
    for step in manifest.steps:
        counts[step.kind] += step.count
    return PatchFacts(
        patch,
        patch.stat().st_size,
        manifest.name,
        manifest.number,
        manifest.tag,
        manifest.codec,
        _side(manifest.primary),
        _side(manifest.result),
        counts["run"] + counts["copy"],
        counts["delta"],
        counts["full"],
    )


def _side(wheel: Wheel) -> PatchSide:
    return PatchSide(wheel.file, wheel.version, wheel.identity, wheel.members, wheel.size)
