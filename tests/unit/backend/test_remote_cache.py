"""The remote cache against a server that is a dictionary: whom it believes, when it gives up, what it uploads."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import remote_login, remote_push
from pypackpack.backend.http_server import Allowance, Answer, UnansweredError
from pypackpack.backend.remote_cache import RemoteCache, wants_push
from pypackpack.backend.remote_entry import pack_head, seal, to_action_result
from pypackpack.backend.remote_patience import LOST_SECONDS, Patience
from pypackpack.backend.signing import Signer, make_pair
from pypackpack.backend.store import Store
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent
from pypackpack.model.cache import RemoteSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SECRET, PUBLIC = make_pair()
OURS, THEIRS = Signer(SECRET), Signer(make_pair()[0])
KEY, OTHER = "a" * 64, "b" * 64
DATA = b"machine code"
DIGEST = hashlib.sha256(DATA).hexdigest()
RESULT = ActionResult({"module": DIGEST}, {"file": "x.so"})
URL = "http://cache.test"


class Shelf:
    """A server: what lies where, what it answers instead, and what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.instead: dict[str, Answer | Exception] = {}
        self.asked: list[str] = []
        self.folders = {""}
        self.needs_folders = False
        self.closed = False

    def ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        most: int = 0,
        body: Callable[[], Iterable[bytes]] | None = None,
        length: int = 0,
        kind: str = "",
        take: Callable[[Callable[[int], bytes], Allowance], None] | None = None,
    ) -> Answer:
        self.asked.append(f"{method} {path}")
        assert seconds > 0
        for what in (f"{method} {path}", method):
            if (instead := self.instead.get(what)) is not None:
                if isinstance(instead, Exception):
                    raise instead
                return instead
        if method == "MKCOL":
            self.folders.add(path.rstrip("/"))
            return Answer(201)
        if body is not None:
            assert method == "PUT"
            assert kind
            return self.put(path, b"".join(body()), length)
        data = self.files.get(path, b"")
        if path not in self.files:
            return Answer(404)
        if method == "HEAD":
            return Answer(200, b"", len(data))
        if take is not None:
            take(io.BytesIO(data).read, Allowance(seconds))
            return Answer(200)
        if len(data) > most:
            raise UnansweredError("it sends more than it should")
        return Answer(200, data, len(data))

    def put(self, path: str, data: bytes, length: int) -> Answer:
        assert len(data) == length
        if self.needs_folders and path.rpartition("/")[0] not in self.folders:
            return Answer(409)
        self.files[path] = data
        return Answer(201)

    def close(self) -> None:
        self.closed = True

    def lay(
        self, key: str, result: ActionResult = RESULT, data: bytes = DATA, signer: Signer = OURS, signed_for: str = ""
    ) -> None:
        """Lay an entry and its blob there, as an honest machine would have, or not so honest a one."""
        entry = seal(signed_for or key, result, {DIGEST: len(DATA)}, signer)
        self.files[f"ac/{key}"] = to_action_result(entry, result, {DIGEST: len(DATA)})
        self.files[key] = pack_head(entry) + entry + data
        self.files[f"cas/{DIGEST}"] = data


class Machine:
    """A machine with a store, and what it says to its person."""

    def __init__(self, cache: Path, shelf: Shelf, **settings: Any) -> None:  # noqa: ANN401 - of RemoteSettings
        self.watcher = Silent()
        self.remote = RemoteCache(RemoteSettings(URL, **{"trust": (PUBLIC,), **settings}), self.watcher, lambda: shelf)
        self.store = Store(cache, signers=self.remote.signers, far=self.remote)
        self.remote.attach(self.store)

    @property
    def notes(self) -> str:
        return "\n".join(self.watcher.notes)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def machine(tmp_path: Path, shelf: Shelf) -> Machine:
    return Machine(tmp_path, shelf)


@pytest.fixture(params=["cas", "gradle"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(remote_push.KEY_VARIABLE, SECRET)
    monkeypatch.setenv(remote_login.HOST_VARIABLE, "cache.test")


def test_what_is_signed_for_us_is_taken(tmp_path: Path, shelf: Shelf, protocol: str) -> None:
    shelf.lay(KEY)
    machine = Machine(tmp_path, shelf, protocol=protocol)
    assert machine.remote.lookup(KEY) == RESULT
    assert machine.store.read(DIGEST) == DATA
    assert machine.store.result(KEY) == RESULT
    assert machine.remote.lookup(OTHER) is None
    assert machine.notes == ""


def test_blobs_are_fetched_when_somebody_reads_them_and_once(shelf: Shelf, machine: Machine) -> None:
    shelf.lay(KEY)
    machine.remote.lookup(KEY)
    assert shelf.asked == [f"GET ac/{KEY}"]
    assert not machine.store.has(DIGEST)
    assert machine.store.read(DIGEST) == machine.store.read(DIGEST) == DATA
    assert shelf.asked == [f"GET ac/{KEY}", f"GET cas/{DIGEST}"]


def test_another_build_knows_the_result_without_asking(tmp_path: Path, shelf: Shelf, machine: Machine) -> None:
    shelf.lay(KEY)
    machine.remote.lookup(KEY)
    later = Machine(tmp_path, shelf)
    assert later.store.result(KEY) == RESULT
    assert len(shelf.asked) == 1
    assert later.store.read(DIGEST) == DATA


def test_whoever_does_not_trust_the_signer_does_not_see_the_result(tmp_path: Path, shelf: Shelf, machine: Machine) -> None:
    shelf.lay(KEY)
    machine.remote.lookup(KEY)
    machine.store.read(DIGEST)
    assert Machine(tmp_path, shelf, trust=(make_pair()[1],)).store.result(KEY) is None
    assert Store(tmp_path).result(KEY) is None


@pytest.mark.parametrize(
    "poison", ["unsigned", "own key", "another entry", "another blob", "longer blob", "half a blob", "nothing"]
)
def test_what_an_attacker_lays_there_is_never_used(tmp_path: Path, shelf: Shelf, protocol: str, poison: str) -> None:
    shelf.lay(KEY)
    if poison == "unsigned":
        document = seal(KEY, RESULT, {DIGEST: len(DATA)}, OURS).partition(b"\n")[2]
        shelf.files |= {f"ac/{KEY}": to_action_result(document, RESULT, {DIGEST: 1}), KEY: pack_head(document) + document + DATA}
    elif poison == "own key":
        shelf.lay(KEY, signer=THEIRS)
    elif poison == "another entry":
        shelf.lay(KEY, signed_for=OTHER)
    elif poison == "another blob":
        shelf.lay(KEY, data=b"MACHINE CODE")
    elif poison == "longer blob":
        shelf.lay(KEY, data=DATA + b"!")
        if protocol == "gradle":  # what follows the last blob is not read
            shelf.lay(KEY, data=b"!" + DATA)
    elif poison == "half a blob":
        shelf.lay(KEY, data=DATA[:5])
    else:
        shelf.files = dict.fromkeys(shelf.files, b"")
    machine = Machine(tmp_path, shelf, protocol=protocol)
    result = machine.remote.lookup(KEY)
    assert machine.store.read(DIGEST) is None
    assert result is None or protocol == "cas"  # then the entry is right, and its blob cannot be had
    assert machine.store.result(KEY) is None
    assert machine.remote.lookup(KEY) is None
    assert list(tmp_path.rglob(DIGEST)) == []


def test_a_person_hears_of_entries_that_are_not_believed_once(shelf: Shelf, machine: Machine) -> None:
    for key in (KEY, OTHER):
        shelf.lay(key, signer=THEIRS)
        machine.remote.lookup(key)
    assert machine.notes.count("not signed by anybody") == 1


def test_a_blob_that_is_gone_costs_one_attempt_and_not_one_for_each(tmp_path: Path, shelf: Shelf) -> None:
    shelf.lay(KEY)
    shelf.lay(OTHER)
    del shelf.files[f"cas/{DIGEST}"]
    machine = Machine(tmp_path, shelf)
    assert machine.remote.lookup(KEY) == RESULT
    assert machine.store.read(DIGEST) is None
    assert machine.remote.lookup(OTHER) is None
    assert machine.store.result(KEY) is None
    assert machine.remote.reachable


def test_a_damaged_blob_here_is_fetched_again(shelf: Shelf, machine: Machine) -> None:
    shelf.lay(KEY)
    machine.remote.lookup(KEY)
    machine.store.read(DIGEST)
    next(machine.store.root.rglob(DIGEST)).write_bytes(b"damage")
    assert machine.store.read(DIGEST) == DATA


def test_only_blobs_that_somebody_signed_are_asked_for(shelf: Shelf, machine: Machine) -> None:
    shelf.files[f"cas/{DIGEST}"] = DATA
    assert machine.store.read(DIGEST) is None
    assert shelf.asked == []


def test_after_two_failures_in_a_row_it_is_left_alone_with_one_note(shelf: Shelf, machine: Machine) -> None:
    shelf.instead["GET"] = UnansweredError("it took too long")
    for number in range(5):
        assert machine.remote.lookup(f"{number}" * 64) is None
    assert len(shelf.asked) == 2
    assert not machine.remote.reachable
    assert machine.watcher.notes == [f"the remote cache {URL} is left alone for the rest of this build: it took too long"]


def test_one_failure_between_answers_is_borne(shelf: Shelf, machine: Machine) -> None:
    for number in range(6):
        shelf.instead = {"GET": Answer(503)} if number % 2 else {}
        machine.remote.lookup(KEY)
    assert machine.remote.reachable


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(401), "netrc, PYPACKPACK_CACHE_TOKEN"),
        (Answer(403), "does not let us in"),
        (Answer(302, location="http://evil.test/x?secret=1"), "elsewhere (302 to http://evil.test/x)"),
        (Answer(308), "elsewhere (308)"),
    ],
)
def test_what_will_not_change_ends_it_at_once(shelf: Shelf, machine: Machine, answer: Answer, said: str) -> None:
    shelf.instead["GET"] = answer
    machine.remote.lookup(KEY)
    machine.remote.lookup(OTHER)
    assert len(shelf.asked) == 1
    assert said in machine.notes


def test_without_anybody_to_trust_nothing_is_asked(tmp_path: Path, shelf: Shelf) -> None:
    machine = Machine(tmp_path, shelf, trust=())
    assert machine.remote.lookup(KEY) is None
    assert shelf.asked == []
    assert "names no key" in machine.notes


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ten_lost_seconds_end_the_patience() -> None:
    clock, said = Clock(), list[str]()
    patience = Patience(said.append, clock=clock)
    for _ in range(int(LOST_SECONDS)):
        assert patience.open
        with patience.timed():
            clock.now += 1.01
    assert not patience.open
    assert len(said) == 1


def test_answers_that_come_in_time_cost_nothing() -> None:
    clock = Clock()
    patience = Patience(print, clock=clock)
    for _ in range(1000):
        with patience.timed() as free:
            clock.now += 1.0
            free.append(1.0)
    assert patience.open


def test_questions_at_the_same_time_share_their_time() -> None:
    clock = Clock()
    patience = Patience(print, clock=clock)
    open_ones = [patience.timed() for _ in range(16)]
    for each in open_ones:
        each.__enter__()
    clock.now += LOST_SECONDS - 1
    for each in open_ones:
        each.__exit__(None, None, None)
    assert patience.open


@pytest.mark.usefixtures("with_key")
def test_what_one_machine_makes_another_takes(tmp_path: Path, shelf: Shelf, protocol: str) -> None:
    maker = Machine(tmp_path / "a", shelf, protocol=protocol, push=True)
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert maker.notes == f"uploaded 1 result to the remote cache {URL}"
    taker = Machine(tmp_path / "b", shelf, protocol=protocol)
    assert taker.remote.lookup(KEY) == RESULT
    assert taker.store.read(DIGEST) == DATA


@pytest.mark.usefixtures("with_key")
def test_blobs_go_before_the_entry_and_only_where_they_are_not_yet(tmp_path: Path, shelf: Shelf) -> None:
    maker = Machine(tmp_path, shelf, push=True)
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert shelf.asked == [f"HEAD cas/{DIGEST}", f"PUT cas/{DIGEST}", f"PUT ac/{KEY}"]
    shelf.asked.clear()
    again = Machine(tmp_path, shelf, push=True)
    again.remote.offer(OTHER, RESULT)
    again.remote.finish()
    assert shelf.asked == [f"HEAD cas/{DIGEST}", f"PUT ac/{OTHER}"]


@pytest.mark.usefixtures("with_key")
def test_a_server_that_wants_folders_gets_them(tmp_path: Path, shelf: Shelf) -> None:
    shelf.needs_folders = True
    maker = Machine(tmp_path, shelf, push=True)
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert set(shelf.files) == {f"ac/{KEY}", f"cas/{DIGEST}"}


@pytest.mark.usefixtures("with_key")
def test_a_wrong_blob_on_the_server_is_replaced(tmp_path: Path, shelf: Shelf) -> None:
    shelf.lay(KEY, data=b"MACHINE CODE")
    maker = Machine(tmp_path, shelf, push=True)
    maker.remote.lookup(KEY)
    assert maker.store.read(DIGEST) is None
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert shelf.files[f"cas/{DIGEST}"] == DATA


def test_without_push_nothing_is_uploaded(shelf: Shelf, machine: Machine) -> None:
    machine.store.put(DATA)
    machine.remote.offer(KEY, RESULT)
    machine.remote.finish()
    assert shelf.asked == []


@pytest.mark.parametrize("value", ["", "ed25519-secret:hunter2"])
def test_push_without_a_right_key_says_so_once_and_uploads_nothing(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(remote_push.KEY_VARIABLE, value)
    monkeypatch.setenv(remote_login.HOST_VARIABLE, "cache.test")
    monkeypatch.setattr(remote_push, "find_program", lambda _names: None)
    maker = Machine(tmp_path, shelf, push=True)
    maker.store.put(DATA)
    for key in (KEY, OTHER):
        maker.remote.offer(key, RESULT)
    maker.remote.finish()
    assert shelf.asked == []
    (note,) = maker.watcher.notes
    assert "did not get 2 of the 2 results" in note
    assert "PYPACKPACK_CACHE_KEY" in note
    assert "hunter2" not in note


@pytest.mark.usefixtures("with_key")
def test_one_that_is_too_large_for_the_server_does_not_stop_the_others(tmp_path: Path, shelf: Shelf) -> None:
    shelf.instead[f"PUT cas/{DIGEST}"] = Answer(413)
    maker = Machine(tmp_path, shelf, push=True)
    small = ActionResult({"other": maker.store.put(b"small")})
    maker.store.put(DATA)
    for key, result in ((KEY, RESULT), (OTHER, small), ("c" * 64, RESULT), ("d" * 64, RESULT)):
        maker.remote.offer(key, result)
    maker.remote.finish()
    assert f"ac/{OTHER}" in shelf.files
    assert f"ac/{KEY}" not in shelf.files
    assert "3 of the 4" in maker.notes
    assert "too large" in maker.notes


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize("answer", [Answer(403), Answer(405), Answer(302), Answer(507), UnansweredError("it took too long")])
def test_a_server_that_takes_nothing_is_not_asked_for_ever(tmp_path: Path, shelf: Shelf, answer: Answer | Exception) -> None:
    shelf.instead["PUT"] = answer
    maker = Machine(tmp_path, shelf, push=True)
    results = [ActionResult({"out": maker.store.put(bytes([number]))}) for number in range(40)]
    for number, result in enumerate(results):
        maker.remote.offer(f"{number:064x}", result)
    maker.remote.finish()
    assert sum(each.startswith("PUT") for each in shelf.asked) <= 2 + remote_push.THREADS
    assert "40 of the 40" in maker.notes
    assert ("507; look into the server's log" in maker.notes) is (answer == Answer(507))
    assert maker.remote.reachable  # it may still give


@pytest.mark.usefixtures("with_key")
def test_a_signer_whom_the_project_does_not_trust_hears_of_it(tmp_path: Path, shelf: Shelf) -> None:
    maker = Machine(tmp_path, shelf, push=True, trust=())
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert PUBLIC in maker.notes
    assert SECRET not in maker.notes


@pytest.mark.usefixtures("with_key")
def test_the_end_of_a_build_waits_a_bounded_time(tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_push, "FINISH_SECONDS", 0.0)
    monkeypatch.setattr(remote_push.Pusher, "_work", lambda _self: None)
    maker = Machine(tmp_path, shelf, push=True)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert "did not get 1 of the 1 results" in maker.notes


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("", "PYPACKPACK_CACHE_HOST has to name the server that it is for, such as PYPACKPACK_CACHE_HOST=cache.test if"),
        ("good.test", "PYPACKPACK_CACHE_HOST names good.test and not cache.test"),
        ("cache.test:8080", "PYPACKPACK_CACHE_HOST names cache.test:8080 and not cache.test"),
        ("x@cache.test", "is no server"),
    ],
)
def test_the_key_signs_for_no_server_that_only_the_project_names(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setenv(remote_login.HOST_VARIABLE, host)
    maker = Machine(tmp_path, shelf, push=True)
    maker.store.put(DATA)
    maker.remote.offer(KEY, RESULT)
    maker.remote.finish()
    assert shelf.asked == []
    assert "PYPACKPACK_CACHE_KEY is not used" in maker.notes
    assert said in maker.notes


@pytest.mark.parametrize(
    ("host", "url", "sent"),
    [
        ("", "https://cache.test", False),
        ("cache.test", "https://evil.test", False),
        ("cache.test", "https://cache.test:8443/x", False),
        ("cache.test", "https://cache.test.evil.test", False),
        ("cache.test", "https://cache.test/x", True),
        ("CACHE.test:443", "https://cache.test", True),
        ("cache.test:8443", "https://cache.test:8443", True),
        ("[::1]:81", "https://[::1]:81", True),
    ],
)
@pytest.mark.parametrize("variables", [("PYPACKPACK_CACHE_TOKEN",), ("PYPACKPACK_CACHE_USER", "PYPACKPACK_CACHE_PASSWORD")])
def test_the_login_of_the_environment_goes_to_no_server_that_only_the_project_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, url: str, variables: tuple[str, ...], *, sent: bool
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv(remote_login.HOST_VARIABLE, host)
    for name in variables:
        monkeypatch.setenv(name, "hunter2")
    watcher = Silent()
    server = RemoteCache(RemoteSettings(url), watcher).server()
    assert ("Authorization" in vars(server)["_headers"]) is sent
    assert [("is not sent to it" in note, "hunter2" in note) for note in watcher.notes] == ([] if sent else [(True, False)])


@pytest.mark.parametrize("variable", ["NETRC", "HOME"])
def test_netrc_is_for_the_servers_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine cache.test login me password hunter2\ndefault login me password hunter2\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv(variable, str(netrc if variable == "NETRC" else tmp_path))
    monkeypatch.setenv("PYPACKPACK_CACHE_TOKEN", "t0ken")  # nobody says for whom: not sent, and does not stand in the way
    monkeypatch.delenv(remote_login.HOST_VARIABLE, raising=False)
    sent = {
        url: vars(RemoteCache(RemoteSettings(url), Silent()).server())["_headers"].get("Authorization", "")[:6]
        for url in ("https://cache.test", "https://evil.test")
    }
    assert sent == {"https://cache.test": "Basic ", "https://evil.test": ""}


@pytest.mark.parametrize(
    ("setting", "variable", "expected"),
    [(False, "", False), (True, "", True), (False, "true", True), (True, "0", False), (True, "False", False), (False, "1", True)],
)
def test_the_environment_wins_over_push(monkeypatch: pytest.MonkeyPatch, setting: bool, variable: str, expected: bool) -> None:
    monkeypatch.setenv("PYPACKPACK_CACHE_PUSH", variable)
    assert wants_push(RemoteSettings(URL, push=setting)) is expected
