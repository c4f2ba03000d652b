"""Wheels (the binary distribution format: PEP 427, with the names of PEP 625 and the tags of PEP 425).

The archive holds the package's files by their path, then the ``.dist-info`` folder with ``RECORD`` as the last file, as
PEP 427 recommends: an installer that reads from the end finds the metadata together.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.archive import Member, RawMember, write_archive
from pypackpack.middleware.bundle.paths import tell_case, windows_problem_with
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.tags import WheelTag

_TAG = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Packed:
    """A file that is compressed already: the hex SHA-256 of its uncompressed bytes, and it as it stands in an archive."""

    sha256: str
    raw: RawMember


@dataclass(frozen=True)
class WheelMember:
    """A file of a wheel.

    Attributes:
        path: Where it is installed, relative to site-packages, with ``/``.
        data: Its bytes, or its bytes compressed; or a file that is read, or a function that is called, when its turn comes, so
            that one member at a time is in memory.
        executable: Whether it is installed as a program.
    """

    path: str
    data: bytes | Path | Packed | Callable[[], bytes | Packed]
    executable: bool = False


@dataclass(frozen=True)
class WheelFile:
    """A wheel on disk.

    Attributes:
        path: Where it is.
        sha256: The hex SHA-256 of the file.
        size: Its bytes.
        packed: The members that came compressed, without their bytes, each with where these begin in the file.
    """

    path: Path
    sha256: str
    size: int
    packed: tuple[tuple[Packed, int], ...] = ()


def write_wheel(
    folder: Path,
    *,
    core: CoreFiles,
    tags: WheelTag,
    pure: bool,
    members: Iterable[WheelMember],
    info: Iterable[tuple[str, bytes]] = (),
    epoch: int | None = None,
    durable: bool = True,
) -> WheelFile:
    """Write a wheel into a folder, under the name that its contents demand.

    The same arguments give the same bytes, in whatever order the members come. A wheel of the same name is replaced
    in one step, so two builds at once leave one of the two, whole.

    Args:
        folder: Made if needed.
        core: The core metadata.
        tags: What may install it.
        pure: It goes to site-packages' "purelib": no extension module is inside.
        members: The package's files.
        info: Further files of the ``.dist-info`` folder: name and bytes.
        epoch: The date of every member, in seconds since 1970; None means ``SOURCE_DATE_EPOCH``, else a fixed date.
        durable: Whether to wait for the disk; not for what only goes into the store.

    Raises:
        WorkError: A member's path cannot stand in a wheel of these tags, or two of them are one on some system.
        FilesystemError: A member cannot be read, or the wheel cannot be written.
    """
    ordered = sorted(members, key=lambda member: member.path)
    name = f"{core.escaped_name}-{core.escaped_version}-{tags}.whl"
    _check(name, core, tags, ordered)
    path = folder / name
    seen: list[Packed] = []
    with filesystem.atomic_stream(path, durable=durable) as stream:
        counting = _Counting(stream)
        begins = write_archive(
            counting,  # type: ignore[arg-type] # only written to
            _with_dist_info(core, tags, ordered, info, seen, pure=pure),
            epoch=filesystem.source_date_epoch() if epoch is None else epoch,
            place=name,
            ignore_case=not tell_case(tags.platforms),
        )
    return WheelFile(path, counting.digest.hexdigest(), counting.size, tuple((each, begins[each.raw.path]) for each in seen))


class _Counting:
    """Hashes and counts what goes through, so that the wheel need not be read again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._stream.write(data)


def _check(name: str, core: CoreFiles, tags: WheelTag, members: list[WheelMember]) -> None:
    for part in (tags.python, tags.abi, *tags.platforms):
        if not _TAG.fullmatch(part):
            msg = f"{part!r} cannot be part of a wheel's tag"
            raise WorkError(msg)
    windows = any(platform.startswith("win") for platform in tags.platforms)
    for member in members:
        if member.path.partition("/")[0].endswith(".dist-info"):
            msg = f"{name}: {member.path!r} lies in a .dist-info folder, which pypackpack writes itself"
            raise WorkError(msg, hint=f"Move the file out of the sources of {core.name}.")
        if windows and (problem := windows_problem_with(member.path)):
            msg = f"{name}: {member.path!r} {problem}"
            raise WorkError(msg, hint="Rename the file, or keep it out of this target with an overlay folder of another family.")


def _with_dist_info(
    core: CoreFiles,
    tags: WheelTag,
    members: list[WheelMember],
    info: Iterable[tuple[str, bytes]],
    seen: list[Packed],
    *,
    pure: bool,
) -> Iterator[Member | RawMember]:
    """Yield the members and the ``.dist-info`` files, RECORD last; ``seen`` gets what came compressed, without its bytes."""
    wheel = f"Wheel-Version: 1.0\nGenerator: pypackpack {__version__}\nRoot-Is-Purelib: {'true' if pure else 'false'}\n"
    wheel += "".join(f"Tag: {tag}\n" for tag in tags.single())
    folder = core.dist_info
    own = sorted([*core.files(), *info, ("WHEEL", wheel.encode())])
    yield from _recorded(folder, [*members, *(WheelMember(f"{folder}/{path}", data) for path, data in own)], seen)


def write_members(path: Path, info: str, members: Iterable[WheelMember]) -> WheelFile:
    """Write a wheel of a distribution that has its metadata already; only ``RECORD`` is added.

    Args:
        path: The wheel; its name is the caller's to know.
        info: The metadata folder, whose files come last.
        members: All files but ``RECORD``.

    Raises:
        WorkError: A path cannot stand in a wheel, or two of them are one on some system.
        FilesystemError: A member cannot be read, or the wheel cannot be written.
    """
    ordered = sorted(members, key=lambda member: (member.path.startswith(f"{info}/"), member.path))
    with filesystem.atomic_stream(path, durable=False) as stream:
        counting = _Counting(stream)
        write_archive(
            counting,  # type: ignore[arg-type] # only written to
            _recorded(info, ordered, []),
            epoch=filesystem.source_date_epoch(),
            place=path.name,
            ignore_case=not tell_case(path.stem.rpartition("-")[2].split(".")),
        )
    return WheelFile(path, counting.digest.hexdigest(), counting.size)


def _recorded(folder: str, members: Iterable[WheelMember], seen: list[Packed]) -> Iterator[Member | RawMember]:
    """Yield members, and the ``RECORD`` of them in the end."""
    rows: list[tuple[str, str, str]] = []
    for member in members:
        data = _content(member)
        if isinstance(data, Packed):
            rows.append((member.path, record_hash(bytes.fromhex(data.sha256)), str(data.raw.size)))
            raw, path = data.raw, member.path
            # Written out: `dataclasses.replace` takes three times as long, and one changed module comes by all others.
            seen.append(Packed(data.sha256, RawMember(path, raw.method, raw.crc32, raw.size, raw.compressed_size, b"")))
            yield RawMember(path, raw.method, raw.crc32, raw.size, raw.compressed_size, raw.data, member.executable)
            continue
        rows.append((member.path, record_hash(hashlib.sha256(data).digest()), str(len(data))))
        yield Member(member.path, data, executable=member.executable)
    place = f"{folder}/RECORD"
    yield Member(place, record([*rows, (place, "", "")]))


def _content(member: WheelMember) -> bytes | Packed:
    if isinstance(member.data, (bytes, Packed)):
        return member.data
    return member.data() if callable(member.data) else filesystem.read_bytes(member.data)


def record_hash(digest: bytes) -> str:
    """Return a SHA-256 digest as ``RECORD`` has it."""
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def record(rows: Iterable[tuple[str, str, str]]) -> bytes:
    """Return the bytes of a ``RECORD``: path, hash and size, in the order given."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
