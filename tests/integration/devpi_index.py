"""devpi-server on this machine: another index than `private_index`, with users, and with files that cannot be replaced.

It has some forty dependencies, so it gets an environment of its own, by uv, and is no part of the group of dependencies ``test``.
Its HTTP interface: https://devpi.net/docs/devpi/devpi/stable/+doc/userman/devpi_misc.html and ``devpi-client``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from pypackpack.backend.tools import uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "6.20.3"
USER, SECRET = "robot", "s3cr3t-Pa55word"
_ROOT = "r00t-Pa55word"
_PATIENCE = 180


def install(folder: Path) -> Path:
    """Make an environment with devpi-server; return its Python."""
    uv.run(["venv", "-q", "--python", sys.executable, folder], "making an environment for devpi-server")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv.run(["pip", "install", "-q", "--python", python, f"devpi-server=={VERSION}"], "installing devpi-server")
    return python


@contextlib.contextmanager
def served(folder: Path, python: Path) -> Iterator[str]:
    """Run a server that keeps its files in a folder; give the url that installers use of an index that is `USER`'s."""
    data = os.fspath(folder / "data")
    program = "import sys; from devpi_server.init import init; sys.exit(init())"
    init = [python, "-c", program, "--serverdir", data, "--no-root-pypi", "--root-passwd", _ROOT]
    subprocess.run(init, check=True, capture_output=True, timeout=_PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [python, "-m", "devpi_server", "--serverdir", data, "--port", str(port), "--threads", "8", "--offline-mode"]
    words += ["--argon2-memory-cost", "64", "--argon2-time-cost", "1"]  # else ten seconds for the key of its logins
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as server:
        try:
            host = f"http://127.0.0.1:{port}"
            _wait(f"{host}/+api", server, log)
            root = _login(host, "root", _ROOT)
            _ask(f"{host}/{USER}", {"password": SECRET}, root)
            # Not volatile: as on PyPI, what was uploaded stays as it is.
            _ask(f"{host}/{USER}/stable", {"bases": [], "volatile": False}, _login(host, USER, SECRET))
            yield f"{host}/{USER}/stable/+simple/"
        finally:
            server.kill()


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server
                return
        except OSError:  # noqa: PERF203 - the point of the loop
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)


def _login(host: str, user: str, word: str) -> str:
    token = _ask(f"{host}/+login", {"user": user, "password": word}, method="POST")["result"]["password"]
    return base64.b64encode(f"{user}:{token}".encode()).decode()


def _ask(url: str, content: object, login: str = "", *, method: str = "PUT") -> Any:  # noqa: ANN401 - JSON
    headers = {"Content-Type": "application/json", **({"X-Devpi-Auth": login} if login else {})}
    request = urllib.request.Request(url, json.dumps(content).encode(), headers, method=method)  # noqa: S310 - as above
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())
