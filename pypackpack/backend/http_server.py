"""One HTTP server that is asked often and must never cost more time than it was given: what the remote cache speaks through.

Connections are kept alive and shared by threads. Every exchange has an end in time that holds for all of it, looking up the
name, connecting, sending and receiving, however slowly the bytes drip; and a number of bytes after which nothing more is read.
Redirects are not followed, cookies not kept. Proxies and certificates are those of `network`.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import queue
import socket
import ssl
import threading
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pypackpack.backend import network, process
from pypackpack.backend.urls import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from typing_extensions import Buffer

CONNECT_SECONDS = 2.0
_PIECE = 1 << 16
_LOOK_UP_SECONDS = 0.5
"""How often whoever waits looks whether it still should."""
_KEPT = 32
"""So many idle connections are kept."""


class UnansweredError(Exception):
    """There was no answer that could be used; the message says why in a few words."""


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        status: The number of HTTP.
        body: What came with it; empty where somebody else read it.
        length: What it says the body's length is; None when it does not.
        location: Where it would like us to go.
    """

    status: int
    body: bytes = b""
    length: int | None = None
    location: str = ""


class Allowance:
    """The end of an exchange in time; whoever reads may move it when more turns out to be coming."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Allow more time."""
        self._end += seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: There are none.
            KeyboardInterrupt: The person interrupted us.
        """
        if process.stopping():
            raise KeyboardInterrupt
        left = self._end - time.monotonic()
        if left <= 0:
            msg = "it took too long"
            raise TimeoutError(msg)
        return left


class _Raw(io.RawIOBase):
    """Reads from a socket, each time with what is left of the allowance."""

    def __init__(self, bounded: _Bounded) -> None:
        self._bounded = bounded
        self._user = bounded.sock.makefile("rb", buffering=0)  # as long as it is open, so is the socket, whoever closes that

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        while True:
            self._bounded.sock.settimeout(min(self._bounded.allowance.left(), _LOOK_UP_SECONDS))
            with contextlib.suppress(TimeoutError):
                return self._bounded.sock.recv_into(buffer)

    def close(self) -> None:
        self._user.close()
        super().close()


class _Bounded:
    """A socket as `http.client` uses one, whose every step has what is left of an allowance."""

    def __init__(self, sock: socket.socket, allowance: Allowance) -> None:
        self.sock = sock
        self.allowance = allowance

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.sock.settimeout(self.allowance.left())
            view = view[self.sock.send(view[:_PIECE]) :]

    def makefile(self, _mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self))

    def close(self) -> None:
        self.sock.close()


class Server:
    """A server at an address, asked by any number of threads."""

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Take note of it; nothing is sent yet.

        Args:
            url: ``http:`` or ``https:``; paths of requests are below its path.
            headers: Sent with every request.
        """
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._base = parts.path.rstrip("/")
        self._headers = {"User-Agent": "pypackpack", "Accept-Encoding": "identity", **(headers or {})}
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue(_KEPT)
        self._proxy = self._find_proxy(parts.scheme)
        if self._proxy is not None and not self._secure and self._proxy[2]:
            self._headers["Proxy-Authorization"] = self._proxy[2]
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self.shown = parts.netloc.rpartition("@")[2]

    def _find_proxy(self, scheme: str) -> tuple[str, int, str] | None:
        """Return server and port of the proxy, and the header that it wants."""
        said = urllib.request.getproxies().get(scheme)
        if not said or urllib.request.proxy_bypass(f"{self._host}:{self._port}"):
            return None
        parts = urlsplit(said if "://" in said else f"http://{said}")
        login = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            login = "Basic " + base64.b64encode(pair.encode()).decode()
        return parts.hostname or "", parts.port or 80, login

    def ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        most: int = 0,
        body: Callable[[], Iterable[bytes]] | None = None,
        length: int = 0,
        kind: str = "application/octet-stream",
        take: Callable[[Callable[[int], bytes], Allowance], None] | None = None,
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            method: GET, HEAD, PUT or MKCOL.
            path: Below the server's address, without a slash at its beginning.
            seconds: How long all of it may take.
            most: Bytes of an answer that are read; a longer one is none.
            body: Gives the pieces of what is sent; called again where it has to be sent again.
            length: Bytes of all pieces.
            kind: Their media type.
            take: Reads the body of a 200 itself, by a function that returns so many bytes or fewer, none at the end.

        Raises:
            UnansweredError: No answer came, or none that could be used.
            KeyboardInterrupt: The person interrupted us.
        """
        allowance = Allowance(seconds)
        headers = dict(self._headers)
        if body is not None:
            headers |= {"Content-Length": str(length), "Content-Type": kind}
        try:
            while True:
                connection, fresh = self._connection(allowance)
                try:
                    return self._exchange(connection, method, path, headers, body, most, take, allowance)
                except (ConnectionError, http.client.BadStatusLine, ssl.SSLError):
                    connection.close()
                    if fresh:  # one that was kept may have been closed by the other side meanwhile; this one was not
                        raise
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError as error:
            msg = "it took too long"
            raise UnansweredError(msg) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            raise UnansweredError(str(reason)) from error

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Callable[[], Iterable[bytes]] | None,
        most: int,
        take: Callable[[Callable[[int], bytes], Allowance], None] | None,
        allowance: Allowance,
    ) -> Answer:
        place = f"{self._base}/{path}"
        if self._proxy is not None and not self._secure:
            place = f"http://{self.shown}{place}"
        connection.putrequest(method, place, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for piece in body() if body is not None else ():
                connection.send(piece)
        except ConnectionError:
            pass  # whoever does not want the body (too large, not allowed) says so and hangs up: the answer may be there
        with connection.getresponse() as response:
            data = b""
            if take is not None and response.status == http.client.OK:
                take(response.read, allowance)
            elif method != "HEAD":
                data = _read(response, most if response.status == http.client.OK else _PIECE)
            if response.length == 0:
                response.read()  # says that this was all, so that the connection can be used again
            whole = response.isclosed()
        if whole and connection.sock is not None:
            self._keep(connection)
        else:
            connection.close()
        return Answer(response.status, data, _length(response), response.headers.get("Location", ""))

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _connection(self, allowance: Allowance) -> tuple[http.client.HTTPConnection, bool]:
        """Return a connection, and whether it is a new one."""
        with contextlib.suppress(queue.Empty):
            kept = self._idle.get_nowait()
            cast("_Bounded", kept.sock).allowance = allowance
            return kept, False
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.default_port = 443 if self._secure else 80  # so that Host says the port only where it is another one
        connection.auto_open = 0
        connection.sock = self._open(allowance)  # has all that it uses of a socket
        return connection, True

    def _open(self, allowance: Allowance) -> _Bounded:
        host, port, login = self._proxy or (self._host, self._port, "")
        sock = _connected(host, port, min(CONNECT_SECONDS, allowance.left()))
        try:
            if self._secure:
                if self._proxy is not None:
                    _tunnel(_Bounded(sock, allowance), self._host, self._port, login)
                sock.settimeout(min(CONNECT_SECONDS, allowance.left()))
                sock = self._context().wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise
        return _Bounded(sock, allowance)

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls

    def close(self) -> None:
        """Close what is open and idle."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def _length(response: http.client.HTTPResponse) -> int | None:
    said = response.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdigit() else None


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    """Read a whole body.

    Raises:
        UnansweredError: It is longer than it may be, or ends before it should.
    """
    expected = response.length
    if expected is not None and expected > most:
        msg = "it sends more than it should"
        raise UnansweredError(msg)
    pieces: list[bytes] = []
    have = 0
    while piece := response.read(min(_PIECE, most + 1 - have)):
        pieces.append(piece)
        have += len(piece)
        if have > most:
            msg = "it sends more than it should"
            raise UnansweredError(msg)
    if expected is not None and have < expected:
        msg = "it hung up in the middle"
        raise UnansweredError(msg)
    return b"".join(pieces)


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to the first address of a name that takes us; all addresses share the time."""
    end = time.monotonic() + seconds
    addresses = _addresses(host, port, seconds)
    failure: OSError = TimeoutError("it took too long")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = (end - time.monotonic()) / (len(addresses) - number)
        if left <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _addresses(host: str, port: int, seconds: float) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """Look a name up, in a thread of its own: the system's function for it knows no limit of time."""
    found: queue.SimpleQueue[list[tuple[int, int, int, str, tuple[str, int]]] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            found.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look, daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        msg = "the name of the server could not be looked up in time"
        raise TimeoutError(msg) from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _tunnel(bounded: _Bounded, host: str, port: int, login: str) -> None:
    """Ask a proxy for a way to a server (RFC 9110, CONNECT)."""
    name = f"[{host}]" if ":" in host else host
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}", *([f"Proxy-Authorization: {login}"] if login else [])]
    bounded.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    with http.client.HTTPResponse(bounded, method="CONNECT") as response:  # type: ignore[arg-type]  # all that it uses of one
        response.begin()
        if response.status != http.client.OK:
            msg = f"the proxy says {response.status}"
            raise OSError(msg)


def login_for(url: str, *, token: str, user: str, password: str) -> tuple[str, str]:
    """Return the ``Authorization`` header for a server, and a sentence where what is there may not be sent.

    Args:
        url: The server's.
        token: A bearer token; wins.
        user: For basic authentication.
        password: The same; without both, the person's netrc is asked.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    pair = (user, password) if user or password else None
    if not token and pair is None:
        pair = network.netrc_login(host, by_name=True)
    if not token and pair is None:
        return "", ""
    if parts.scheme != "https" and host not in {"localhost", "127.0.0.1", "::1"}:
        return "", "who we are is not told to it, since its url is not https"
    if token:
        if not (token.isascii() and token.isprintable()):
            return "", "PYPACKPACK_CACHE_TOKEN has characters that no header may have"
        return f"Bearer {token}", ""
    return "Basic " + base64.b64encode(":".join(pair or ()).encode()).decode(), ""
