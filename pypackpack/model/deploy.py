"""What a deployment is asked for and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RUN = "run here"
TO_RUN = "to be run here"
NOT_RUN = "built, not run"

UPLOAD = "to upload"
UPLOADED = "uploaded"
THERE = "already there"


@dataclass(frozen=True)
class DeployRequest:
    """The words of ``pypackpack deploy <package> source``, checked but not yet resolved.

    Attributes:
        start: Folder to look for the project from.
        package: Package name as typed.
        to: Where to, as typed: ``pypi``, ``testpypi``, the url of an index, or a service.
        bundle: Which form of the package.
        level: The level whose wheels are meant; empty where there is only one.
        targets: Target words as typed; empty means all of the package.
        check_url: Where the index lists its files, when that does not follow from ``to``.
        dry_run: Whether to stop before anything is sent.
        allow_unverified: Whether wheels go too that this machine cannot run.
        jobs: Most uploads at one time.
    """

    start: Path
    package: str
    to: str
    bundle: str = "single"
    level: str = ""
    targets: tuple[str, ...] = ()
    check_url: str = ""
    dry_run: bool = False
    allow_unverified: bool = False
    jobs: int | None = None


@dataclass(frozen=True)
class Release:
    """A release wheel that may go to an index.

    Attributes:
        path: The file.
        name: The distribution's name in its metadata.
        version: Its version, as the metadata have it.
        python: The Python tag of its name, ``cp313`` or ``py3``.
        abi: The ABI tag.
        platforms: The platform tags.
        size: Bytes.
        sha256: Digest of the file.
    """

    path: Path
    name: str
    version: str
    python: str
    abi: str
    platforms: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True)
class Releases:
    """The release wheels of one level of a package.

    Attributes:
        wheels: Those that may go.
        left_out: File names of wheels of the same version that are not current, each with the reason.
    """

    wheels: tuple[Release, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DeployedFile:
    """What became of one file.

    Attributes:
        path: The file.
        size: Bytes.
        sha256: Its digest.
        state: ``to upload``, ``uploaded`` or ``already there``.
        run: ``run here`` (with ``dry_run``: ``to be run here``) or ``built, not run``; empty when
            nothing had to be sent.
        verified: Whether it was found to be what it says: whatever is to be sent.
    """

    path: Path
    size: int
    sha256: str
    state: str
    run: str = ""
    verified: bool = False


@dataclass(frozen=True)
class DeployResult:
    """What a deployment did, or would do.

    Attributes:
        package: The distribution's name.
        version: Its version.
        to: The url that files are sent to.
        index: The url that an installer reads.
        dry_run: Whether nothing was sent on purpose.
        files: What became of each file.
        left_out: File names of wheels that are not current, each with the reason.
    """

    package: str
    version: str
    to: str
    index: str
    dry_run: bool
    files: tuple[DeployedFile, ...]
    left_out: tuple[tuple[str, str], ...] = ()
