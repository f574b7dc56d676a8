"""Key sets of anybody, as `verify-receipt` reads them."""

import json
from typing import Any

import msgspec
import pytest

from checker.receipts.errors import InvalidKeySet, InvalidReceipt
from checker.receipts.signature import (
    KEYS_MAX,
    kid_of,
    new_key,
    public_key,
    read_key,
    read_key_set,
    sign,
    verify,
    write_key,
)

KEY = new_key()
SHOWN: dict[str, Any] = msgspec.to_builtins(public_key(KEY))


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_a_published_key_verifies_and_tells_nothing_private() -> None:
    assert SHOWN.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    keys = read_key_set(key_set(SHOWN))
    assert verify(sign(b"said", KEY, kid_of(KEY)), keys) == (kid_of(KEY), b"said")
    assert not keys[kid_of(KEY)].is_private


def test_keys_of_other_kinds_are_passed_over() -> None:
    others = ({"kty": "RSA", "kid": "1"}, {**SHOWN, "crv": "Ed448"}, {**SHOWN, "kid": None}, {})
    assert set(read_key_set(key_set(*others, SHOWN))) == {kid_of(KEY)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": [1]}',
        key_set({**SHOWN, "x": "AA"}),
        key_set({**SHOWN, "x": "é"}),
        key_set(*[{}] * (KEYS_MAX + 1)),
    ],
    # The key is another in each worker, so it is in no test's name.
    ids=[
        "nothing",
        "cut",
        "a list",
        "no text",
        "no keys",
        "no list",
        "no key",
        "short",
        "foreign letter",
        "too many",
    ],
)
def test_what_is_no_key_set_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidKeySet):
        read_key_set(content)


@pytest.mark.parametrize("private", [True, False])
def test_a_key_is_read_as_it_was_written(private: bool) -> None:
    read = read_key(write_key(KEY, private=private))
    assert (read.is_private, kid_of(read)) == (private, kid_of(KEY))


@pytest.mark.parametrize(
    "jws",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "...",
        "é.é.é",
        "\udcff",
        "e30.e30.",
        "W10.e30.AA",
        "eyJhbGciOiJub25lIn0.e30.",  # {"alg": "none"}
        "eyJhbGciOiJFZERTQSJ9.e30.AA",  # without a kid
        "eyJhbGciOiJFZERTQSIsImtpZCI6WzFdfQ.e30.AA",  # {"kid": [1]}
    ],
)
def test_what_is_no_receipt_is_refused(jws: str) -> None:
    with pytest.raises(InvalidReceipt):
        verify(jws, {kid_of(KEY): KEY})


def test_another_s_signature_under_our_kid_is_refused() -> None:
    with pytest.raises(InvalidReceipt):
        verify(sign(b"said", new_key(), kid_of(KEY)), {kid_of(KEY): KEY})
