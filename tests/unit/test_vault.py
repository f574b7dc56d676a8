"""Values that a vault seals, and the digests that it makes."""

import pytest

from checker.errors import ConfigurationError
from checker.vault import KEY_BYTES, Vault, heads_of

PLACE = "listing.party_name"
VAULT = Vault(bytes(KEY_BYTES))


@pytest.mark.parametrize("text", ["", "陈示例", "440882189001011230", "a\0b", "x" * 100_000])
def test_what_is_sealed_opens_again(text):
    assert VAULT.open(VAULT.seal(text, PLACE), PLACE) == text


def test_a_sealed_field_has_the_layout_that_its_readers_know():
    sealed = VAULT.seal("陈示例", PLACE, "1")

    assert sealed[:2] == bytes([2, 1])
    assert len(sealed) == 2 + 12 + len("陈示例".encode()) + 16


def test_what_an_older_version_sealed_opens_for_every_row_of_its_place():
    golden = bytes.fromhex("010102030405060708090a0b0c5ce394e7d5495ad6fb44d7c6db9ac2a89c")

    assert VAULT.open(golden, PLACE, "1") == VAULT.open(golden, PLACE, "2") == "a"
    with pytest.raises(ConfigurationError):
        VAULT.open(golden, "officer_link.name", "1")


@pytest.mark.parametrize("row", [(), ("2",), ("1", "1"), ("1,1",), ('1","1',)])
def test_a_value_moved_to_another_row_does_not_open(row):
    sealed = VAULT.seal("陈示例", PLACE, "1")

    assert VAULT.open(sealed, PLACE, "1") == "陈示例"
    with pytest.raises(ConfigurationError, match=PLACE):
        VAULT.open(sealed, PLACE, *row)


def test_a_digest_of_the_journal_needs_the_key_of_the_deployment():
    assert VAULT.digest(b"a") == VAULT.digest(b"a") != VAULT.digest(b"b")
    assert VAULT.digest(b"a") != Vault(bytes([1] * KEY_BYTES)).digest(b"a")


def test_no_two_sealings_are_alike():
    assert len({VAULT.seal("陈示例", PLACE) for _ in range(100)}) == 100


def test_a_text_does_not_show_through_its_seal():
    assert "陈示例".encode() not in VAULT.seal("陈示例", PLACE)


def test_another_key_does_not_open():
    with pytest.raises(ConfigurationError, match=PLACE):
        Vault(bytes([1] * KEY_BYTES)).open(VAULT.seal("陈示例", PLACE), PLACE)


def test_a_value_moved_to_another_place_does_not_open():
    with pytest.raises(ConfigurationError, match=r"officer_link\.name"):
        VAULT.open(VAULT.seal("陈示例", PLACE), "officer_link.name")


def test_a_value_with_any_bit_flipped_does_not_open():
    sealed = VAULT.seal("陈", PLACE)
    for position in range(len(sealed) * 8):
        spoilt = bytearray(sealed)
        spoilt[position // 8] ^= 1 << position % 8
        with pytest.raises(ConfigurationError):
            VAULT.open(bytes(spoilt), PLACE)


def test_a_value_cut_anywhere_does_not_open():
    sealed = VAULT.seal("陈示例", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(ConfigurationError):
            VAULT.open(sealed[:length], PLACE)


def both(sealing):
    """Return a vault of two keys that seals with one of them; key 1 is that of `VAULT`."""
    vault = Vault({1: bytes(KEY_BYTES), 2: bytes([2] * KEY_BYTES)})
    vault.seal_with(sealing)
    return vault


def test_a_vault_of_several_keys_seals_with_the_oldest_until_another_is_named():
    vault = Vault({2: bytes([2] * KEY_BYTES), 1: bytes(KEY_BYTES)})

    assert vault.seal("a", PLACE)[:2] == bytes([2, 1])
    vault.seal_with(2)
    assert vault.seal("a", PLACE)[:2] == bytes([2, 2])


def test_a_vault_opens_with_every_key_that_it_holds():
    earlier, later = both(1).seal("a", PLACE, "1"), both(2).seal("b", PLACE, "1")

    assert (both(2).open(earlier, PLACE, "1"), both(1).open(later, PLACE, "1")) == ("a", "b")
    assert VAULT.open(earlier, PLACE, "1") == "a"
    with pytest.raises(ConfigurationError, match=PLACE):
        VAULT.open(later, PLACE, "1")


def test_a_value_whose_number_of_the_key_was_changed_does_not_open():
    same = Vault({1: bytes(KEY_BYTES), 2: bytes(KEY_BYTES)})
    sealed = same.seal("a", PLACE, "1")

    with pytest.raises(ConfigurationError):
        same.open(sealed[:1] + bytes([2]) + sealed[2:], PLACE, "1")


def test_a_vault_learns_a_key_and_refuses_another_under_its_number():
    vault = Vault(bytes(KEY_BYTES))
    vault.learn({1: bytes(KEY_BYTES), 2: bytes([2] * KEY_BYTES)})

    assert vault.open(both(2).seal("a", PLACE), PLACE) == "a"
    assert vault.fingerprints == both(1).fingerprints
    with pytest.raises(ConfigurationError, match="number 2"):
        vault.learn({2: bytes([3] * KEY_BYTES)})


@pytest.mark.parametrize("text", ["", "陈示例", "x" * 100_000])
def test_a_value_is_sealed_again_with_the_newer_key(text):
    golden = bytes.fromhex("010102030405060708090a0b0c5ce394e7d5495ad6fb44d7c6db9ac2a89c")
    vault = both(2)
    again = vault.seal_again(VAULT.seal(text, PLACE, "1"), PLACE, "1")

    assert again[:2] in heads_of(2)
    assert Vault({2: bytes([2] * KEY_BYTES)}).open(again, PLACE, "1") == text
    with pytest.raises(ConfigurationError, match=PLACE):
        vault.open(again, PLACE, "2")
    assert vault.open(vault.seal_again(golden, PLACE, "1"), PLACE, "1") == "a"


def test_a_value_under_a_chain_keeps_the_bytes_of_its_first_sealing():
    first = VAULT.seal("a note", PLACE, "1")
    second = both(2).seal_again(first, PLACE, "1", keeps_first=True)
    vault = Vault({2: bytes([2] * KEY_BYTES), 3: bytes([3] * KEY_BYTES)})
    vault.seal_with(3)
    third = vault.seal_again(second, PLACE, "1", keeps_first=True)

    assert second[:2] in heads_of(2)
    assert third[:2] in heads_of(3)
    for sealed, holder in ((first, VAULT), (second, both(1)), (third, vault)):
        assert holder.open(sealed, PLACE, "1") == "a note"
        assert holder.first_sealed(sealed, PLACE, "1") == first
    with pytest.raises(ConfigurationError):
        VAULT.first_sealed(third, PLACE, "1")


def test_the_key_of_the_journal_outlives_the_key_that_it_was_derived_from():
    vault = Vault({2: bytes([2] * KEY_BYTES)})
    with pytest.raises(ConfigurationError, match="journal"):
        vault.digest(b"a")
    vault.take_journal_key(VAULT.journal_key)

    assert vault.digest(b"a") == VAULT.digest(b"a") == both(2).digest(b"a")
    assert vault.link(b"a") == VAULT.link(b"a")
    with pytest.raises(ConfigurationError, match="journal"):
        vault.take_journal_key(bytes(KEY_BYTES))


def test_a_journal_that_begins_under_a_later_key_has_a_key_too():
    vault = Vault({2: bytes([2] * KEY_BYTES)})
    vault.begin_journal()

    assert vault.digest(b"a") != VAULT.digest(b"a")
