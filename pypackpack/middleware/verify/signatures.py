"""Who signed an artifact: attestations of Python's index (PEP 740) and Sigstore bundles beside it.

Both are statements or signatures with a certificate, and a proof that a public log has them. Whether they are good, the library
says (`pypackpack.backend.attestations`); here stands what they have to say: that they are about this file, and by whom.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.backend import attestations, filesystem
from pypackpack.client import strict_json
from pypackpack.model.errors import UsageError
from pypackpack.model.verification import Check, WantedSigner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pypackpack.backend.attestations import BundleVerifier
    from pypackpack.model.verification import SignatureQuestion, Signer

ATTESTATION: Final = ".publish.attestation"
"""What publishers upload beside a wheel (PEP 740)."""
PROVENANCE: Final = ".provenance"
"""What the index gives: all attestations of a file, with who its publishers are (PEP 740)."""
BUNDLE: Final = ".sigstore.json"
"""What ``sigstore sign`` and ``cosign sign-blob --bundle`` write beside any file."""

_MOST: Final = 4 << 20
"""Bytes of such a file; those of the index have about 10,000."""
_MOST_ATTESTATIONS: Final = 16
_MEDIA: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_IN_TOTO: Final = "https://in-toto.io/Statement/v1"
_PREDICATES: Final = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
"""What a statement may say of a file to stand for it: that it was published, or how it was built. Both are PyPI's."""
_ISSUERS: Final = {"github.com": "https://token.actions.githubusercontent.com", "gitlab.com": "https://gitlab.com"}
"""Hosts of repositories whose workflows have but one issuer."""
_BROKEN: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, binascii.Error, RecursionError)
_ADDRESS: Final = re.compile(r"https://(?P<host>[^/\s@]+)/\S+")


def wanted_signer(identity: str | None, issuer: str | None, repository: str | None) -> WantedSigner | None:
    """Return who should have signed; None where nothing was said about that.

    Args:
        identity: An address of mail or of a workflow, as it stands in the certificate.
        issuer: Who vouches for it; of workflows of GitHub and GitLab that is known.
        repository: The repository that the workflow belongs to.

    Raises:
        UsageError: That says too little to be believed, or is empty.
    """
    said = {"--cert-identity": identity, "--cert-oidc-issuer": issuer, "--repository": repository}
    if all(each is None for each in said.values()):
        return None
    if empty := [option for option, each in said.items() if each is not None and not each.strip()]:
        msg = f"{empty[0]} is empty"
        raise UsageError(msg, hint="Leave it out, and nobody in particular is asked for; an empty name is nobody.")
    if identity is None and repository is None:
        msg = "--cert-oidc-issuer alone is nobody: whoever has an account there could have signed"
        raise UsageError(msg, hint="Add --repository or --cert-identity.")
    place = repository.rstrip("/").removesuffix(".git") if repository else ""
    if place and not _ADDRESS.fullmatch(place):
        msg = f"{place[:200]!r} is no address of a repository"
        raise UsageError(msg, hint="It is like https://github.com/<owner>/<name>.")
    found = _ADDRESS.fullmatch(place or identity or "")
    issuer = issuer or (_ISSUERS.get(found["host"].lower()) if found else None)
    if issuer is None:
        msg = f"who vouches for {(place or identity or '')[:200]} is not known"
        raise UsageError(msg, hint="Add --cert-oidc-issuer, such as https://accounts.google.com or https://github.com/login/oauth.")
    return WantedSigner(identity or "", issuer, place)


def signature_checks(path: Path, digest: str, question: SignatureQuestion, *, distribution: bool) -> tuple[Check, ...]:
    """Return what stands beside an artifact about who signed it; nothing where nothing does and nobody asked.

    Args:
        path: The artifact.
        digest: Its SHA-256, in hexadecimal.
        question: What is asked.
        distribution: Whether it is a wheel: then it may have attestations of the index.

    Raises:
        MissingToolError: It is asked who signed, and the library that tells is not installed.
        UsageError: The trusted root is none.
        FilesystemError: A file cannot be read.
    """
    suffixes = (ATTESTATION, PROVENANCE, BUNDLE) if distribution else (BUNDLE,)
    places = _beside(path, suffixes)
    asked = question.wanted is not None or question.trusted_root is not None
    if not places:
        names = " or ".join(f"{path.name}{suffix}" for suffix in suffixes)
        return (Check("signature", "", (f"nothing tells who signed it: there is no {names}",)),) if asked else ()
    verifier = attestations.BundleVerifier(question.trusted_root) if asked or attestations.installed() else None
    return tuple(_check(place, path.name, digest, question.wanted, verifier) for place in places)


def attestation_checks(path: Path, digest: str) -> tuple[Check, ...]:
    """Return whether attestations that will go along with a wheel are about it; who signed them is the index's to ask.

    Args:
        path: The wheel.
        digest: Its SHA-256, in hexadecimal.

    Raises:
        FilesystemError: One cannot be read.
    """
    return tuple(_check(place, path.name, digest, None, None) for place in _beside(path, (ATTESTATION,)))


def _beside(path: Path, suffixes: Sequence[str]) -> list[Path]:
    return [place for suffix in suffixes if (place := path.with_name(f"{path.name}{suffix}")).is_file()]


def _check(place: Path, name: str, digest: str, wanted: WantedSigner | None, verifier: BundleVerifier | None) -> Check:
    with filesystem.explained("read", place), place.open("rb") as stream:
        data = stream.read(_MOST + 1)
    try:
        found = tuple(_signatures(data, place.name.removeprefix(name)))
    except _BROKEN as error:
        return Check("signature", "", (f"{place.name} cannot be read: {_why(error)}",))
    judged = [_judged(each, name, digest, wanted, verifier) for each in found]
    if problems := [problem for each, _ in judged for problem in each]:
        return Check("signature", "", tuple(f"{place.name}: {each}" for each in dict.fromkeys(problems)))
    if verifier is None:
        todo = 'who signed it was not checked: `pip install "pypackpack[attestations]"` brings what does'
        about = "is for this file" if all(each.statement is not None for each in found) else "is there"
        return Check("signature", f"{place.name} {about}; {todo}")
    people = " and ".join(dict.fromkeys(_person(each) for _, each in judged if each is not None))
    end = "who should have is not known: name them with --repository or --cert-identity" if wanted is None else "as it should be"
    return Check("signature", f"{place.name} is for this file, signed by {people}; {end}")


def _judged(
    signature: _Signature, name: str, digest: str, wanted: WantedSigner | None, verifier: BundleVerifier | None
) -> tuple[list[str], Signer | None]:
    """Return what is wrong with a signature, and whose it is."""
    problems: list[str] = []
    signer = None
    try:
        if signature.statement is not None:
            problems += _about(signature.statement, name, digest, of_index=signature.of_index)
        if verifier is not None:
            signer = _verified(signature, digest, wanted, verifier)
    except attestations.UnprovenError as error:
        problems.append(f"its signature proves nothing: {error}")
    except attestations.OtherSignerError as error:
        problems.append(f"it was signed by {_person(error.signer)}, and not by {_wanted(wanted)}")
    except _BROKEN as error:
        problems.append(f"it cannot be read: {_why(error)}")
    return problems, signer


def _why(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)[:200] or type(error).__name__


@dataclass(frozen=True)
class _Signature:
    """One signature.

    Attributes:
        bundle: The Sigstore bundle with it.
        statement: What was signed, if that is not the file itself.
        of_index: Whether it is an attestation of the index, whose rules are narrower.
    """

    bundle: bytes
    statement: bytes | None
    of_index: bool


def _signatures(data: bytes, suffix: str) -> Iterator[_Signature]:
    if len(data) > _MOST:
        msg = f"it has more than {_MOST} bytes"
        raise ValueError(msg)
    content = _table(strict_json.load(data))
    if suffix == BUNDLE:
        statement = base64.b64decode(_text(_table(content["dsseEnvelope"])["payload"])) if "dsseEnvelope" in content else None
        yield _Signature(data, statement, of_index=False)
        return
    every = [content]
    if suffix == PROVENANCE:
        groups = [_table(each) for each in strict_json.array(content["attestation_bundles"])]
        every = [_table(each) for group in groups for each in strict_json.array(group["attestations"])]
    if not 0 < len(every) <= _MOST_ATTESTATIONS:
        msg = f"it has {len(every)} attestations"
        raise ValueError(msg)
    for each in every:
        if each["version"] != 1:
            msg = f"it is of version {str(each['version'])[:20]}, and 1 is what there is"
            raise ValueError(msg)
        material, envelope = _table(each["verification_material"]), _table(each["envelope"])
        # The same in the form that the library reads (PEP 740 says which field is which).
        bundle = {
            "mediaType": _MEDIA,
            "verificationMaterial": {
                "certificate": {"rawBytes": material["certificate"]},
                "tlogEntries": material["transparency_entries"],
            },
            "dsseEnvelope": {
                "payload": envelope["statement"],
                "payloadType": attestations.STATEMENT,
                "signatures": [{"sig": envelope["signature"]}],
            },
        }
        yield _Signature(json.dumps(bundle).encode(), base64.b64decode(_text(envelope["statement"])), of_index=True)


def _about(data: bytes, name: str, digest: str, *, of_index: bool) -> Iterator[str]:
    """Yield what keeps a statement from being about this file."""
    statement = _table(strict_json.load(data))
    if statement["_type"] != _IN_TOTO:
        yield f"it is no statement of the form {_IN_TOTO}"
        return
    if statement["predicateType"] not in _PREDICATES:
        yield f"it says neither that the file was published nor how it was built, but {str(statement['predicateType'])[:200]}"
    subjects = [_table(each) for each in strict_json.array(statement["subject"])]
    if of_index and len(subjects) != 1:
        yield f"it is about {len(subjects)} files, and not one"
        return
    digests = {_text(_table(each["digest"])["sha256"]): each for each in subjects}
    if digest not in digests:
        names = ", ".join(str(each.get("name"))[:100] for each in subjects[:3]) or "no file"
        yield f"it is for {names} with the SHA-256 {', '.join(each[:64] for each in list(digests)[:3])}, and not for this file"
    elif of_index and not _same_name(_text(digests[digest]["name"]), name):
        yield f"it is for a file called {str(digests[digest]['name'])[:200]}"


def _same_name(one: str, other: str) -> bool:
    """Tell whether two file names of wheels mean the same: the index compares what is in them."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - import cost

    try:
        return parse_wheel_filename(one) == parse_wheel_filename(other)
    except InvalidWheelFilename:
        return one == other


def _verified(signature: _Signature, digest: str, wanted: WantedSigner | None, verifier: BundleVerifier) -> Signer:
    if signature.statement is None:
        return verifier.file(signature.bundle, digest, wanted)
    signer, payload = verifier.statement(signature.bundle, wanted)
    if payload != signature.statement:
        msg = "what was signed is another statement"
        raise attestations.UnprovenError(msg)
    return signer


def _person(signer: Signer) -> str:
    of = f" of {signer.repository}" if signer.repository and not signer.identity.startswith(f"{signer.repository}/") else ""
    return f"{signer.identity[:300]}{of[:300]} on {signer.date}, by the word of {signer.issuer[:200] or 'nobody'}"


def _wanted(wanted: WantedSigner | None) -> str:
    if wanted is None:
        return "anybody"
    of = f"a workflow of {wanted.repository}" if wanted.repository else ""
    return f"{' and '.join(each for each in (wanted.identity, of) if each)}, by the word of {wanted.issuer}"


def _table(data: object) -> Mapping[str, object]:
    if not isinstance(data, dict):
        msg = "there is no table where one should be"
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is the file, not a call
    return data


def _text(data: object) -> str:
    if not isinstance(data, str):
        msg = "there is no text where one should be"
        raise ValueError(msg)  # noqa: TRY004 - as above
    return data
