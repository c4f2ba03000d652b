"""Keys as texts, and signatures."""

from __future__ import annotations

import pytest

from pypackpack.backend.signing import KeyTextError, Signer, Verifier, make_pair, public_bytes, signer_name
from pypackpack.model.cache import is_public_key

# RFC 8032, 7.1, test 2.
SECRET = "ed25519-secret:TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs"
PUBLIC = "ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"
SIGNATURE = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"


def test_the_vector_of_the_standard() -> None:
    signer = Signer(SECRET)
    assert signer.public_text == PUBLIC
    assert signer.sign(b"\x72").hex() == SIGNATURE
    assert Verifier([public_bytes(PUBLIC)]).believes(signer.public, bytes.fromhex(SIGNATURE), b"\x72")


def test_a_new_pair_belongs_together_and_is_another_each_time() -> None:
    secret, public = make_pair()
    assert Signer(secret).public_text == public
    assert is_public_key(public)
    assert make_pair()[0] != secret


def test_only_the_right_key_over_the_right_bytes_is_believed() -> None:
    ours, theirs = Signer(make_pair()[0]), Signer(make_pair()[0])
    verifier = Verifier([ours.public])
    good = ours.sign(b"data")
    assert verifier.believes(ours.public, good, b"data")
    assert not verifier.believes(ours.public, good, b"Data")
    assert not verifier.believes(ours.public, theirs.sign(b"data"), b"data")
    assert not verifier.believes(theirs.public, theirs.sign(b"data"), b"data")
    assert not verifier.believes(ours.public, b"", b"data")
    assert not Verifier([]).believes(ours.public, good, b"data")


def test_thirty_two_bytes_that_are_no_key_are_believed_in_nothing() -> None:
    for public in (bytes(32), b"\xff" * 32, b"\x02" + bytes(31)):
        assert not Verifier([public]).believes(public, bytes(64), b"data")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ed25519:",
        PUBLIC[:-1],
        PUBLIC + "A",
        PUBLIC[:-1] + "x",
        PUBLIC.upper(),
        SECRET,
        PUBLIC.replace("-", "+"),
        PUBLIC + "\n",
    ],
)
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(KeyTextError):
        public_bytes(text)


def test_a_wrong_secret_is_not_repeated() -> None:
    with pytest.raises(KeyTextError) as error:
        Signer("ed25519-secret:hunter2")
    assert "hunter2" not in str(error.value)


def test_a_signer_has_a_name_that_fits_a_folder() -> None:
    name = signer_name(public_bytes(PUBLIC))
    assert len(name) == 32
    assert name.isalnum()
