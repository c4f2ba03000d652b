"""``pypackpack patch show``, ``verify`` and ``apply``: what people ask of a patch, with errors of our family."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.client.patch import (
    BusyPatchError,
    DamagedPrimaryError,
    PatchError,
    UnsupportedPatchError,
    WrongPatchError,
    WrongPrimaryError,
    apply_patch,
    check_patch,
    read_patch,
)
from pypackpack.client.patch_installed import (
    NeedsInstallerError,
    NotInstalledError,
    WrongInstallationError,
    check_installed,
    patch_installed,
)
from pypackpack.model.errors import (
    ConflictError,
    DamagedArtifactError,
    MissingToolError,
    PyPackPackError,
    UntrustedArtifactError,
    UsageError,
    WorkError,
)
from pypackpack.model.patch import Applied, PatchFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypackpack.client.patch_format import Manifest


def show(patch: Path, expect: str | None = None) -> PatchFacts:
    """Return what a patch says of itself.

    Args:
        patch: The patch.
        expect: The identity that it has to have; None for any.

    Raises:
        UsageError: It is not there, or what is expected is no identity.
        UntrustedArtifactError: It has another identity.
        DamagedArtifactError: It is damaged, or no patch.
        MissingToolError: It is for a newer pypackpack.
    """
    _check_there(patch)
    identity = identity_of(expect)
    with _explained(patch):
        return _facts(patch, read_patch(patch, identity=identity))


def verify(patch: Path, to: Path | None, expect: str | None = None) -> Applied:
    """Check a patch by its own digests; with a wheel or a site-packages folder, also apply it and keep nothing of it.

    Args:
        patch: The patch.
        to: The wheel, or the folder.
        expect: The identity that the patch has to have; None for any.

    Raises:
        UsageError: One of them is not there, the wheel or what is installed is another one than the patch is for, or what is
            expected is no identity.
        UntrustedArtifactError: The patch has another identity.
        DamagedArtifactError: One of them is damaged.
        ConflictError: What is installed was changed since, or another process patches it.
        MissingToolError: The patch is for a newer pypackpack, or takes an installer.
        FilesystemError: Something cannot be read or written.
    """
    if to is None:
        return Applied(show(patch, expect), None, None)
    _check_there(patch, to)
    identity = identity_of(expect)
    with _explained(patch, to):
        check = check_installed if to.is_dir() else check_patch
        manifest = check(patch, to, identity=identity)
        return Applied(_facts(patch, manifest), to, None)


def apply(patch: Path, to: Path, folder: Path | None, expect: str | None = None) -> Applied:
    """Apply a patch to a wheel file, or to what is installed in a site-packages folder. Errors as `verify`.

    Args:
        patch: The patch.
        to: The wheel, or the folder.
        folder: Where the new wheel goes once it is whole and checked; here if it is None. Nothing for an installed package.
        expect: The identity that the patch has to have; None for any.
    """
    _check_there(patch, to)
    identity = identity_of(expect)
    if to.is_dir():
        if folder is not None:
            msg = f"{to} is a folder of installed packages: the result stands there, and not in {folder}"
            raise UsageError(msg, hint="Leave -o out, or name a wheel with --to.")
        with _explained(patch, to):
            facts = _facts(patch, read_patch(patch, identity=identity))
            home = "-".join(facts.result.file.split("-")[:2]) + ".dist-info"
            already = (to / home).is_dir()
            patch_installed(patch, to, identity=facts.identity)
            return Applied(facts, to, to, already)
    folder = folder or Path()
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is no folder"
        raise UsageError(msg, hint="The patch knows the name of its result: -o names the folder where it goes.")
    with _explained(patch, to):
        result = apply_patch(patch, to, folder, identity=identity)
        return Applied(_facts(patch, read_patch(patch, identity=identity)), to, result)


def identity_of(text: str | None) -> str | None:
    """Return an identity that somebody wrote, as artifacts have it; None stays None.

    Raises:
        UsageError: It is none.
    """
    if text is not None and not _IDENTITY.fullmatch(text):
        msg = f"{text[:80]!r} is no identity: these are 64 hexadecimal digits"
        raise UsageError(msg, hint="`pypackpack patch show` shows that of a patch.")
    return None if text is None else text.lower()


def _check_there(patch: Path, to: Path | None = None) -> None:
    for path in (patch, to):
        if path is not None and not path.is_file() and not (path is to and path.is_dir()):
            msg = f"{path} is not there" if not path.exists() else f"{path} is no file"
            raise UsageError(msg)
    if patch.name.lower().endswith(".whl"):
        msg = f"{patch} is a wheel, and no patch"
        raise UsageError(msg, hint=f"A patch is called ….whl.patch. `pypackpack inspect {patch.name}` shows what is in a wheel.")
    if to is not None and to.name.lower().endswith(".patch"):
        msg = f"--to: {to} is a patch"
        raise UsageError(msg, hint="--to names the wheel, or the site-packages folder, that the patch is applied to.")
    if to is not None and to.is_dir():
        _check_site(to)


def _check_site(folder: Path) -> None:
    """Refuse the root of an environment, where nothing is installed: that is in a folder below it.

    Raises:
        UsageError: It is one.
    """
    below = [folder / "Lib" / "site-packages", *sorted(folder.glob("lib/python*/site-packages"))]  # venv: Windows, others
    sites = [site for site in below if site.is_dir()]
    if sites and not any(folder.glob("*.dist-info")):
        msg = f"--to: {folder} is the root of an environment, and no site-packages folder"
        raise UsageError(msg, hint=f"Did you mean {sites[0]}?")


_IDENTITY: Final = re.compile(r"[0-9a-fA-F]{64}")


@contextlib.contextmanager
def _explained(patch: Path, to: Path | None = None) -> Iterator[None]:
    """Turn the client's errors into ours."""
    with filesystem.explained("work with", patch):
        try:
            yield
        except UnsupportedPatchError as error:
            msg = f"{patch}: {error}"
            raise MissingToolError(msg, hint=error.hint) from error
        except WrongPatchError as error:
            msg = f"{patch}: {error}"
            raise UntrustedArtifactError(msg, hint=error.hint) from error
        except NeedsInstallerError as error:
            msg = f"{patch}: {error}"
            raise WorkError(msg, hint=error.hint) from error
        except WrongPrimaryError as error:
            raise _wrong_primary(error, to) from error
        except BusyPatchError as error:
            msg = f"{patch}: {error}"
            raise ConflictError(msg, hint=error.hint) from error
        except PatchError as error:
            msg = f"{patch}: {error}"
            raise DamagedArtifactError(msg, hint=error.hint) from error


def _wrong_primary(error: WrongPrimaryError, to: Path | None) -> PyPackPackError:
    """Return what is said of a wheel or an installation that a patch cannot be applied to; the patch is right."""
    msg = f"{error}" if to is None or f"{to}" in f"{error}" else f"{to}: {error}"
    if isinstance(error, DamagedPrimaryError):
        return DamagedArtifactError(msg, hint=error.hint)
    if isinstance(error, WrongInstallationError) and not isinstance(error, NotInstalledError):
        return ConflictError(msg, hint=error.hint)
    return UsageError(msg, hint=error.hint)


def _facts(patch: Path, manifest: Manifest) -> PatchFacts:
    counts = dict.fromkeys(("run", "copy", "delta", "full"), 0)
    for step in manifest.steps:
        counts[step.kind] += step.count
    return PatchFacts(
        patch,
        patch.stat().st_size,
        manifest.digest,
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
