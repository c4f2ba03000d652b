"""Sigstore bundles: whether somebody signed something, and who that was. All cryptography is that of the library ``sigstore``.

It is in the extra ``attestations`` and costs a third of a second to import, so it is loaded when there is a bundle to look at.
It never touches the network here: the certificates and keys that are believed stand in a file, its own or the caller's.

Formats: https://docs.sigstore.dev/about/bundle/, and https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md for what
certificates say.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.urls import quote
from pypackpack.model.errors import MissingToolError, UsageError
from pypackpack.model.verification import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate
    from sigstore.models import Bundle, TrustedRoot
    from sigstore.verify.policy import VerificationPolicy

    from pypackpack.model.verification import WantedSigner

STATEMENT: Final = "application/vnd.in-toto+json"
"""What the payload of an attestation is (in-toto, DSSE)."""

_INSTANCE: Final = "https://tuf-repo-cdn.sigstore.dev"
"""The public instance, whose trusted root comes with the library."""
_ISSUER: Final = "1.3.6.1.4.1.57264.1.8"
_OLD_ISSUER: Final = "1.3.6.1.4.1.57264.1.1"
_REPOSITORY: Final = "1.3.6.1.4.1.57264.1.12"
_UTF8_STRING: Final = 0x0C


class UnprovenError(Exception):
    """A signature proves nothing; why stands in the message."""


class OtherSignerError(Exception):
    """A signature is good, and somebody else's.

    Attributes:
        signer: Whose it is.
    """

    def __init__(self, signer: Signer) -> None:
        super().__init__(signer)
        self.signer = signer


def installed() -> bool:
    """Tell whether the library is there, without loading it."""
    return importlib.util.find_spec("sigstore") is not None


class BundleVerifier:
    """Checks bundles against one trusted root."""

    def __init__(self, trusted_root: Path | None = None) -> None:
        """Load the library, and what it is to believe.

        Args:
            trusted_root: A file of the form ``trusted_root.json``; None for that of the public instance, as the library has it.

        Raises:
            MissingToolError: The library is not installed.
            UsageError: The file is no trusted root.
            FilesystemError: It cannot be read.
        """
        if not installed():
            msg = "Who signed an artifact is found out by the library sigstore, which is not installed"
            raise MissingToolError(msg, hint='`pip install "pypackpack[attestations]"` brings it.')
        from sigstore.verify import Verifier  # noqa: PLC0415 - import cost

        root = _own_root() if trusted_root is None else _root(trusted_root)
        try:
            self._verifier = Verifier(trusted_root=root)
        except Exception as error:  # a file of somebody, in a library: whatever it raises, nothing can be believed
            raise _no_root(trusted_root, error) from error

    def statement(self, bundle: bytes, wanted: WantedSigner | None) -> tuple[Signer, bytes]:
        """Return who signed the statement in a bundle (DSSE), and the statement.

        Args:
            bundle: The bundle, JSON.
            wanted: Who should have signed; None for anybody.

        Raises:
            UnprovenError: The signature is not good.
            OtherSignerError: It is somebody else's.
        """
        seen = _Seen()
        try:
            kind, payload = self._verifier.verify_dsse(_bundle(bundle), seen)
        except Exception as error:  # hostile bytes in a library: whatever it raises, nothing was proven
            raise _unproven(error) from error
        if kind != STATEMENT:
            msg = f"what was signed is {kind[:80]!r}, and not a statement"
            raise UnprovenError(msg)
        return seen.signer(wanted), payload

    def file(self, bundle: bytes, sha256: str, wanted: WantedSigner | None) -> Signer:
        """Return who signed a file itself.

        Args:
            bundle: The bundle, JSON.
            sha256: The file's digest, in hexadecimal.
            wanted: Who should have signed; None for anybody.

        Raises:
            UnprovenError: The signature is not good, or is that of another file.
            OtherSignerError: It is somebody else's.
        """
        from sigstore.hashes import Hashed  # noqa: PLC0415 - import cost
        from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415 - as above

        seen = _Seen()
        try:
            digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))
            self._verifier.verify_artifact(digest, _bundle(bundle), seen)
        except Exception as error:  # as above
            raise _unproven(error) from error
        return seen.signer(wanted)


class _Seen:
    """The library's question whether a certificate will do: yes for each; who that is, is asked when all else was found right."""

    def __init__(self) -> None:
        self._certificate: Certificate | None = None

    def verify(self, cert: Certificate) -> None:
        """Take note of a certificate that is good."""
        self._certificate = cert

    def signer(self, wanted: WantedSigner | None) -> Signer:
        """Return whose certificate it was.

        Raises:
            UnprovenError: It does not say.
            OtherSignerError: It is not that of the one who is wanted.
        """
        from sigstore.errors import VerificationError  # noqa: PLC0415 - import cost

        if self._certificate is None:
            msg = "no certificate was looked at"
            raise UnprovenError(msg)
        try:
            found = _signer(self._certificate)
        except Exception as error:  # as above
            raise _unproven(error) from error
        if wanted is not None:
            try:
                _policy(wanted).verify(self._certificate)
            except VerificationError:
                raise OtherSignerError(found) from None
        return found


def _bundle(data: bytes) -> Bundle:
    from sigstore.models import Bundle  # noqa: PLC0415 - import cost

    return Bundle.from_json(data)


def _policy(wanted: WantedSigner) -> VerificationPolicy:
    """Return what the library asks a certificate for; the issuer stands there in one of two forms, an older and a newer one."""
    from sigstore.verify import policy  # noqa: PLC0415 - import cost

    parts: list[VerificationPolicy] = [policy.AnyOf([policy.OIDCIssuerV2(wanted.issuer), policy.OIDCIssuer(wanted.issuer)])]
    if wanted.identity:
        parts.append(policy.Identity(identity=wanted.identity))
    if wanted.repository:
        parts.append(policy.OIDCSourceRepositoryURI(wanted.repository))
    return policy.AllOf(parts)


def _signer(certificate: Certificate) -> Signer:
    """Return what a certificate says, for people."""
    from cryptography.x509 import SubjectAlternativeName  # noqa: PLC0415 - import cost

    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    said = [str(each.value.decode("utf-8", "replace") if isinstance(each.value, bytes) else each.value) for each in names]
    claims = {each.oid.dotted_string: getattr(each.value, "value", b"") for each in certificate.extensions}
    return Signer(
        identity=", ".join(said),
        issuer=_text(claims.get(_ISSUER, b"")) or claims.get(_OLD_ISSUER, b"").decode("utf-8", "replace"),
        repository=_text(claims.get(_REPOSITORY, b"")),
        date=certificate.not_valid_before_utc.date().isoformat(),  # it is made for one signature, and good for ten minutes
    )


def _text(der: bytes) -> str:
    """Return a UTF8String (X.690); empty for anything else."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        return ""
    skip = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return der[skip:].decode("utf-8", "replace")


def _own_root() -> TrustedRoot:
    from importlib import resources  # noqa: PLC0415 - import cost

    # Its own way to that file copies it into the user's cache and never takes a newer one from a newer library.
    file = resources.files("sigstore") / "_store" / quote(_INSTANCE, safe="") / "trusted_root.json"
    if not file.is_file():
        msg = "the library sigstore that is installed has no trusted root where others have it"
        raise MissingToolError(msg, hint="Name one with --trusted-root.")
    with resources.as_file(file) as path:
        return _root(path)


def _root(path: Path) -> TrustedRoot:
    from sigstore.models import TrustedRoot  # noqa: PLC0415 - import cost

    with filesystem.explained("read", path):
        try:
            return TrustedRoot.from_file(str(path))
        except OSError:
            raise
        except Exception as error:  # as in BundleVerifier
            raise _no_root(path, error) from error


def _no_root(path: Path | None, error: Exception) -> UsageError:
    msg = f"{path or 'what the library has'} is no trusted root ({_words(error)})"
    return UsageError(msg, hint="--trusted-root takes a trusted_root.json of a Sigstore instance.")


def _unproven(error: Exception) -> UnprovenError:
    return UnprovenError(_words(error))


def _words(error: Exception) -> str:
    """Return the first line of what a library says, and of what kind that is where it says nothing."""
    text = str(error).strip().splitlines()
    return f"{text[0][:300]}" if text else type(error).__name__
