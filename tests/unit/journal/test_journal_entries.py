"""Entries of the journal: nobody makes one without the key, and one says which rows it names."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from checker.journal.content import content_digest
from checker.journal.entries import Area, Named, entry_row, mac_of
from checker.vault import DIGEST_BYTES, KEY_BYTES, Vault

VAULT = Vault(bytes(KEY_BYTES))
OTHER_VAULT = Vault(bytes([1] * KEY_BYTES))
NAMED = [Named("listing", "1#2", b"a" * DIGEST_BYTES), Named("directive", "1#3", b"b" * 16)]
ROW = entry_row(VAULT, Area.LIST, NAMED, version=7)
AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)


def digest(**fields):
    return content_digest(VAULT.digest, "kind", fields)


def test_an_entry_names_its_rows_side_by_side_with_their_digests():
    assert ROW["keys"] == ["listing 1#2", "directive 1#3"]
    assert ROW["digests"] == [each.digest for each in NAMED]
    assert mac_of(VAULT, ROW) == ROW["mac"]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": bytes(16)},
        {"area": "spending"},
        {"version": 8},
        {"version": None},
        {"keys": ["directive 1#3", "listing 1#2"]},
        {"digests": ROW["digests"][::-1]},
        {"keys": ROW["keys"][:1], "digests": ROW["digests"][:1]},
    ],
)
def test_whatever_is_changed_in_an_entry_changes_its_digest(change):
    assert mac_of(VAULT, ROW | change) != ROW["mac"]


def test_an_entry_of_another_key_is_no_entry():
    assert mac_of(OTHER_VAULT, ROW) != ROW["mac"]


def test_no_two_entries_of_the_same_rows_are_alike():
    again = entry_row(VAULT, Area.LIST, NAMED, version=7)

    assert again["nonce"] != ROW["nonce"]
    assert again["mac"] != ROW["mac"]


def test_a_digest_does_not_depend_on_how_a_driver_writes_a_value():
    there = AT.astimezone(timezone(timedelta(hours=8)))
    known_by = "01a20891-65c0-72fe-8692-dd0694adf326"

    assert digest(at=AT) == digest(at=there) != digest(at=AT + timedelta(microseconds=1))
    assert digest(id=known_by) == digest(id=UUID(known_by))
    assert digest(a=1, b=None) == digest(b=None, a=1) != digest(a=1)


def test_a_digest_tells_kinds_and_keys_apart():
    assert digest(a=1) != content_digest(VAULT.digest, "other", {"a": 1})
    assert digest(a=1) != content_digest(OTHER_VAULT.digest, "kind", {"a": 1})
