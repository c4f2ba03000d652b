"""A private index on this machine: pypiserver behind basic authentication.

Run as a script it serves a folder: ``private_index.py <folder> <user> <password> <action>…``, where the actions are those that want the password, and prints its port.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER = "robot"
SECRET = "s3cr3t-Pa55word"


@dataclass(frozen=True)
class PrivateIndex:
    """A running index.

    Attributes:
        host: ``127.0.0.1:<port>``.
    """

    host: str

    @property
    def url(self) -> str:
        return f"http://{self.host}/simple/"

    @property
    def url_with_secret(self) -> str:
        return f"http://{USER}:{SECRET}@{self.host}/simple/"


@contextlib.contextmanager
def served(folder: Path, guarded: Sequence[str] = ("download", "list", "update")) -> Iterator[PrivateIndex]:
    """Serve the wheels of a folder; what is ``guarded`` is for whoever has the password."""
    words = [sys.executable, "-W", "ignore", __file__, folder, USER, SECRET, *guarded]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port.isdigit(), "the private index did not start"
            yield PrivateIndex(f"127.0.0.1:{port}")
        finally:
            server.kill()


def main(folder: str, user: str, secret: str, *guarded: str) -> None:
    from wsgiref.simple_server import make_server  # noqa: PLC0415 - only the server needs it

    import pypiserver  # noqa: PLC0415 - as above

    application = pypiserver.app(
        roots=[Path(folder)],
        authenticate=list(guarded),
        auther=lambda name, word: (name, word) == (user, secret),
        disable_fallback=True,
    )
    with make_server("127.0.0.1", 0, application) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
