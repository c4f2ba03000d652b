"""`pypackpack verify`: whether an artifact is what it says it is.

A new kind of artifact is one more file here and one more branch in `verify`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.verification import SignatureQuestion, Verification

PATCH, WHEEL, RESOURCE = ".whl.patch", ".whl", ".resource"


def verify(
    path: Path,
    *,
    audit: bool = False,
    base: Path | None = None,
    expect: str | None = None,
    question: SignatureQuestion | None = None,
) -> Verification:
    """Return what is right and wrong with an artifact.

    Args:
        path: The artifact.
        audit: Of a wheel, whether to look, too, at what its machine code loads.
        base: Of a patch, the wheel to try it on.
        expect: Of a patch or an archive of data files, the identity that it has to have; None for any.
        question: What is asked about signatures beside it; None where nobody asks, and what is there is looked at.

    Raises:
        UsageError: It is not there, no kind of artifact that we know, or of a kind that has no such check.
        MissingToolError: Who signed it is asked, and what finds that out is not installed.
        DamagedArtifactError: It cannot be looked into at all.
        FilesystemError: It cannot be read.
    """
    name = path.name.lower()
    if not path.is_file():  # a pipe would be waited for
        _check_folder(path)
        name = ""  # whatever a folder is called, it is no wheel
    if audit and not name.endswith(WHEEL):
        msg = f"{path} is no wheel, and --audit is for wheels"
        raise UsageError(msg, hint="Leave it out.")
    if not name.endswith(PATCH) and base is not None:
        msg = f"--base is for patches, and {path} is none"
        raise UsageError(msg)
    if not name.endswith((PATCH, RESOURCE)) and expect is not None:
        msg = f"--expect is for patches and archives of data files, and {path} is neither"
        pins = "a wheel is its SHA-256, as installers take it" if name else "a binary is the SHA-256 of its manifest"
        raise UsageError(msg, hint=f"What pins {pins}.")
    found = _looked_at(path, audit=audit, base=base, expect=expect)
    from pypackpack.middleware.verify.signatures import signature_checks  # noqa: PLC0415 - a build imports this folder
    from pypackpack.model.verification import SignatureQuestion  # noqa: PLC0415 - as above

    place = path if name else path.resolve()  # "." has no name, and nothing beside it
    signed = signature_checks(place, found.sha256, question or SignatureQuestion(), distribution=name.endswith(WHEEL))
    return replace(found, checks=(*found.checks, *signed))


def _check_folder(path: Path) -> None:
    """See that what is no file is the folder of a binary.

    Raises:
        UsageError: It is not.
    """
    from pypackpack.middleware.bundle.binary import MANIFEST  # noqa: PLC0415 - a build imports this folder
    from pypackpack.middleware.bundle.binary_manifest import is_binary  # noqa: PLC0415 - as above
    from pypackpack.middleware.bundle.separate import is_folder_of_wheels  # noqa: PLC0415 - as above

    if is_binary(path):
        return
    if is_folder_of_wheels(path):
        msg = f"{path} is a folder of wheels"
        raise UsageError(msg, hint=f"Name its wheels: {path / '*.whl'}")
    if path.is_dir():
        msg = f"{path} is a folder without a {MANIFEST}"
        below = any(map(is_binary, path.glob("*/")))
        raise UsageError(
            msg, hint=f"Name the folders in it: {path / '*'}" if below else "Name a wheel, a patch, or the folder of a binary."
        )
    msg = f"{path} is {'no regular file' if path.exists() else 'not there'}"
    raise UsageError(msg, hint="Name a wheel, a patch, or the folder of a binary.")


def _looked_at(path: Path, *, audit: bool, base: Path | None, expect: str | None) -> Verification:
    name = path.name.lower()
    if path.is_dir():
        from pypackpack.middleware.verify.binary import verify_binary  # noqa: PLC0415 - as below

        return verify_binary(path)
    if name.endswith(PATCH):
        from pypackpack.middleware.verify.patch import verify_patch  # noqa: PLC0415 - a build imports this folder for its audit

        return verify_patch(path, base, expect)
    if name.endswith(WHEEL):
        from pypackpack.middleware.verify.wheel import verify_wheel  # noqa: PLC0415 - as above

        return verify_wheel(path, audit=audit)
    if name.endswith(RESOURCE):
        from pypackpack.middleware.verify.resource import verify_resource  # noqa: PLC0415 - as above

        return verify_resource(path, expect)
    msg = f"{path} is no artifact that verify knows"
    raise UsageError(
        msg, hint="It looks at wheels (.whl), patches (.whl.patch), archives of data files (.resource) and folders of binaries."
    )
