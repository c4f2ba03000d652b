"""Entries of the remote cache: what is signed comes back, and nothing else is ever taken for an entry."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend.remote_entry import (
    ENTRY_LIMIT,
    FORMAT,
    NoEntryError,
    from_action_result,
    pack_head,
    read_pack_head,
    seal,
    to_action_result,
    unseal,
)
from pypackpack.backend.signing import Signer, Verifier, make_pair
from pypackpack.model.action import ActionResult

OURS, THEIRS = Signer(make_pair()[0]), Signer(make_pair()[0])
TRUST = Verifier([OURS.public])
KEY, OTHER = "a" * 64, "b" * 64
DIGEST = "0123456789abcdef" * 4
RESULT = ActionResult({"module": DIGEST}, {"file": "x.so", "ü": 'a "quoted" \n line'})
SIZES = {DIGEST: 12}

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
names = st.text(st.characters(codec="utf-8"), max_size=30)


def sealed(content: object, signer: Signer = OURS) -> bytes:
    """Sign any document as an entry."""
    document = content if isinstance(content, bytes) else json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    signature = signer.sign(f"{FORMAT}\n".encode() + document)
    return f"{FORMAT} {signer.public.hex()} {signature.hex()}\n".encode() + document


def content(**changes: object) -> dict[str, object]:
    return {"format": FORMAT, "key": KEY, "outputs": {"module": [DIGEST, 12]}, "facts": {}, **changes}


@given(
    outputs=st.dictionaries(names, st.tuples(digests, st.integers(0, 1 << 32)), max_size=5),
    facts=st.dictionaries(names, names, max_size=5),
    key=digests,
)
def test_what_is_sealed_comes_back_by_every_way(outputs: dict[str, tuple[str, int]], facts: dict[str, str], key: str) -> None:
    sizes = dict(outputs.values())
    result = ActionResult({name: digest for name, (digest, _) in outputs.items()}, facts)
    entry = seal(key, result, sizes, OURS)
    found = unseal(key, from_action_result(to_action_result(entry, result, sizes)), TRUST)
    assert (found.result, found.sizes, found.public) == (result, sizes, OURS.public)
    stream = io.BytesIO(pack_head(entry) + entry + b"blobs")
    assert read_pack_head(stream.read) == entry
    assert stream.read() == b"blobs"


def test_the_same_result_is_the_same_bytes() -> None:
    swapped = ActionResult(dict(reversed(RESULT.outputs.items())), dict(reversed(RESULT.facts.items())))
    assert seal(KEY, RESULT, SIZES, OURS) == seal(KEY, swapped, SIZES, OURS)


def test_an_entry_of_another_key_is_none() -> None:
    entry = seal(OTHER, RESULT, SIZES, OURS)
    assert unseal(OTHER, entry, TRUST).result == RESULT
    with pytest.raises(NoEntryError, match="another key"):
        unseal(KEY, entry, TRUST)


def test_an_entry_that_somebody_else_signed_is_none() -> None:
    with pytest.raises(NoEntryError, match="trust"):
        unseal(KEY, seal(KEY, RESULT, SIZES, THEIRS), TRUST)


def test_our_name_over_somebody_elses_signature_is_none() -> None:
    entry = seal(KEY, RESULT, SIZES, THEIRS).replace(THEIRS.public.hex().encode(), OURS.public.hex().encode())
    with pytest.raises(NoEntryError, match="trust"):
        unseal(KEY, entry, TRUST)


def test_a_document_without_a_signature_is_none() -> None:
    for data in (b"", b"{}", json.dumps(content()).encode(), seal(KEY, RESULT, SIZES, OURS).partition(b"\n")[2]):
        with pytest.raises(NoEntryError, match="not signed"):
            unseal(KEY, data, TRUST)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_and_it_is_none(place: int, bit: int) -> None:
    entry = bytearray(seal(KEY, RESULT, SIZES, OURS))
    entry[place % len(entry)] ^= 1 << bit
    with pytest.raises(NoEntryError):
        unseal(KEY, bytes(entry), TRUST)


@given(cut=st.integers(1, 10_000))
def test_a_part_of_an_entry_is_none(cut: int) -> None:
    entry = seal(KEY, RESULT, SIZES, OURS)
    with pytest.raises(NoEntryError):
        unseal(KEY, entry[: -(cut % len(entry)) or -1], TRUST)


@pytest.mark.parametrize(
    "document",
    [
        content(format="pypackpack-cache-2"),
        content(more=1),
        {key: value for key, value in content().items() if key != "facts"},
        content(outputs=[]),
        content(outputs={"module": DIGEST}),
        content(outputs={"module": [DIGEST]}),
        content(outputs={"module": [DIGEST, -1]}),
        content(outputs={"module": [DIGEST, 1 << 40]}),
        content(outputs={"module": [DIGEST, True]}),
        content(outputs={"module": [DIGEST, 1.5]}),
        content(outputs={"module": ["../../etc/passwd", 1]}),
        content(outputs={"module": [DIGEST.upper(), 1]}),
        content(outputs={"module": [DIGEST + "\n", 1]}),
        content(outputs={"a": [DIGEST, 1], "b": [DIGEST, 2]}),
        content(outputs={"x" * 1001: [DIGEST, 1]}),
        content(facts={"file": 1}),
        content(facts=None),
        [],
        None,
        b"",
        b"\xff",
        b"[" * 100_000,
        b"1" * 5000,
        json.dumps(content()).encode(),
        json.dumps(content(), sort_keys=True, separators=(",", ":")).encode() + b"\n",
        json.dumps(content(), sort_keys=True, separators=(",", ":")).encode().replace(b'{"facts"', b'{"facts":{},"facts"'),
        json.dumps(content(), sort_keys=True, separators=(",", ":")).encode("utf-16"),
    ],
)
def test_a_signed_document_of_another_form_is_none(document: object) -> None:
    with pytest.raises(NoEntryError):
        unseal(KEY, sealed(document), TRUST)


def test_a_result_too_large_for_an_entry_is_not_sealed() -> None:
    with pytest.raises(NoEntryError):
        seal(KEY, ActionResult({}, {"refused": "x" * ENTRY_LIMIT}), {}, OURS)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_action_result_or_refused(data: bytes) -> None:
    try:
        found = from_action_result(data)
    except NoEntryError:
        return
    assert found in data


@given(st.binary(max_size=300))
def test_any_bytes_are_no_entry(data: bytes) -> None:
    with pytest.raises(NoEntryError):
        unseal(KEY, data, TRUST)
    with pytest.raises(NoEntryError):
        unseal(KEY, read_pack_head(io.BytesIO(data).read), TRUST)


def test_an_action_result_may_say_more_and_nothing_of_it_counts() -> None:
    entry = seal(KEY, RESULT, SIZES, OURS)
    message = to_action_result(entry, ActionResult({"other": "f" * 64}), {"f" * 64: 3})
    worker = b"\x4a\x0b\x0a\x09127.0.0.1"  # execution_metadata.worker: what bazel-remote adds
    exit_code = b"\x20\x01"
    assert unseal(KEY, from_action_result(worker + message + exit_code), TRUST).result == RESULT


def test_an_action_result_with_two_entries_is_refused() -> None:
    message = to_action_result(b"entry", ActionResult(), {})
    with pytest.raises(NoEntryError):
        from_action_result(message * 2)


@pytest.mark.parametrize(
    "head", [b"", b"pypackpack-pack-1 \n", b"pypackpack-pack-1 9999999\n", b"pypackpack-pack-1 10\nshort", b"x" * 100]
)
def test_a_pack_without_an_entry_is_refused(head: bytes) -> None:
    with pytest.raises(NoEntryError):
        read_pack_head(io.BytesIO(head).read)
