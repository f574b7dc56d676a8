"""A stored token is the token under a key, and nothing else is lost or found."""

from hypothesis import given
from hypothesis import strategies as st

from cache.token import Token
from tests.support.cache_keys import token_keys

KEYS = token_keys()

tokens = st.binary(min_size=16, max_size=16).map(Token)
keys = st.integers(1, 3).map(KEYS.numbered)


@given(key=keys, asked=st.lists(tokens, max_size=20))
def test_what_is_stored_is_restored_one_by_one_and_one_behind_the_other(key, asked):
    assert [key.restored(key.stored(token)) for token in asked] == asked
    together = b"".join(asked)
    assert key.restored(key.stored(together)) == together
    assert key.stored(together) == b"".join(key.stored(token) for token in asked)
    assert list(key.each_stored(asked)) == [key.stored(token) for token in asked]


@given(key=keys, before=st.lists(tokens, max_size=5), token=tokens)
def test_a_stored_token_is_the_same_whatever_was_stored_before_it(key, before, token):
    first = key.stored(token)
    key.each_stored(before)
    key.restored(b"".join(before))
    assert key.stored(token) == first
    assert key.each_stored([*before, token])[-1] == first
    assert token_keys().numbered(key.number).stored(token) == first


@given(key=keys, pair=st.lists(tokens, min_size=2, max_size=2, unique=True))
def test_two_tokens_are_never_stored_as_one(key, pair):
    first, second = key.each_stored(pair)
    assert first != second


@given(token=tokens)
def test_each_key_stores_a_token_in_another_way(token):
    stored = {KEYS.numbered(number).stored(token) for number in KEYS.fingerprints}
    assert len(stored) == len(KEYS.fingerprints)
    assert KEYS.first.stored(token) == token
