"""Real servers for the remote cache: nginx and WsgiDAV, each over a folder; and a socket that answers as badly as one likes."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_SECONDS = 30.0

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/temp-body;
  proxy_temp_path {folder}/temp-proxy;
  fastcgi_temp_path {folder}/temp-fastcgi;
  uwsgi_temp_path {folder}/temp-uwsgi;
  scgi_temp_path {folder}/temp-scgi;
  client_max_body_size 100m;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    location / {{
      dav_methods PUT MKCOL;
      create_full_put_path on;
    }}
    location /small/ {{
      dav_methods PUT;
      create_full_put_path on;
      client_max_body_size 1k;
    }}
    location /read-only/ {{
      alias {folder}/files/;
    }}
    location /behind-a-password/ {{
      alias {folder}/files/;
      auth_basic "cache";
      auth_basic_user_file {folder}/users;
    }}
    location /moved/ {{
      return 302 http://127.0.0.1:{port}/;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class CacheServer:
    """A running server: its address, and the folder that it serves."""

    url: str
    files: Path
    log: Path

    def requests(self) -> list[str]:
        """Return the requests so far, ``GET /ac/… 200`` (nginx only)."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [f"{line.split()[5][1:]} {line.split()[6]} {line.split()[8]}" for line in lines]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[CacheServer]:
    """Serve a folder by nginx as the current user; the password of ``reader`` is ``s3cret``."""
    (folder / "files").mkdir(parents=True)
    (folder / "users").write_text("reader:{PLAIN}s3cret\n", encoding="utf-8")
    port = free_port()
    config = folder / "nginx.conf"
    # Started by root it would hand its work to somebody who may not write into a test's folder.
    user = "user root;" if sys.platform != "win32" and _is_root() else ""
    config.write_text(NGINX.format(folder=folder, port=port, user=user), encoding="utf-8")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    words = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
    with _running(words, port, folder):
        yield CacheServer(f"http://127.0.0.1:{port}", folder / "files", folder / "access.log")


@contextlib.contextmanager
def wsgidav(folder: Path) -> Iterator[CacheServer]:
    """Serve a folder by WsgiDAV, which makes no folders by itself."""
    (folder / "files").mkdir(parents=True)
    port = free_port()
    words = [
        sys.executable,
        "-m",
        "wsgidav.server.server_cli",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--root={folder / 'files'}",
    ]
    with _running([*words, "--auth=anonymous", "--no-config", "--quiet"], port, folder):
        yield CacheServer(f"http://127.0.0.1:{port}", folder / "files", folder / "output.log")


def _is_root() -> bool:
    import os  # noqa: PLC0415 - geteuid is not there on Windows

    return os.geteuid() == 0


@contextlib.contextmanager
def _running(words: list[str], port: int, folder: Path) -> Iterator[None]:
    output = folder / "output.log"
    with output.open("wb") as stream, subprocess.Popen(words, stdout=stream, stderr=stream, cwd=folder) as server:
        try:
            end = time.monotonic() + START_SECONDS
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                said = output.read_text(errors="replace")
                assert server.poll() is None, f"{words[0]} did not start: {said}"
                assert time.monotonic() < end, f"{words[0]} does not answer: {said}"
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
            server.wait(START_SECONDS)


@dataclass
class Socket:
    """A socket that takes connections, each in a thread of its own, and does with them what a function says."""

    act: Callable[[socket.socket], None]
    port: int = 0
    connections: int = 0
    _closing: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._closing.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self.act(connection)

    def close(self) -> None:
        for connection in self._closing:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def listening(act: Callable[[socket.socket], None]) -> Iterator[Socket]:
    """Take connections and do with each what a function says."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = Socket(act, listener.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            server.close()
            thread.join(5)


def request_of(connection: socket.socket) -> bytes:
    """Read the head of a request."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(4096)):
        data += piece
    return data
