"""Tokens. The golden vectors are OpenSSL's: `openssl mac -macopt size:16 … BLAKE2BMAC`."""

import pytest

from cache.token import Tokenizer

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("kind", "text", "token"),
    [
        ("resident_id", "440882189001011230", "60f18f0f37b48593f2122721c2285d15"),
        ("organization", "MA4UX001X", "cd7dffef26a9da205294b436cc7ad6bc"),
        ("passport", "", "14b3546348f704b757ed163b91ce3655"),
    ],
)
def test_a_token_is_the_keyed_blake2b_of_kind_and_text(kind, text, token):
    assert Tokenizer(KEY).token(kind, text).hex() == token


def test_many_texts_of_one_kind_have_the_tokens_that_each_has_alone():
    tokenizer = Tokenizer(KEY)
    texts = ["440882189001011230", "", "陈示例", "x" * 300]
    assert tokenizer.tokens("resident_id", texts) == [
        tokenizer.token("resident_id", text) for text in texts
    ]


def test_another_key_gives_another_token():
    other = Tokenizer(bytes(32))
    assert other.token("passport", "E1") != Tokenizer(KEY).token("passport", "E1")


def test_a_fingerprint_names_its_key():
    assert Tokenizer(KEY).fingerprint == "a44c8ab454c8225f"
    assert Tokenizer(bytes(32)).fingerprint != "a44c8ab454c8225f"


def test_a_fingerprint_is_no_token():
    assert Tokenizer(KEY).token("", "").hex()[:16] != Tokenizer(KEY).fingerprint


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        Tokenizer(bytes(length))


def test_a_kind_with_a_colon_is_refused():
    with pytest.raises(ValueError, match="kind"):
        Tokenizer(KEY).token("a:b", "c")
    with pytest.raises(ValueError, match="kind"):
        Tokenizer(KEY).tokens("a:b", ["c"])
