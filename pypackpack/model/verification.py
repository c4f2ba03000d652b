"""What looking at an artifact with suspicion gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What: ``archive``, ``manifest``, ``files``, ``record``, ``names``, ``modules``, ``libraries``, ``signature``,
            ``patch``, ``rebuild`` …
        found: What was seen, in a few words.
        problems: What is wrong, a sentence each; empty where all is as it should be.
    """

    name: str
    found: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signer:
    """Who signed something, as the certificate says that was made for it.

    Attributes:
        identity: An address of mail, or of a workflow.
        issuer: Whose word that is: the address of an OpenID Connect provider.
        repository: Of a workflow, the address of the repository that it ran for; else empty.
        date: The day, UTC.
    """

    identity: str
    issuer: str
    repository: str
    date: str


@dataclass(frozen=True)
class WantedSigner:
    """Who should have signed.

    Attributes:
        identity: As in `Signer`, to the letter; empty for any.
        issuer: As in `Signer`; never empty: identities are those of an issuer.
        repository: As in `Signer`; empty for any.
    """

    identity: str
    issuer: str
    repository: str


@dataclass(frozen=True)
class SignatureQuestion:
    """What is asked about signatures beside an artifact.

    Attributes:
        wanted: Who should have signed; None where that was not said.
        trusted_root: The file with what is believed; None for that of the public Sigstore.
    """

    wanted: WantedSigner | None = None
    trusted_root: Path | None = None


@dataclass(frozen=True)
class Verification:
    """What is known of an artifact that was verified.

    Attributes:
        path: The artifact.
        kind: ``wheel``, ``patch``, ``resource`` or ``binary``.
        size: Its bytes.
        sha256: SHA-256 of the file; of a binary, that of its manifest.
        checks: What was looked at, in order.
        notes: What a person should know of the answer.
    """

    path: Path
    kind: str
    size: int
    sha256: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong."""
        return tuple(problem for check in self.checks for problem in check.problems)
