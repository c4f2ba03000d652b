"""Uploading to the remote cache: beside the build, signed, blobs first and the entry that names them last."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from pypackpack.backend import process, remote_login, signing
from pypackpack.backend.host import find_program
from pypackpack.backend.remote_entry import NoEntryError, pack_head, seal, to_action_result
from pypackpack.backend.remote_patience import QUICK_BYTES, Patience, said
from pypackpack.backend.urls import urlsplit
from pypackpack.model.build import Step
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pypackpack.backend.http_server import Answer
    from pypackpack.backend.remote_patience import Asked
    from pypackpack.backend.store import Store
    from pypackpack.model.action import ActionResult
    from pypackpack.model.build import Watcher
    from pypackpack.model.cache import RemoteSettings

KEY_VARIABLE = "PYPACKPACK_CACHE_KEY"
KEYRING_SERVICE = "pypackpack-cache"
KEYRING_SECONDS = 30
THREADS = 4
QUEUED = 10_000
"""So many results may wait; more are not uploaded."""
FINISH_SECONDS = 20.0
"""So long the end of a build waits for uploads."""
GRADLE_KIND = "application/vnd.gradle.build-cache-artifact.v1"
_DONE = frozenset({200, 201, 202, 204})
_OK = 200
_NOT_ALLOWED = 405
_NO_FOLDER = 409
_TOO_LARGE = 413
_PIECE = 1 << 20


class _RefusedError(Exception):
    """One entry was not taken; the message says why."""


class Pusher:
    """Uploads results in threads of its own."""

    def __init__(
        self,
        settings: RemoteSettings,
        server: Callable[[], Asked],
        store: Store,
        say: Callable[[str], None],
        damaged: set[str],
    ) -> None:
        """Take note of where from and where to; nothing starts before there is something to upload.

        Args:
            settings: Of the remote cache.
            server: Gives the server.
            store: Where the blobs are.
            say: Tells the person one thing about the cache.
            damaged: Digests of blobs that the server has and that are not what they should be: uploaded anew.
        """
        self._settings = settings
        self._server = server
        self._store = store
        self._say = say
        self._damaged = damaged
        self._patience = Patience(self._given_up)
        self._queue: queue.Queue[tuple[str, ActionResult]] = queue.Queue(QUEUED)
        self._changed = threading.Condition()
        self._keying = threading.Lock()
        self._signer: signing.Signer | None = None
        self._threads = 0
        self._there: set[str] = set()
        self._offered = self._uploaded = self._left = 0
        self._why = ""
        self._stopped = False

    def _given_up(self, why: str) -> None:
        self._why = why

    def offer(self, key: str, result: ActionResult) -> None:
        """Take a result to upload, if there is room; returns at once."""
        with self._changed:
            if self._stopped:
                return
            self._offered += 1
            if self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._work, name=f"upload-{self._threads}", daemon=True).start()
        try:
            self._queue.put_nowait((key, result))
        except queue.Full:
            self._count(uploaded=False, why="there were too many at one time")

    def finish(self, watcher: Watcher) -> None:
        """Wait for the uploads, a bounded time, and say how many were uploaded, or why not all of them."""
        end = time.monotonic() + FINISH_SECONDS
        while True:
            with self._changed:
                done, offered = self._uploaded + self._left, self._offered
                if done >= offered or time.monotonic() >= end:
                    self._stopped = True
                    break
                self._changed.wait(0.2)
            watcher.step(Step("", "", "upload", done, offered))
        missing = offered - self._uploaded
        if offered and not missing:
            watcher.note(f"uploaded {offered} {'result' if offered == 1 else 'results'} to the remote cache {self._settings.url}")
        if missing:
            why = self._why or f"they took longer than {FINISH_SECONDS:.0f} seconds after the build"
            self._say(f"did not get {missing} of the {offered} results that were made here: {why}")

    def stop(self) -> None:
        """Upload nothing more; what is on its way may get there."""
        with self._changed:
            self._stopped = True

    def _work(self) -> None:
        """Upload what comes; the body of each thread."""
        with contextlib.suppress(KeyboardInterrupt):  # the main thread has it too
            while not self._stopped:
                try:
                    key, result = self._queue.get(timeout=0.5)
                except queue.Empty:
                    continue
                try:
                    self._upload(key, result)
                except (_RefusedError, NoEntryError, PyPackPackError) as error:
                    self._count(uploaded=False, why=str(error))
                except KeyboardInterrupt:
                    raise
                except Exception as error:  # noqa: BLE001 - a thread has nobody who would hear of it
                    self._count(uploaded=False, why=f"{type(error).__name__}: {error}")
                else:
                    self._count(uploaded=True)

    def _count(self, *, uploaded: bool, why: str = "") -> None:
        with self._changed:
            self._uploaded += uploaded
            self._left += not uploaded
            self._why = self._why or why
            self._changed.notify_all()

    def _upload(self, key: str, result: ActionResult) -> None:
        signer = self._key()
        if signer is None or not self._patience.open:
            raise _RefusedError(self._why)
        sizes = {digest: len(self._blob(digest)) for digest in set(result.outputs.values())}
        entry = seal(key, result, sizes, signer)
        if self._settings.protocol == "gradle":
            self._put(
                key, lambda: self._pack(entry, sizes), len(pack_head(entry)) + len(entry) + sum(sizes.values()), GRADLE_KIND
            )
            return
        for digest, size in sizes.items():
            if digest not in self._there and not self._has(digest, size):
                self._put(f"cas/{digest}", functools.partial(_pieces, self._blob(digest)), size)
            self._there.add(digest)
        message = to_action_result(entry, result, sizes)
        self._put(f"ac/{key}", lambda: (message,), len(message))

    def _pack(self, entry: bytes, sizes: Mapping[str, int]) -> Iterator[bytes]:
        yield pack_head(entry) + entry
        for digest in sorted(sizes):
            yield from _pieces(self._blob(digest))

    def _blob(self, digest: str) -> bytes:
        data = self._store.read(digest)
        if data is None:
            msg = "the cache of this machine lost something meanwhile"
            raise _RefusedError(msg)
        return data

    def _has(self, digest: str, size: int) -> bool:
        """Tell whether the server has a blob; one that was found to be wrong it has not."""
        if digest in self._damaged:
            return False
        answer = self._ask("HEAD", f"cas/{digest}", seconds=self._settings.timeout)
        return answer.status == _OK and answer.length == size

    def _put(self, path: str, body: Callable[[], Iterable[bytes]], length: int, kind: str = "application/octet-stream") -> None:
        seconds = self._settings.timeout + length / QUICK_BYTES
        answer = self._ask("PUT", path, body=body, length=length, kind=kind, seconds=seconds)
        if answer.status == _NO_FOLDER and "/" in path:  # WebDAV (RFC 4918, 9.7.1): the folder is to be made first
            self._ask("MKCOL", path.partition("/")[0] + "/", seconds=self._settings.timeout)
            answer = self._ask("PUT", path, body=body, length=length, kind=kind, seconds=seconds)
        if answer.status in _DONE:
            self._patience.fine()
            return
        if answer.status == _TOO_LARGE:
            self._patience.fine()
            msg = "too large for the server (413)"
            raise _RefusedError(msg)
        if answer.status == _NOT_ALLOWED:
            self._patience.give_up("it takes nothing (405)")
        self._patience.refused(answer)
        raise _RefusedError(self._why or said(answer))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        body: Callable[[], Iterable[bytes]] | None = None,
        length: int = 0,
        kind: str = "",
    ) -> Answer:
        from pypackpack.backend.http_server import UnansweredError  # noqa: PLC0415 - import cost, not in a no-op

        if self._stopped or not self._patience.open:
            raise _RefusedError(self._why)
        try:
            return self._server().ask(method, path, seconds=seconds, body=body, length=length, kind=kind)
        except UnansweredError as error:
            self._patience.failed(str(error))
            raise _RefusedError(str(error)) from error

    def _key(self) -> signing.Signer | None:
        """Return the secret key; without one nothing is uploaded."""
        with self._keying:
            if self._signer is None and self._patience.open:
                if os.environ.get(KEY_VARIABLE) and (why := remote_login.why_not(self._settings.url)):
                    self._patience.give_up(f"{KEY_VARIABLE} is not used: {why}")
                    return None
                try:
                    self._signer = _find_signer(self._settings.url)
                except signing.KeyTextError as error:
                    self._patience.give_up(f"{KEY_VARIABLE} is {error}")
                if self._signer is None:
                    self._patience.give_up(f"there is no key to sign with; `pypackpack cache key` makes one for {KEY_VARIABLE}")
                elif self._signer.public_text not in self._settings.trust:
                    self._say(
                        f"gets results signed by {self._signer.public_text}, which tool.pypackpack.cache.remote.trust lacks"
                    )
            return self._signer


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def _find_signer(url: str) -> signing.Signer | None:
    """Return the key of the environment, else of the person's keyring (if the program for it is there), else None.

    Raises:
        KeyTextError: What is there is no key.
    """
    text = os.environ.get(KEY_VARIABLE, "")
    program = find_program(["keyring"])
    if not text and program is not None:
        with contextlib.suppress(PyPackPackError):
            done = process.run([program, "get", KEYRING_SERVICE, urlsplit(url).netloc], timeout=KEYRING_SECONDS)
            text = done.stdout.strip() if done.code == 0 else ""
    return signing.Signer(text) if text else None
