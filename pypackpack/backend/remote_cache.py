"""The remote cache: results that other machines have made and signed, over HTTP.

``cas`` is what bazel-remote and plain WebDAV servers speak: ``GET``, ``HEAD`` and ``PUT`` of ``ac/<key>`` (an entry, see
`remote_entry`) and ``cas/<sha256>`` (a blob). ``gradle`` is Gradle's HTTP build cache: ``GET`` and ``PUT`` of ``<key>``
(https://docs.gradle.org/current/userguide/build_cache.html).

Nothing that a server says is believed: an entry counts when a trusted key has signed it for exactly this key, a blob when it
has the size and the digest that such an entry names. And nothing that a server does costs much time: see `remote_patience`.
"""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

from pypackpack.backend import remote_login, signing
from pypackpack.backend.remote_entry import (
    ENTRY_LIMIT,
    NoEntryError,
    from_action_result,
    read_exactly,
    read_pack_head,
    unseal,
)
from pypackpack.backend.remote_patience import (
    FAILURES,
    PASSWORD_VARIABLE,
    QUICK_BYTES,
    TOKEN_VARIABLE,
    USER_VARIABLE,
    Patience,
    quick,
)
from pypackpack.backend.remote_push import Pusher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pypackpack.backend.http_server import Allowance, Answer
    from pypackpack.backend.remote_entry import Entry
    from pypackpack.backend.remote_patience import Asked
    from pypackpack.backend.store import Store
    from pypackpack.model.action import ActionResult
    from pypackpack.model.build import Watcher
    from pypackpack.model.cache import RemoteSettings

WIDTH = 16
PUSH_VARIABLE = "PYPACKPACK_CACHE_PUSH"
_OK = 200
_MISSING = frozenset({404, 410})


class RemoteCache:
    """A remote cache, for the schedule (`lookup`, `offer`) and for the store (`reachable`, `expect`, `fetch`).

    Attributes:
        signers: Short names of the keys that are believed, for the store.
        width: How many may ask at one time.
    """

    def __init__(self, settings: RemoteSettings, watcher: Watcher, server: Callable[[], Asked] | None = None) -> None:
        """Take note of it; nothing is asked, and nothing heavy imported, before the first question.

        Args:
            settings: Where it is and whom to believe.
            watcher: Told what a person should know: once each.
            server: Makes the server.
        """
        trusted = [signing.public_bytes(text) for text in settings.trust]
        self._settings = settings
        self._watcher = watcher
        self._make_server = server or self._connect
        self._server: Asked | None = None
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._verifier = signing.Verifier(trusted)
        self._patience = Patience(lambda why: self._say(f"is left alone for the rest of this build: {why}"))
        self._store: Store | None = None
        self._sizes: dict[str, int] = {}
        self._unhad: set[str] = set()
        self._eager = settings.protocol == "gradle"
        self._pusher: Pusher | None = None
        self.signers = [signing.signer_name(public) for public in trusted]
        self.width = WIDTH

    def attach(self, store: Store) -> None:
        """Take note of the store of this machine, which was opened with this as its far side."""
        self._store = store
        if wants_push(self._settings):
            self._pusher = Pusher(self._settings, self.server, store, self._say, self._unhad)

    def server(self) -> Asked:
        """Return the server, made at the first call."""
        with self._lock:
            if self._server is None:
                self._server = self._make_server()
            return self._server

    def _connect(self) -> Asked:
        from pypackpack.backend.http_server import Server, login_for  # noqa: PLC0415 - import cost, not in a no-op

        token, user, password = (os.environ.get(name, "") for name in (TOKEN_VARIABLE, USER_VARIABLE, PASSWORD_VARIABLE))
        held_back = ""
        if (token or user or password) and (why := remote_login.why_not(self._settings.url)):
            held_back = f"the login of the environment is not sent to it: {why}"
            token = user = password = ""
        login, why_not = login_for(self._settings.url, token=token, user=user, password=password)
        if not login and (held_back or why_not):
            self._watcher.note(f"the remote cache {self._settings.url}: {held_back or why_not}")
        return Server(self._settings.url, headers={"Authorization": login} if login else {})

    def _say(self, what: str, *, about: str = "") -> None:
        """Tell the person something about the cache; of one thing once in a build."""
        with self._lock:
            if about and about in self._said:
                return
            self._said.add(about)
        self._watcher.note(f"the remote cache {self._settings.url} {what}")

    # What the schedule wants.

    def lookup(self, key: str) -> ActionResult | None:
        """Return what a trusted key has signed for a key, or None; the store has it then, or knows where its blobs are."""
        store = self._store
        if store is None or not self._patience.open:
            return None
        if not self.signers:
            self._patience.give_up("tool.pypackpack.cache.remote.trust names no key, so that nothing in it can be believed")
            return None
        try:
            entry = self._packed(key, store) if self._settings.protocol == "gradle" else self._listed(key, store)
        except NoEntryError as error:
            self._say(f"has entries that are not used: {error}", about="not believed")
            return None
        if entry is None:
            return None
        store.record(key, entry.result, signer=signing.signer_name(entry.public), sizes=entry.sizes)
        return entry.result

    def _listed(self, key: str, store: Store) -> Entry | None:
        """Return the entry of a key; its blobs are fetched when somebody reads them."""
        with self._patience.timed() as free:
            answer = self._ask(f"ac/{key}", most=ENTRY_LIMIT, seconds=self._settings.timeout)
            if answer is None:
                return None
            entry = unseal(key, from_action_result(answer.body), self._verifier)
            free.append(quick(0))
        with self._lock:
            self._sizes.update(entry.sizes)
        # Once a blob could not be had that an entry named, no entry is believed before its blobs are here: otherwise each that is
        # missing would cost the build an attempt.
        for digest in entry.sizes if self._eager else ():
            if not store.has(digest) and store.read(digest) is None:
                return None
        return entry

    def _packed(self, key: str, store: Store) -> Entry | None:
        """Return the entry of a key; its blobs came with it and are in the store."""
        found: list[Entry] = []
        wrong: list[NoEntryError] = []

        def take(read: Callable[[int], bytes], allowance: Allowance) -> None:
            try:
                entry = unseal(key, read_pack_head(read), self._verifier)
                allowance.extend(sum(entry.sizes.values()) / QUICK_BYTES)
                for digest, size in sorted(entry.sizes.items()):
                    store.put(_checked(read_exactly(read, size), digest))
                found.append(entry)
            except NoEntryError as error:
                wrong.append(error)

        with self._patience.timed() as free:
            self._ask(key, take=take, seconds=self._settings.timeout)
            if wrong:
                raise wrong[0]
            if found:
                free.append(quick(sum(found[0].sizes.values())))
        return found[0] if found else None

    def offer(self, key: str, result: ActionResult) -> None:
        """Hand over a result that was made here; returns at once."""
        if self._pusher is not None:
            self._pusher.offer(key, result)

    # What the store wants.

    @property
    def reachable(self) -> bool:
        """Whether it is worth asking."""
        return self._patience.open

    def expect(self, sizes: Mapping[str, int]) -> bool:
        """Take note of blobs that a signed result named, with their sizes: only these are ever asked for.

        Returns:
            False when one of them could not be had before, or blobs cannot be had by themselves.
        """
        if self._eager or not self._patience.open or not self._unhad.isdisjoint(sizes):
            return False
        with self._lock:
            self._sizes.update(sizes)
        return True

    def fetch(self, digest: str) -> bytes | None:
        """Return a blob that has this digest, or None."""
        size = self._sizes.get(digest)
        if size is None or digest in self._unhad or self._settings.protocol == "gradle":
            return None
        for _ in range(FAILURES):
            if not self._patience.open:
                break
            with self._patience.timed() as free:
                answer = self._ask(f"cas/{digest}", most=size, seconds=self._settings.timeout + size / QUICK_BYTES)
                if answer is not None and hashlib.sha256(answer.body).hexdigest() == digest:
                    free.append(quick(size))
                    return answer.body
            if answer is not None:
                self._say(f"has wrong content for {digest[:12]}…; it was not used", about="wrong content")
                self._patience.failed("what it sends is not what was signed")
        self._unhad.add(digest)
        self._eager = True
        return None

    def _ask(
        self,
        path: str,
        *,
        seconds: float,
        most: int = 0,
        take: Callable[[Callable[[int], bytes], Allowance], None] | None = None,
    ) -> Answer | None:
        """Return a server's answer to GET; None when it does not have it, or no answer that can be used."""
        from pypackpack.backend.http_server import UnansweredError  # noqa: PLC0415 - import cost, not in a no-op

        try:
            answer = self.server().ask("GET", path, seconds=seconds, most=most, take=take)
        except UnansweredError as error:
            self._patience.failed(str(error))
            return None
        if answer.status == _OK:
            self._patience.fine()
            return answer
        if answer.status in _MISSING:
            self._patience.fine()
        else:
            self._patience.refused(answer)
        return None

    def finish(self) -> None:
        """Wait a bounded time for what is still to be uploaded; at the end of a build."""
        if self._pusher is not None:
            self._pusher.finish(self._watcher)

    def close(self) -> None:
        """Ask nothing more."""
        self._patience.open = False
        if self._pusher is not None:
            self._pusher.stop()
        if self._server is not None:
            self._server.close()


def _checked(data: bytes, digest: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        msg = "a file in it is not what was signed"
        raise NoEntryError(msg)
    return data


def wants_push(settings: RemoteSettings) -> bool:
    """Tell whether what is made on this machine is to be uploaded."""
    said = os.environ.get(PUSH_VARIABLE, "").lower()
    if said in {"true", "1", "yes", "on"}:
        return True
    return settings.push and said not in {"false", "0", "no", "off"}
