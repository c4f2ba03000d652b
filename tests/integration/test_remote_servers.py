"""The remote cache against real servers, nginx and WsgiDAV, and against a socket that does everything wrong."""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import process
from pypackpack.backend.http_server import Server, UnansweredError
from pypackpack.backend.remote_cache import RemoteCache
from pypackpack.backend.signing import make_pair
from pypackpack.backend.store import Store
from pypackpack.backend.urls import urlsplit
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent
from pypackpack.model.cache import RemoteSettings
from tests.cache_servers import CacheServer, free_port, listening, nginx, request_of, wsgidav

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET, PUBLIC = make_pair()
DATA = os.urandom(300_000)
DIGEST = hashlib.sha256(DATA).hexdigest()
RESULT = ActionResult({"module": DIGEST}, {"file": "x.so"})
KEY, OTHER = "a" * 64, "b" * 64
TIMEOUT = 0.15


MACHINES: list[Machine] = []


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("PYPACKPACK_CACHE_KEY", SECRET)
    monkeypatch.setenv("PYPACKPACK_CACHE_HOST", "127.0.0.1")
    yield
    while MACHINES:
        MACHINES.pop().remote.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CacheServer]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CacheServer]:
    with wsgidav(tmp_path_factory.mktemp("wsgidav")) as server:
        yield server


class Machine:
    """A machine with a store, and what it says to its person."""

    def __init__(self, cache: Path, url: str, **settings: Any) -> None:  # noqa: ANN401 - of RemoteSettings
        self.watcher = Silent()
        os.environ["PYPACKPACK_CACHE_HOST"] = urlsplit(url).netloc  # `_alone` takes it back
        self.remote = RemoteCache(RemoteSettings(url, **{"trust": (PUBLIC,), "timeout": 5.0, **settings}), self.watcher)
        self.store = Store(cache, signers=self.remote.signers, far=self.remote)
        self.remote.attach(self.store)
        MACHINES.append(self)

    def make(self, key: str = KEY, result: ActionResult = RESULT, data: bytes = DATA) -> None:
        self.store.put(data)
        self.remote.offer(key, result)
        self.remote.finish()

    @property
    def notes(self) -> str:
        return "\n".join(self.watcher.notes)


def closed_later(server: Server) -> Server:
    MACHINES.append(SimpleNamespace(remote=server))  # type: ignore[arg-type]  # has a close
    return server


@pytest.mark.parametrize("protocol", ["cas", "gradle"])
@pytest.mark.parametrize("which", ["engine", "dav"])
def test_what_one_machine_makes_another_takes(request: pytest.FixtureRequest, tmp_path: Path, which: str, protocol: str) -> None:
    server: CacheServer = request.getfixturevalue(which)
    (server.files / protocol).mkdir()
    maker = Machine(tmp_path / "a", f"{server.url}/{protocol}", protocol=protocol, push=True)
    maker.make()
    assert maker.notes == f"uploaded 1 result to the remote cache {server.url}/{protocol}"
    taker = Machine(tmp_path / "b", f"{server.url}/{protocol}", protocol=protocol)
    assert taker.remote.lookup(OTHER) is None
    assert taker.remote.lookup(KEY) == RESULT
    assert taker.store.read(DIGEST) == DATA
    assert taker.notes == ""
    there = {
        file.relative_to(server.files / protocol).as_posix() for file in (server.files / protocol).rglob("*") if file.is_file()
    }
    assert there == ({KEY} if protocol == "gradle" else {f"ac/{KEY}", f"cas/{DIGEST}"})


def test_connections_are_kept(engine: CacheServer) -> None:
    server = closed_later(Server(engine.url))
    (engine.files / "kept").write_bytes(b"data")
    opened: list[object] = []
    original = server._open
    server._open = lambda allowance: opened.append(1) or original(allowance)  # type: ignore[method-assign, func-returns-value]
    for number in range(10):
        method, path = (("GET", "kept"), ("HEAD", "kept"), ("GET", "none"), ("PUT", "put"))[number % 4]
        answer = server.ask(method, path, seconds=5, most=10, body=(lambda: (b"x",)) if method == "PUT" else None, length=1)
        assert answer.status in {200, 201, 204, 404}
    assert len(opened) == 1


def test_too_large_is_no_failure_of_the_server(engine: CacheServer, tmp_path: Path) -> None:
    maker = Machine(tmp_path, f"{engine.url}/small", push=True)
    maker.store.put(b"little")
    little = ActionResult({"out": hashlib.sha256(b"little").hexdigest()})
    maker.store.put(DATA)
    for key, result in ((KEY, RESULT), (OTHER, RESULT), ("c" * 64, RESULT), ("d" * 64, little)):
        maker.remote.offer(key, result)
    maker.remote.finish()
    assert "3 of the 4" in maker.notes
    assert "too large" in maker.notes
    assert (engine.files / "small" / "ac" / ("d" * 64)).is_file()


def test_who_may_only_read_says_so(engine: CacheServer, tmp_path: Path) -> None:
    maker = Machine(tmp_path, f"{engine.url}/read-only", push=True)
    maker.make()
    assert "did not get 1 of the 1 results" in maker.notes
    assert "left alone" not in maker.notes


def test_a_password_is_asked_for_and_taken(engine: CacheServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(tmp_path / "a", f"{engine.url}/protected", push=True).make()
    url = f"{engine.url}/behind-a-password/protected"
    stranger = Machine(tmp_path / "b", url)
    assert stranger.remote.lookup(KEY) is None
    assert "does not let us in (401)" in stranger.notes
    assert "PYPACKPACK_CACHE_TOKEN" in stranger.notes
    monkeypatch.setenv("PYPACKPACK_CACHE_USER", "reader")
    monkeypatch.setenv("PYPACKPACK_CACHE_PASSWORD", "s3cret")
    assert Machine(tmp_path / "c", url).remote.lookup(KEY) == RESULT
    monkeypatch.delenv("PYPACKPACK_CACHE_USER")
    monkeypatch.delenv("PYPACKPACK_CACHE_PASSWORD")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login reader password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    known = Machine(tmp_path / "d", url)
    assert known.remote.lookup(KEY) == RESULT
    assert "s3cret" not in known.notes


def test_redirects_are_not_followed(engine: CacheServer, tmp_path: Path) -> None:
    Machine(tmp_path / "a", engine.url, push=True).make(OTHER)
    taker = Machine(tmp_path / "b", f"{engine.url}/moved")
    assert taker.remote.lookup(OTHER) is None
    assert f"sends us elsewhere (302 to {engine.url}/)" in taker.notes


# A server that does everything wrong. Each of these would hang or fill the memory of whoever is too patient.


def silent(connection: socket.socket) -> None:
    request_of(connection)
    time.sleep(60)


def hanging_up(connection: socket.socket) -> None:
    request_of(connection)


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return act


def pouring(head: bytes) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(head)
        while True:
            connection.sendall(b"7fff\r\n" + bytes(0x7FFF) + b"\r\n")

    return act


def saying(data: bytes) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(data)

    return act


OK = b"HTTP/1.1 200 OK\r\n"
BAD = {
    "accepts and never answers": silent,
    "hangs up": hanging_up,
    "endless header": dripping(OK + b"X: ", b"x"),
    "endless headers": dripping(OK, b"X: y\r\n"),
    "endless continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "dripping body": dripping(OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "dripping body without an end": dripping(OK + b"\r\n", b"x"),
    "endless chunks": pouring(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "endless body": pouring(OK + b"\r\n"),
    "huge length": saying(OK + b"Content-Length: 99999999999999\r\n\r\n"),
    "half content": saying(OK + b"Content-Length: 100\r\n\r\nhalf"),
    "half a chunk": saying(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf"),
    "wrong content": saying(OK + b"Content-Length: 4\r\n\r\nlies"),
    "no content": saying(OK + b"Content-Length: 0\r\n\r\n"),
    "no HTTP": saying(b"220 mail.example.org ESMTP\r\n"),
    "500": saying(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry"),
    "502 with a book": pouring(b"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "redirect in a circle": saying(b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "switching protocols": saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
}


@pytest.mark.parametrize("protocol", ["cas", "gradle"])
@pytest.mark.parametrize("how", BAD)
def test_a_bad_server_gives_nothing_and_costs_little(tmp_path: Path, how: str, protocol: str) -> None:
    with listening(BAD[how]) as server:
        taker = Machine(tmp_path, server.url, timeout=TIMEOUT, protocol=protocol, push=True)
        for number in range(4):
            assert taker.remote.lookup(f"{number}" * 64) is None
        assert server.connections <= 4
        if protocol == "cas" and how not in {"wrong content", "no content"}:  # these are answers, of which nothing is believed
            assert not taker.remote.reachable
            assert server.connections <= 2
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("how", ["half content", "wrong content", "500", "accepts and never answers"])
def test_a_blob_from_a_bad_server_is_no_blob(tmp_path: Path, how: str) -> None:
    with listening(BAD[how]) as server:
        taker = Machine(tmp_path, server.url, timeout=TIMEOUT)
        assert taker.remote.expect({DIGEST: 100})
        assert taker.store.read(DIGEST) is None
        assert not taker.remote.expect({DIGEST: 100})


@pytest.mark.parametrize("how", ["accepts and never answers", "hangs up", "500", "no HTTP", "endless headers"])
def test_uploading_to_a_bad_server_ends(tmp_path: Path, how: str) -> None:
    with listening(BAD[how]) as server:
        maker = Machine(tmp_path, server.url, timeout=TIMEOUT, push=True)
        maker.make()
        assert "did not get 1 of the 1 results" in maker.notes


def test_nobody_listens(tmp_path: Path) -> None:
    taker = Machine(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert taker.remote.lookup(KEY) is None
    assert taker.remote.lookup(OTHER) is None
    assert "left alone" in taker.notes


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    taker = Machine(tmp_path, "http://no-such-host.invalid")
    assert taker.remote.lookup(KEY) is None
    assert taker.remote.lookup(OTHER) is None
    assert "left alone" in taker.notes


def test_a_connection_that_was_closed_meanwhile_is_opened_again(tmp_path: Path) -> None:
    def once(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with listening(once) as server:
        taker = Machine(tmp_path, server.url)
        for number in range(6):
            assert taker.remote.lookup(f"{number}" * 64) is None
            time.sleep(0.02)
        assert taker.remote.reachable
        assert server.connections == 6


def test_a_proxy_is_asked_and_gets_no_login_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heard.append(request_of(connection))
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setenv("PYPACKPACK_CACHE_TOKEN", "t0ken")
    with listening(proxy) as server:
        monkeypatch.setenv("http_proxy", f"http://me:word@127.0.0.1:{server.port}")
        monkeypatch.setenv("no_proxy", "")
        taker = Machine(tmp_path, "http://cache.test:8080/path")
        assert taker.remote.lookup(KEY) is None
    (head,) = heard
    assert head.startswith(f"GET http://cache.test:8080/path/ac/{KEY} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic bWU6d29yZA==\r\n" in head
    assert b"t0ken" not in head
    assert "is not https" in taker.notes


def test_https_through_a_proxy_and_a_certificate_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heard.append(request_of(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            heard.append(request_of(secure))

    with listening(proxy) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("no_proxy", "")
        taker = Machine(tmp_path, "https://cache.test")
        assert taker.remote.lookup(KEY) is None
        assert taker.remote.lookup(OTHER) is None
        assert all(head.startswith(b"CONNECT cache.test:443 HTTP/1.1\r\n") for head in heard)
        assert "left alone" in taker.notes
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
        heard.clear()
        Machine(tmp_path, "https://cache.test").remote.lookup(KEY)
        assert any(head.startswith(f"GET /ac/{KEY} HTTP/1.1\r\n".encode()) for head in heard)


def certificate(folder: Path) -> Path:
    """Make a certificate for cache.test that nobody has signed, and its key, in one file."""
    file = folder / "certificate.pem"
    if not file.exists():
        from datetime import datetime, timedelta, timezone  # noqa: PLC0415 - only here

        from cryptography import x509  # noqa: PLC0415 - only here
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - only here
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only here

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cache.test")])
        now = datetime.now(timezone.utc)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("cache.test")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(made.public_bytes(pem) + secret)
    return file


def test_ctrl_c_ends_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(silent) as server:
        monkeypatch.setattr(process, "stopping", lambda: True)
        with pytest.raises(KeyboardInterrupt):
            Server(server.url).ask("GET", "x", seconds=600)


def test_an_answer_may_be_no_longer_than_it_should(engine: CacheServer) -> None:
    (engine.files / "long").write_bytes(bytes(1001))
    server = closed_later(Server(engine.url))
    assert len(server.ask("GET", "long", seconds=5, most=1001).body) == 1001
    with pytest.raises(UnansweredError, match="more than it should"):
        server.ask("GET", "long", seconds=5, most=1000)
