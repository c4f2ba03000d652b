"""The tables of Cython's lexer, kept in a file: to make them takes Cython a quarter of a second in every new process.

Cython describes its tokens by expressions, and makes a state machine of them when it is imported: 491 states, ten of which
have a transition for each of the 149,000 characters that a name may have. The file holds the transitions, by ranges of
characters. What is to be done at the end of a token (its action) is an object of Cython's, named by the token's place in the
description, which is made anew each time and costs nothing.

The transitions of characters that are not ASCII, nearly all there are, are added when a source may have one (`Tables.whole`).

The file has three lines: the SHA-256 of what follows, the ASCII part, the rest. One that is damaged, or does not fit, is
written anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ASCII = 128
"""The first code that is not in it."""
_OWN = ("number", "action")
"""What a state holds besides transitions."""
_ENCODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
"""As Cython looks for it in the first two lines (PEP 263)."""
_PLAIN = frozenset({b"utf-8", b"utf8", b"utf-8-sig", b"ascii", b"us-ascii", b"latin-1", b"latin1", b"iso-8859-1", b"cp1252"})
"""The usual encodings in which a byte below 128 is that character of ASCII, and nothing else."""


class Tables:
    """The tables of this process.

    Attributes:
        file: Where they are kept; empty: nowhere, and Cython makes them.
        was_read: Whether they came from there.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.was_read = False
        self._states: list[dict[str, Any]] = []
        self._rest = b""

    def keep(self) -> None:
        """Let the lexer come from the file, or go to it; to be called before anything of Cython's compiler is imported."""
        if not self.file:
            return
        from Cython import Plex  # noqa: PLC0415 - it is on sys.path only after this file was imported

        make = Plex.Lexicon

        def lexicon(specifications: list[Any]) -> Any:
            specifications, actions = _numbered(specifications)
            machine = self._read(actions)
            if machine is None:
                made = make(specifications)
                with contextlib.suppress(OSError):  # the next process makes it, then
                    self._write(made.machine, actions)
                return made
            self.was_read = True
            result = make.__new__(make)
            result.machine = machine
            return result

        Plex.Lexicon = lexicon

    def whole(self, sources: Iterable[bytes]) -> None:
        """Add what is not ASCII, if it may be in one of these sources and was not added before."""
        if self._rest and not all(map(_says_ascii, sources)):
            _add(self._states, json.loads(self._rest))
            self._rest = b""

    def _read(self, actions: list[Any]) -> Any:
        """Return the machine of the file; None where there is none, or it is not what was written."""
        try:
            with open(self.file, "rb") as stream:  # noqa: PTH123 - pathlib is imported later
                digest, _, data = stream.read().partition(b"\n")
            if hashlib.sha256(data).hexdigest().encode() != digest:
                return None
            ascii_, _, rest = data.partition(b"\n")
            machine = made(json.loads(ascii_), actions)
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            return None
        self._states, self._rest = machine.states, rest
        return machine

    def _write(self, machine: Any, actions: list[Any]) -> None:
        """Write a machine."""
        data = b"\n".join(json.dumps(each, separators=(",", ":")).encode() for each in described(machine, actions))
        fresh = f"{self.file}.{os.getpid()}"
        os.makedirs(os.path.dirname(fresh), exist_ok=True)  # noqa: PTH103, PTH120 - as above
        try:
            with open(fresh, "wb") as stream:  # noqa: PTH123 - as above
                stream.write(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
            os.replace(fresh, self.file)  # noqa: PTH105 - as above
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)  # noqa: PTH108 - as above


def _says_ascii(source: bytes) -> bool:
    """Tell whether all characters of a source are ASCII: in UTF-7 or ISO-2022-JP, others are written with its bytes, too."""
    found = _ENCODING.findall(b"\n".join(source.split(b"\n", 2)[:2])) if source.isascii() else [b""]
    return all(name.lower().replace(b"_", b"-") in _PLAIN for name in found)


def _numbered(specifications: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the description with each token's action as an object, and these objects in order."""
    from Cython.Plex import Actions, State  # noqa: PLC0415 - as above

    actions: list[Any] = []

    def token(pattern: Any, action: Any) -> tuple[Any, Any]:
        if not isinstance(action, Actions.Action):
            action = Actions.Call(action) if callable(action) else Actions.Return(action)
        actions.append(action)
        return pattern, action

    return [
        State(each.name, [token(*item) for item in each.tokens]) if isinstance(each, State) else token(*each)
        for each in specifications
    ], actions


def described(machine: Any, actions: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return a machine as values of JSON: its ASCII part, and the rest.

    The first is ``{"states": [[number, action, transitions], …], "initial": {name: state}}``, the second is
    ``[[state, transitions], …]``. ``transitions`` are ``[event, to]``, or ``[first, last, to]`` with the codes of characters. A
    state is its place in the machine.
    """
    places = {id(state): place for place, state in enumerate(machine.states)}
    numbers: dict[int, int] = {}
    for number, action in enumerate(actions):
        numbers.setdefault(id(action), number)
    states, rest = [], []
    for place, state in enumerate(machine.states):
        near, far = _transitions(state, places)
        states.append([state["number"], None if state["action"] is None else numbers[id(state["action"])], near])
        if far:
            rest.append([place, far])
    initial = {name: places[id(state)] for name, state in machine.initial_states.items()}
    return {"states": states, "initial": initial}, rest


def _transitions(state: dict[str, Any], places: dict[int, int]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the transitions of a state: those of events and of ASCII, and the others; for speed, since they are 1.5 million."""
    near: list[list[Any]] = []
    far: list[list[Any]] = []
    last, before, current = -2, None, [0, 0, None]
    for event, to in state.items():
        if len(event) != 1:
            if event not in _OWN:
                near.append([event, None if to is None else places[id(to)]])
            continue
        code = ord(event)
        if code == last + 1 and to is before and code != ASCII:
            current[1] = last = code
            continue
        last, before, current = code, to, [code, code, None if to is None else places[id(to)]]
        (near if code < ASCII else far).append(current)
    return near, far


def made(content: dict[str, Any], actions: list[Any]) -> Any:
    """Return the machine whose ASCII part this is."""
    from Cython.Plex import Machines  # noqa: PLC0415 - as above

    machine = Machines.FastMachine()
    machine.states.extend({"number": number, "action": None if a is None else actions[a]} for number, a, _ in content["states"])
    _add(machine.states, [[place, transitions] for place, (_, _, transitions) in enumerate(content["states"])])
    machine.initial_states.update({name: machine.states[place] for name, place in content["initial"].items()})
    return machine


def _add(states: list[dict[str, Any]], transitions: list[Any]) -> None:
    """Add transitions to the states of a machine."""
    for place, leads in transitions:
        state = states[place]
        for *events, to in leads:
            target = None if to is None else states[to]
            if len(events) == 1:
                state[events[0]] = target
            else:
                state.update(dict.fromkeys(map(chr, range(events[0], events[1] + 1)), target))
