"""Reads ``.resource`` archives where they lie: nothing is unpacked onto the disk.

Standard library only; runs inside people's apps.

::

    with open_resource("billing-1.4.0-any.resource") as resource:
        root = resource.files()                      # as importlib.resources.files("billing")
        text = (root / "letters" / "head.txt").read_text()
        with root.joinpath("prices.db").open("rb") as stream:
            stream.seek(4096)

An open archive may be used by any number of threads. Every byte that is read was compared with its digest; with the
``identity`` that somebody trusted has told, nobody can have put others there.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.client.resource_format import (
    DamagedResourceError,
    Entry,
    Index,
    ResourceError,
    UnsupportedResourceError,
    parse_head,
    read_head,
    unpack,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO

    from typing_extensions import Self

    from pypackpack.client.resource_format import Chunk

__all__ = [
    "DamagedResourceError",
    "Entry",
    "Index",
    "Resource",
    "ResourceError",
    "ResourceFile",
    "ResourcePath",
    "UnsupportedResourceError",
    "open_resource",
    "parse_head",
]

HELD: Final = 4 << 20
"""Bytes of unpacked chunks that an open archive keeps, unless said."""
_BUFFER: Final = 1 << 16


def open_resource(place: str | os.PathLike[str], *, identity: str | None = None, held: int = HELD) -> Resource:
    """Open an archive.

    Args:
        place: Its file.
        identity: The identity that it has to have, in hexadecimal; None for any.
        held: Bytes of unpacked chunks to keep for the next reads; besides, each thread that reads has one chunk (1 MiB at most).

    Raises:
        ResourceError: It is damaged, or another one, or for a newer reader.
        OSError: It cannot be read.
    """
    stream = Path(place).open("rb")  # noqa: SIM115 - the archive closes it
    try:
        return Resource(stream, identity=identity, held=held)
    except BaseException:
        stream.close()
        raise


class Resource:
    """An open archive.

    Attributes:
        index: What is in it.
    """

    def __init__(self, stream: BinaryIO, *, identity: str | None = None, held: int = HELD) -> None:
        """Read the head of an archive.

        Args:
            stream: Its file, which is closed with it.
            identity: As with `open_resource`.
            held: As with `open_resource`.

        Raises:
            ResourceError: As `open_resource`.
            OSError: It cannot be read.
        """
        self.index, self.head = read_head(stream, identity)
        self._stream = stream
        self._reading = threading.Lock()
        self._held = held
        self._keeping = threading.Lock()
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._folders: dict[str, dict[str, bool]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Entry]:
        """Yield the files, by path."""
        return iter(sorted(self.index.entries.values()))

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.index.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.index.entries

    def close(self) -> None:
        """Close the file; what was opened of it cannot be read any more."""
        with self._reading:
            self._stream.close()
        with self._keeping:
            self._kept.clear()
            self._kept_bytes = 0

    def files(self) -> ResourcePath:
        """Return the folder of everything, as ``importlib.resources.files`` does for a package (a ``Traversable``)."""
        return ResourcePath(self, "")

    def entry(self, path: str) -> Entry:
        """Return a file by its path.

        Raises:
            FileNotFoundError: There is none of that path.
        """
        try:
            return self.index.entries[path]
        except KeyError:
            raise FileNotFoundError(2, "no such file in the archive", path) from None

    def open(self, path: str) -> ResourceFile:
        """Open a file, unbuffered; each has a position of its own.

        Raises:
            FileNotFoundError: There is none of that path.
        """
        return ResourceFile(self, self.entry(path))

    def read(self, path: str, offset: int = 0, count: int = -1) -> bytes:
        """Return bytes of a file; by default all of them.

        Args:
            path: The file.
            offset: Where to begin.
            count: How many at most; negative: all that follow.

        Raises:
            FileNotFoundError: There is none of that path.
            DamagedResourceError: The archive is damaged.
            OSError: It cannot be read.
        """
        entry = self.entry(path)
        left = max(0, entry.size - max(offset, 0))
        out = bytearray(left if count < 0 else min(count, left))
        self.read_into(entry, max(offset, 0), memoryview(out))
        return bytes(out)

    def read_into(self, entry: Entry, offset: int, out: memoryview) -> int:
        """Fill a buffer with a file's bytes from an offset on, and return how many there were (errors as `read`)."""
        count = max(0, min(len(out), entry.size - offset))
        done = 0
        if count:
            number, skip = self.index.at(entry.offset + offset)
        while done < count:
            data = self._chunk(number)
            part = memoryview(data)[skip : skip + count - done]
            out[done : done + len(part)] = part
            done += len(part)
            number, skip = number + 1, 0
        return done

    def verify(self) -> None:
        """Read all of it, and compare every file with its digest, too.

        Raises:
            DamagedResourceError: One is not what it should be.
            OSError: It cannot be read.
        """
        seen: set[str] = set()
        buffer = memoryview(bytearray(1 << 20))
        for entry in sorted(self.index.entries.values(), key=lambda each: each.offset):
            if entry.sha256 in seen:
                continue
            seen.add(entry.sha256)
            digest, offset = hashlib.sha256(), 0
            while count := self.read_into(entry, offset, buffer):
                digest.update(buffer[:count])
                offset += count
            if digest.hexdigest() != entry.sha256:
                msg = f"{entry.path} is not what its digest says"
                raise DamagedResourceError(msg)

    def packed(self, chunk: Chunk) -> bytes:
        """Return the bytes of a chunk as they stand in the file, unchecked.

        Raises:
            DamagedResourceError: The file has become shorter.
            OSError: It cannot be read.
        """
        with self._reading:
            self._stream.seek(chunk.place)
            data = self._stream.read(chunk.packed)
        if len(data) != chunk.packed:
            raise DamagedResourceError("the archive has become shorter since it was opened")
        return data

    def _chunk(self, number: int) -> bytes:
        """Return the bytes of a chunk, and keep them for a while: who reads small pieces in a row unpacks each once."""
        chunk = self.index.chunk(number)
        with self._keeping:
            data = self._kept.get(chunk.place)
            if data is not None:
                self._kept.move_to_end(chunk.place)
        if data is not None:
            if self._stream.closed:
                raise ValueError("the archive is closed")
            return data
        data = unpack(self.packed(chunk), chunk)  # outside of the locks: threads do this side by side
        with self._keeping:
            if chunk.place not in self._kept:
                self._kept[chunk.place] = data
                self._kept_bytes += len(data)
            while self._kept_bytes > self._held:
                _, old = self._kept.popitem(last=False)
                self._kept_bytes -= len(old)
        return data

    def below(self, folder: str) -> dict[str, bool] | None:
        """Return the names in a folder and whether each is a file; None where there is no such folder."""
        if self._folders is None:
            folders: dict[str, dict[str, bool]] = {"": {}}
            for path in self.index.entries:
                above, _, name = path.rpartition("/")
                is_file = True
                while folders.setdefault(above, {}).setdefault(name, is_file) is is_file and above:
                    is_file = False
                    above, _, name = above.rpartition("/")
            self._folders = folders  # two threads make the same
        return self._folders.get(folder)


class ResourceFile(io.RawIOBase):
    """A file of an archive, opened for reading bytes."""

    def __init__(self, resource: Resource, entry: Entry) -> None:
        super().__init__()
        self._resource = resource
        self._entry = entry
        self._position = 0

    @property
    def name(self) -> str:
        """Its path in the archive."""
        return self._entry.path

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position, as `io.IOBase.seek`."""
        base = {0: 0, 1: self._position, 2: self._entry.size}.get(whence)
        if base is None or base + offset < 0:
            msg = f"there is no position {offset} from {whence}"
            raise ValueError(msg)
        self._position = base + offset
        return self._position

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer, as `io.RawIOBase.readinto`."""
        if self.closed:
            raise ValueError("the file is closed")
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        count = self._resource.read_into(self._entry, self._position, view)
        self._position += count
        return count

    def readall(self) -> bytes:
        """Return all that follows."""
        if self.closed:
            raise ValueError("the file is closed")
        data = self._resource.read(self._entry.path, self._position)
        self._position += len(data)
        return data


class ResourcePath:
    """A file or folder of an archive, with the methods of `importlib.resources.abc.Traversable`."""

    def __init__(self, resource: Resource, path: str) -> None:
        self._resource = resource
        self._path = path

    def __repr__(self) -> str:
        return f"ResourcePath({self.name!r} of {self._resource.index.manifest.package}: {self._path!r})"

    def __str__(self) -> str:
        return self._path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourcePath) and (other._resource, other._path) == (self._resource, self._path)

    def __hash__(self) -> int:
        return hash((id(self._resource), self._path))

    @property
    def name(self) -> str:
        """The last part of its path; of the uppermost folder, the package."""
        return self._path.rpartition("/")[2] or self._resource.index.manifest.package

    def is_file(self) -> bool:
        """Tell whether it is a file."""
        return self._path in self._resource

    def is_dir(self) -> bool:
        """Tell whether it is a folder."""
        return self._resource.below(self._path) is not None

    def iterdir(self) -> Iterator[ResourcePath]:
        """Yield what lies in the folder, by name.

        Raises:
            NotADirectoryError: It is a file.
            FileNotFoundError: It is not there.
        """
        names = self._resource.below(self._path)
        if names is None:
            if self.is_file():
                raise NotADirectoryError(20, "not a folder", self._path)
            raise FileNotFoundError(2, "no such folder in the archive", self._path)
        return (self.joinpath(name) for name in sorted(names))

    def joinpath(self, *parts: str) -> ResourcePath:
        """Return what lies below it; it need not be there. ``..`` leads nowhere."""
        words = [word for part in parts for word in str(part).split("/") if word not in ("", ".")]
        return ResourcePath(self._resource, "/".join([*filter(None, [self._path]), *words]))

    def __truediv__(self, part: str) -> ResourcePath:
        return self.joinpath(part)

    def open(
        self, mode: str = "r", *, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> io.BufferedReader | io.TextIOWrapper:
        """Open the file: ``rb`` for bytes, ``r`` for text, which is UTF-8 unless said.

        Raises:
            FileNotFoundError: It is not there.
            IsADirectoryError: It is a folder.
            ValueError: Another mode.
        """
        if mode not in ("r", "rt", "rb"):
            msg = f"an archive is for reading, and {mode!r} is neither 'r' nor 'rb'"
            raise ValueError(msg)
        if not self.is_file() and self.is_dir():
            raise IsADirectoryError(21, "is a folder", self._path)
        stream = io.BufferedReader(self._resource.open(self._path), _BUFFER)
        if mode == "rb":
            return stream  # type: ignore[return-value] # the type of what is below it is nobody's business
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    def read_bytes(self) -> bytes:
        """Return the file's bytes (errors as `open`)."""
        if not self.is_file() and self.is_dir():
            raise IsADirectoryError(21, "is a folder", self._path)
        return self._resource.read(self._path)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the file's text, which is UTF-8 unless said (errors as `open`)."""
        with self.open("r", encoding=encoding, errors=errors) as stream:
            text: str = stream.read()  # type: ignore[assignment]
        return text
