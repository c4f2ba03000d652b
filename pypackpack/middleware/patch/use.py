"""``pypackpack patch show``, ``verify`` and ``apply``: what people ask of a patch, with errors of our family."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.patch import PatchError, UnsupportedPatchError, apply_patch, check_patch, read_patch
from pypackpack.client.patch_installed import NeedsInstallerError, check_installed, patch_installed
from pypackpack.model.errors import DamagedArtifactError, MissingToolError, UsageError, WorkError
from pypackpack.model.patch import Applied, PatchFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypackpack.client.patch_format import Manifest


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


def verify(patch: Path, to: Path | None) -> Applied:
    """Check a patch by its own digests; with a wheel or a site-packages folder, also apply it and keep nothing of it.

    Raises:
        UsageError: One of them is not there.
        DamagedArtifactError: One of them is damaged, or another one than the patch is for.
        MissingToolError: The patch is for a newer pypackpack, or takes an installer.
        FilesystemError: Something cannot be read or written.
    """
    if to is None:
        return Applied(show(patch), None, None)
    _check_there(patch, to)
    with _explained(patch):
        manifest = check_installed(patch, to) if to.is_dir() else check_patch(patch, to)
        return Applied(_facts(patch, manifest), to, None)


def apply(patch: Path, to: Path, folder: Path | None) -> Applied:
    """Apply a patch to a wheel file, or to what is installed in a site-packages folder. Errors as `verify`.

    Args:
        patch: The patch.
        to: The wheel, or the folder.
        folder: Where the new wheel goes once it is whole and checked; here if it is None. Nothing for an installed package.
    """
    _check_there(patch, to)
    if to.is_dir():
        if folder is not None:
            msg = f"{to} is a folder of installed packages: the result stands there, and not in {folder}"
            raise UsageError(msg, hint="Leave -o out, or name a wheel with --to.")
        with _explained(patch):
            return Applied(_facts(patch, patch_installed(patch, to)), to, to)
    folder = folder or Path()
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is no folder"
        raise UsageError(msg, hint="The patch knows the name of its result: -o names the folder where it goes.")
    with _explained(patch):
        result = apply_patch(patch, to, folder)
        return Applied(_facts(patch, read_patch(patch)), to, result)


def _check_there(patch: Path, to: Path | None = None) -> None:
    for path in (patch, to):
        if path is not None and not path.is_file() and not (path is to and path.is_dir()):
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
        except NeedsInstallerError as error:
            msg = f"{patch}: {error}"
            raise WorkError(msg, hint=error.hint) from error
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
        manifest.primary,
        manifest.result,
        counts["run"] + counts["copy"],
        counts["delta"],
        counts["full"],
    )
