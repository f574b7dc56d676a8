"""A flipped bit breaks a receipt, wherever it is and whoever verifies."""

import base64
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.document import Document, DocumentType
from checker.receipts.errors import InvalidReceipt
from checker.receipts.receipt import OPENING_BYTES, Claims, commitment
from checker.receipts.signature import kid_of, new_key, public_key, sign, unbase64url, verify
from checker.receipts.verification import verify_receipt

KEY = new_key()
KID = kid_of(KEY)
JWK = jwt.PyJWK.from_dict(msgspec.to_builtins(public_key(KEY)))
CLAIMS = msgspec.json.decode(
    b'{"jti": "1", "iat": 1, "iss": "checker", "aud": "2", "decision": "deny", "measures": ["m"],'
    b' "list_version": 3, "service": "rail", "subject": "s"}',
    type=Claims,
)
JWS = sign(msgspec.json.encode(CLAIMS), KEY, KID)
PARTS = [base64.urlsafe_b64decode(part + "==") for part in JWS.split(".")]

documents = st.builds(
    Document,
    type=st.sampled_from(DocumentType),
    number=st.text("0123456789ABCDEFGHXYZ", min_size=1, max_size=64),
)
openings = st.binary(min_size=OPENING_BYTES, max_size=OPENING_BYTES)


def verified_by_pyjwt(jws: str) -> dict[str, Any]:
    told: dict[str, Any] = jwt.decode(jws, JWK, algorithms=["EdDSA"], audience="2")
    return told


def flipped(content: bytes, bit: int) -> bytes:
    place, within = divmod(bit % (8 * len(content)), 8)
    return content[:place] + bytes([content[place] ^ 1 << within]) + content[place + 1 :]


def test_the_receipt_is_genuine_before_a_bit_is_flipped() -> None:
    assert verify_receipt(JWS, {KID: KEY}).claims == CLAIMS
    assert msgspec.convert(verified_by_pyjwt(JWS), Claims) == CLAIMS


def test_whatever_bit_of_its_text_is_flipped_it_is_not_genuine() -> None:
    text = JWS.encode()
    for bit in range(8 * len(text)):
        changed = flipped(text, bit).decode("latin-1")
        with pytest.raises(InvalidReceipt):
            verify_receipt(changed, {KID: KEY})


@given(st.integers(0, 2), st.integers(0))
def test_another_library_finds_every_bit_that_was_flipped_in_what_is_written(
    part: int, bit: int
) -> None:
    changed = [*PARTS]
    changed[part] = flipped(PARTS[part], bit)
    text = ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in changed)
    with pytest.raises(jwt.InvalidTokenError):
        verified_by_pyjwt(text)


@given(st.text(max_size=200))
def test_no_text_whatever_is_a_receipt_by_chance(text: str) -> None:
    with pytest.raises(InvalidReceipt):
        verify(text, {KID: KEY})


@given(documents, documents, openings, openings)
def test_a_commitment_opens_to_one_document_and_by_one_opening(
    document: Document, other: Document, opening: bytes, wrong: bytes
) -> None:
    assume(document != other)
    assume(opening != wrong)
    committed = commitment(document, opening)
    assert len(unbase64url(committed)) == 32
    assert committed == commitment(document, opening)
    assert committed not in {commitment(other, opening), commitment(document, wrong)}
