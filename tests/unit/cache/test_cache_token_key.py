"""A process learns token keys and uses one of them; no key ever takes the number of another."""

import pytest

from cache.token import Tokenizer
from cache.token_key import FIRST_KEY, KEY_NUMBER_MAX, TokenKey, TokenKeys
from tests.support.cache_keys import SECOND, THIRD, TOKENIZER, first_key, token_keys

OTHER = Tokenizer(bytes(32))


def test_the_first_key_is_that_of_the_hash_and_encrypts_nothing():
    key = first_key().current
    assert (key.number, key.is_plain) == (FIRST_KEY, True)
    assert (key.fingerprint, key.checksum_key) == (TOKENIZER.fingerprint, TOKENIZER.checksum_key)


def test_no_two_keys_share_a_name_or_a_key_of_checksums():
    keys = token_keys()
    held = [keys.numbered(number) for number in keys.fingerprints]
    assert len({key.fingerprint for key in held}) == len({key.checksum_key for key in held}) == 3
    assert not any(key.checksum_key in {SECOND, THIRD} for key in held)
    assert [key.is_plain for key in held] == [True, False, False]


def test_the_same_key_has_another_name_in_another_deployment():
    assert TokenKey(2, TOKENIZER, SECOND).fingerprint != TokenKey(2, OTHER, SECOND).fingerprint


@pytest.mark.parametrize("length", [1, 15, 17, 31])
def test_bytes_that_are_no_tokens_are_refused(length):
    for number in (1, 2):
        key = token_keys().numbered(number)
        with pytest.raises(AssertionError, match="16 bytes"):
            key.stored(bytes(length))
        with pytest.raises(AssertionError, match="16 bytes"):
            key.restored(bytes(length))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        first_key().learn({2: bytes(length)})


@pytest.mark.parametrize("number", [0, FIRST_KEY, KEY_NUMBER_MAX + 1])
def test_a_number_that_no_encrypting_key_has_is_refused(number):
    with pytest.raises(ValueError, match="numbers from 2"):
        first_key().learn({number: SECOND})


def test_another_key_under_a_number_is_refused_and_the_held_one_stays():
    keys = token_keys()
    held = keys.numbered(2)
    with pytest.raises(ValueError, match="number 2 before"):
        keys.learn({2: THIRD})
    assert keys.numbered(2) is held
    assert keys.known(TokenKey(2, TOKENIZER, THIRD).fingerprint) is keys.numbered(3)


def test_a_key_that_is_learned_again_stays_the_same():
    keys = token_keys()
    held = keys.numbered(2)
    keys.learn({2: SECOND})
    assert keys.numbered(2) is held


def test_a_key_is_found_by_name_as_soon_as_it_is_learned():
    keys, name = first_key(), token_keys().fingerprints[2]
    assert keys.known(name) is None
    keys.learn({2: SECOND})
    assert keys.known(name) is keys.numbered(2)
    assert keys.numbered(3) is None


def test_a_key_is_used_only_when_the_registry_names_it():
    keys = TokenKeys(TOKENIZER, {2: SECOND})
    assert (keys.current.number, keys.is_settled) == (1, False)
    keys.use(2)
    assert (keys.current.number, keys.is_settled) == (2, True)
    assert keys.first.number == FIRST_KEY
    with pytest.raises(KeyError):
        keys.use(3)
    assert keys.current.number == 2
