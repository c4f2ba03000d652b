"""The door to HTTP against a real server on this machine: digests, broken transfers, refusals, redirects, credentials."""

from __future__ import annotations

import hashlib
import http.client
import io
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import network
from pypackpack.backend.tools.index_login import IndexLogin
from pypackpack.model.errors import PackageIndexError, WorkError

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(DATA).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler, int], None]


class Server:
    """A server that answers by a function of the request and its number."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.answer: Answer = whole
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append({"path": self.path, **{key.lower(): value for key, value in self.headers.items()}})
                outer.answer(self, len(outer.requests))
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/a-1.0-py3-none-any.whl"


def whole(handler: BaseHTTPRequestHandler, _number: int) -> None:
    start = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(DATA) - start))
    handler.end_headers()
    handler.wfile.write(DATA[start:])


def refusing(code: int, times: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > times:
            whole(handler, number)
            return
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_KEYRING_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


def fetch(url: str, folder: Path, *, sha256: str = DIGEST, authorization: str = "", most: int | None = None) -> list[float]:
    pauses: list[float] = []
    network.fetch(
        url,
        folder / "a.whl",
        sha256=sha256,
        partial=folder / "partial",
        authorization=authorization,
        most=most,
        pause=pauses.append,
    )
    return pauses


def test_a_file_appears_whole(server: Server, tmp_path: Path) -> None:
    assert fetch(server.url, tmp_path) == []
    assert (tmp_path / "a.whl").read_bytes() == DATA
    assert not (tmp_path / "partial").exists()
    assert "authorization" not in server.requests[0]


@pytest.mark.parametrize(
    ("here", "there", "followed"),
    [
        ("http://127.0.0.1/a", "http://127.0.0.1/b", True),
        ("http://127.0.0.1/a", "https://127.0.0.1/b", True),
        ("https://127.0.0.1/a", "https://127.0.0.1/b", True),
        ("https://127.0.0.1/a", "http://127.0.0.1/b", False),
        ("https://user:secret@127.0.0.1/a", "HTTP://127.0.0.1/b", False),
        ("http://127.0.0.1/a", "ftp://127.0.0.1/b", False),
        ("http://127.0.0.1/a", "file:///etc/passwd", False),
    ],
)
def test_nobody_is_sent_to_where_others_can_write_in(here: str, there: str, followed: bool) -> None:
    handler = network._Redirects()
    request = urllib.request.Request(here)  # noqa: S310 - nothing is opened
    words = (request, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), there)
    if followed:
        found = handler.redirect_request(*words)
        assert found is not None
        assert found.full_url == there
        return
    with pytest.raises(PackageIndexError, match="not safe any more") as caught:
        handler.redirect_request(*words)
    assert "secret" not in str(caught.value)


def test_a_redirect_to_ftp_ends_a_transfer(server: Server, tmp_path: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.send_response(302)
        handler.send_header("Location", "ftp://127.0.0.1/a.whl")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = elsewhere
    with pytest.raises(PackageIndexError, match="not safe any more"):
        fetch(server.url, tmp_path)
    assert len(server.requests) == 1


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(DATA)
    fetch((tmp_path / "there").as_uri(), tmp_path)
    assert (tmp_path / "a.whl").read_bytes() == DATA


def test_a_broken_transfer_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    def breaking(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 1:
            whole(handler, number)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA[:700_000])

    server.answer = breaking
    assert fetch(server.url, tmp_path) == [0.5]
    assert (tmp_path / "a.whl").read_bytes() == DATA
    assert server.requests[1]["range"] == "bytes=700000-"


def test_a_server_without_ranges_begins_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "partial").write_bytes(DATA[:1000])

    def ignoring(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA)

    server.answer = ignoring
    fetch(server.url, tmp_path)
    assert (tmp_path / "a.whl").read_bytes() == DATA


def test_what_was_there_is_longer_than_the_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "partial").write_bytes(DATA + b"more")
    server.answer = refusing(416, 1)
    assert fetch(server.url, tmp_path) == [0.5]
    assert "range" not in server.requests[1]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path, code: int) -> None:
    server.answer = refusing(code, 2)
    assert fetch(server.url, tmp_path) == [0.5, 1.0]


def test_a_server_that_stays_busy(server: Server, tmp_path: Path) -> None:
    server.answer = refusing(503, 99)
    with pytest.raises(PackageIndexError, match="503"):
        fetch(server.url, tmp_path)
    assert len(server.requests) == network.TRIES


@pytest.mark.parametrize(
    ("code", "words"), [(401, "does not let us have"), (403, "does not let us have"), (404, "does not have")]
)
def test_a_no_is_not_asked_again(server: Server, tmp_path: Path, code: int, words: str) -> None:
    server.answer = refusing(code, 99)
    with pytest.raises(PackageIndexError, match=words) as caught:
        fetch(server.url, tmp_path)
    assert len(server.requests) == 1
    assert caught.value.hint


def test_another_file_than_the_lock_says(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"old")
    with pytest.raises(WorkError, match="is not what the lock says"):
        fetch(server.url, tmp_path, sha256="0" * 64)
    with pytest.raises(WorkError, match="more came"):
        fetch(server.url, tmp_path, most=1000)
    assert (tmp_path / "a.whl").read_bytes() == b"old"


def test_nobody_answers(server: Server, tmp_path: Path) -> None:
    server.server.server_close()
    with pytest.raises(PackageIndexError, match="cannot be fetched"):
        fetch(server.url, tmp_path)


def test_credentials_do_not_follow_a_redirect(server: Server, tmp_path: Path) -> None:
    other = server.url.replace("127.0.0.1", "localhost")

    def moving(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 1:
            whole(handler, number)
            return
        handler.send_response(302)
        handler.send_header("Location", other)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = moving
    fetch(server.url, tmp_path, authorization="Basic secret")
    assert server.requests[0]["authorization"] == "Basic secret"
    assert "authorization" not in server.requests[1]


def test_where_credentials_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "https://index.example/files/a.whl"
    basic = "Basic dTpw"  # u:p
    assert IndexLogin().split(url) == (url, "")
    assert IndexLogin().split("https://u:p@index.example/files/a.whl") == (url, basic)
    monkeypatch.setenv("UV_INDEX_OUR_OWN_USERNAME", "u")
    monkeypatch.setenv("UV_INDEX_OUR_OWN_PASSWORD", "p")
    assert IndexLogin([("our-own", "https://index.example/simple")]).split(url) == (url, basic)
    assert IndexLogin([("our-own", "https://other.example/simple")]).split(url) == (url, "")
    monkeypatch.setenv("UV_INDEX", "named=https://u:p@index.example/simple https://more.example")
    assert IndexLogin().split(url) == (url, basic)
    monkeypatch.delenv("UV_INDEX")
    (tmp_path / "netrc").write_text("machine index.example login u password p\n", encoding="utf-8")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert IndexLogin().split(url) == (url, basic)
    assert IndexLogin().split("file:///tmp/a.whl") == ("file:///tmp/a.whl", "")


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"a"),
    ],
)
def test_an_answer_without_end_ends(server: Server, monkeypatch: pytest.MonkeyPatch, begin: bytes, again: bytes) -> None:
    def trickle(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.wfile.write(begin)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            handler.wfile.write(again)
            time.sleep(0.02)

    server.server.daemon_threads = True
    server.server.block_on_close = False
    monkeypatch.setattr(network, "TIMEOUT", 0.1)
    server.answer = trickle
    with pytest.raises(PackageIndexError, match="did not answer within"):
        network.read(server.url, accept="*/*", most=1000, pause=lambda _: None)
    assert len(server.requests) == 2


def test_a_part_of_a_page_is_not_the_page(server: Server) -> None:
    def cut(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"0123456789" if number == 2 else b"0123")

    server.answer = cut
    assert network.read(server.url, accept="*/*", most=1000, pause=lambda _: None) == (b"0123456789", "")
    assert len(server.requests) == 2
