"""The one door to HTTP: a file by its url, checked by its digest, taken up where a transfer broke off, tried again.

Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY`` …), certificates those of the system or of ``SSL_CERT_FILE``.
What needs an index's own protocol (names, versions) is resolved through uv; here are files whose url and digest a lock gives, and
the list of a project's files, which says what is there before something is uploaded.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from pypackpack.backend import filesystem, process
from pypackpack.backend.urls import urlsplit
from pypackpack.model.errors import PackageIndexError, WorkError

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 4
TIMEOUT = 30.0
_CHUNK = 1 << 18
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0
_CUT = "the connection was closed in the middle"
_Answer = TypeVar("_Answer")


class _BrokenError(Exception):
    """A transfer that may work when it is tried again."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def fetch(
    url: str,
    into: Path,
    *,
    sha256: str,
    partial: Path,
    authorization: str = "",
    most: int | None = None,
    progress: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch a file; it appears whole and checked, or not at all.

    Args:
        url: ``https:``, ``http:`` or ``file:``.
        into: Where it is to stand; made or replaced.
        sha256: Its digest (hex).
        partial: Where what has come so far lies; it stays after a failure, and the next call goes on from there.
        authorization: The ``Authorization`` header, for this server only: it does not go along with a redirect.
        most: The size in bytes, where it is known; more is refused.
        progress: Told of the number of bytes that have come, may be called often.
        pause: Waits for some seconds between two tries.

    Raises:
        PackageIndexError: The server is out of reach or says no.
        WorkError: What came is not what was expected.
        KeyboardInterrupt: The person interrupted us.
    """
    for number in range(TRIES):
        try:
            _transfer(url, partial, authorization, most, progress)
            break
        except _BrokenError as error:
            if number == TRIES - 1:
                msg = f"{into.name} cannot be fetched from {_server(url)}: {error}"
                hint = "Run the same command again: it goes on where it stopped."
                raise PackageIndexError(msg, hint=hint) from error
            pause(min(max(error.wait, 0.5 * 2**number), _LONGEST_WAIT))
    found = filesystem.sha256_file(partial)
    if found != sha256:
        filesystem.remove_tree(partial)
        msg = f"{into.name} from {_server(url)} is not what the lock says: expected sha256 {sha256}, found {found}"
        raise WorkError(msg, hint="Nothing was kept of it. Run the same command again; if it stays so, ask who runs that index.")
    with filesystem.explained("write", into):
        into.parent.mkdir(parents=True, exist_ok=True)
        filesystem.replace(partial, into)


def read(
    url: str, *, accept: str, authorization: str = "", most: int, pause: Callable[[float], None] = time.sleep
) -> tuple[bytes, str] | None:
    """Return what a url has, and its ``Content-Type``; None when the server says that there is no such thing.

    Args:
        url: ``https:`` or ``http:``.
        accept: The ``Accept`` header.
        authorization: The ``Authorization`` header, for this server only: it does not go along with a redirect.
        most: Bytes that it may have; more is refused.
        pause: Waits for some seconds before the second try.

    Raises:
        PackageIndexError: The server is out of reach, too slow, says no, or sends too much.
    """
    try:
        return _in_time(partial(_read, url, accept, authorization, most))
    except _BrokenError as error:
        pause(min(max(error.wait, 1.0), _LONGEST_WAIT))
    try:
        return _in_time(partial(_read, url, accept, authorization, most))
    except _BrokenError as error:
        msg = f"{_place(url)} is out of reach: {error}"
        raise PackageIndexError(msg, hint="Look whether the url is right, and try again later.") from error


def _read(url: str, accept: str, authorization: str, most: int) -> tuple[bytes, str] | None:
    """Ask once; a server that does not have it gives None."""
    headers = {"User-Agent": "pypackpack", "Accept": accept, "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the caller has looked at the scheme
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    try:
        with _open(request) as answer:
            return _whole(answer, url, most), str(answer.headers.get("Content-Type") or "")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (http.client.NOT_FOUND, http.client.GONE):
            return None
        said = f"{error.code} {error.reason}"
        if error.code in _AGAIN:
            wait = error.headers.get("Retry-After", "") if error.headers else ""
            raise _BrokenError(said, float(wait) if wait.isdigit() else 0.0) from error
        denied = error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN)
        msg = f"{_place(url)} does not let us in ({said})" if denied else f"{_place(url)} says no ({said})"
        raise PackageIndexError(msg) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        why = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
        raise _BrokenError(_slow() if isinstance(reason, TimeoutError) else why) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes where a server sends us, but never from where nobody can listen or write in to where anybody can."""

    def redirect_request(  # the signature is urllib's
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        allowed = ("https",) if req.type == "https" else ("https", "http")
        if urlsplit(newurl).scheme.lower() not in allowed:
            fp.close()
            text = f"{_place(req.full_url)} sends us to {_place(newurl)}, where the connection is not safe any more"
            raise PackageIndexError(text, hint="Ask who runs it; name a url that answers itself, or is https all the way.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(request: urllib.request.Request) -> http.client.HTTPResponse:
    """Ask, with the proxies of the environment; the answer is to be closed."""
    found: http.client.HTTPResponse = urllib.request.build_opener(_Redirects()).open(request, timeout=TIMEOUT)
    return found


def _in_time(ask: Callable[[], _Answer]) -> _Answer:
    """Ask a server, and give up when that takes too long as a whole.

    A socket's own limit is for each piece: a server that trickles, or sends headers without end, would never meet it. Nothing but
    the socket's owner can end that, so it goes on in a thread that ends with the process.
    """
    answers: list[_Answer] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=work, name="ask", daemon=True)
    thread.start()
    until = time.monotonic() + 2 * TIMEOUT
    while thread.is_alive():
        if process.stopping():
            raise KeyboardInterrupt
        if time.monotonic() > until:
            raise _BrokenError(_slow())
        thread.join(0.1)
    if errors:
        raise errors[0]
    return answers[0]


def _whole(answer: http.client.HTTPResponse, url: str, most: int) -> bytes:
    """Read an answer to its end."""
    parts, came = [], 0
    while chunk := answer.read1(_CHUNK):
        parts.append(chunk)
        came += len(chunk)
        if came > most:
            msg = f"{_place(url)} sends more than {most >> 20} MiB"
            raise PackageIndexError(msg, hint="Look whether it is the url of a package index.")
    expected = answer.headers.get("Content-Length") or ""
    if expected.isdigit() and came < int(expected):  # read1 does not say it; a part of a page would be taken for the whole
        raise _BrokenError(_CUT)
    return b"".join(parts)


def _slow() -> str:
    return f"it did not answer within {TIMEOUT:g} s"


def _place(url: str) -> str:
    """Return scheme, server and port: what tells one index from another."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _server(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname or parts.path


def _transfer(url: str, place: Path, authorization: str, most: int | None, progress: Callable[[int], None] | None) -> None:
    """Bring what is missing of a file to what is there."""
    with filesystem.explained("write", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        have = place.stat().st_size if place.exists() else 0
    if have and have == most:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "pypackpack", "Accept-Encoding": "identity"})  # noqa: S310 - a lock's
    if have:
        request.add_header("Range", f"bytes={have}-")
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    try:
        with _in_time(partial(_open, request)) as answer:
            # Who does not know of ranges sends the whole, and begins again.
            goes_on = getattr(answer, "status", None) == http.client.PARTIAL_CONTENT
            came = _copy(answer.read, place, have if goes_on else 0, most, progress)
            expected = answer.headers.get("Content-Length") or ""
            if expected.isdigit() and came < int(expected):
                raise _BrokenError(_CUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(error, url, place) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise _BrokenError(str(reason)) from error


def _refused(error: urllib.error.HTTPError, url: str, partial: Path) -> Exception:
    """Return the error for a server's no: one to try again, or the end."""
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        filesystem.remove_tree(partial)  # longer than the file is: not a part of it
        return _BrokenError("what was there before is no part of it")
    said = f"{error.code} {error.reason}"
    if error.code in _AGAIN:
        wait = error.headers.get("Retry-After", "") if error.headers else ""
        return _BrokenError(said, float(wait) if wait.isdigit() else 0.0)
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    if error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        msg = f"{_server(url)} does not let us have {name} ({said})"
        return PackageIndexError(
            msg, hint="Give the credentials of that index: netrc, keyring (UV_KEYRING_PROVIDER) or UV_INDEX_<NAME>_PASSWORD."
        )
    msg = f"{_server(url)} does not have {name} ({said})"
    return PackageIndexError(msg, hint="It may have been deleted there since it was locked: `sync --upgrade` locks anew.")


def _copy(
    read: Callable[[int], bytes], partial: Path, have: int, most: int | None, progress: Callable[[int], None] | None
) -> int:
    """Append what comes to the first ``have`` bytes of a file, and return how much came.

    Raises:
        OSError: The server broke off. What the disk refuses is a FilesystemError.
    """
    came = 0
    with filesystem.explained("write", partial):
        out = partial.open("ab" if have else "wb")
    with out:
        while True:
            if process.stopping():
                raise KeyboardInterrupt
            chunk = read(_CHUNK)
            if not chunk:
                return came
            came += len(chunk)
            if most is not None and have + came > most:
                msg = f"more came for {partial.stem} than the {most} bytes that the lock says"
                raise WorkError(msg, hint="Nothing was kept of it. Run the same command again.")
            with filesystem.explained("write", partial):
                out.write(chunk)
            if progress is not None:
                progress(len(chunk))


def netrc_login(host: str, *, by_name: bool = False) -> tuple[str, str] | None:
    """Return user and password for a server from the person's netrc (``NETRC`` names another file), or None.

    Args:
        host: The server.
        by_name: Only what is there for this very server: ``default`` would be sent to whatever server a project names.
    """
    import netrc  # noqa: PLC0415 - only where a server may want them

    named = os.environ.get("NETRC")
    files = [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]
    for path in files:
        try:
            known = netrc.netrc(path)
            found = known.authenticators(host) if host in known.hosts or not by_name else None
        except (OSError, netrc.NetrcParseError):
            continue
        if found is not None and found[2]:
            return found[0] or "", found[2]
    return None
