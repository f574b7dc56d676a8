"""A ruling removes the officer whose document was held up, and no officer of the same number."""

import pytest
from msgspec import UNSET

from cache.token import Tokenizer
from checker.domain.document import Document, DocumentType
from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.registry.document_key import DocumentKey
from checker.registry.entry import Holder, LineRejected, OfficerEntry, PartyType
from checker.registry.ledger_officers import officers_without
from checker.registry.ledger_state import ListingState
from checker.registry.sealing import Sealer
from checker.vault import Vault
from tests.support.platform_records import listing, read_listing

SEALER = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(32)))
FOREIGN, CHINESE = "X1234567", "E12345678"


def passport(number, issuer=None):
    return Document(type=DocumentType.PASSPORT, number=number, issuer=issuer or UNSET)


def left_after(removed, *documents):
    """Return the numbers of the officers' documents that stay."""
    officers = tuple(
        OfficerEntry(role=Role.PRINCIPAL, holder=Holder(name="陈示例", documents=(each,)))
        for each in documents
    )
    entry = read_listing(listing())
    state = ListingState(
        digest=b"",
        court=entry.court,
        party_type=PartyType.ORGANIZATION,
        kind=ListingKind.DISHONEST,
        in_force=True,
        entry=type(entry)(**{**_fields(entry), "officers": officers}),
    )
    keys = frozenset({DocumentKey(SEALER.document_token(removed), removed.known_issuer)})
    found = officers_without(state, keys, SEALER)
    return [each.holder.documents[0] for each in found]


def _fields(entry):
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def test_the_officer_of_another_state_stays():
    french, american = passport(FOREIGN, "FRA"), passport(FOREIGN, "USA")
    assert left_after(french, french, american) == [american]


def test_the_holder_of_a_chinese_number_is_not_the_one_of_another_state():
    chinese, french = passport(CHINESE), passport(CHINESE, "FRA")
    assert left_after(chinese, chinese, french) == [french]
    assert left_after(french, chinese, french) == [chinese]


@pytest.mark.parametrize("issuer", [None, "FRA"])
def test_an_unknown_issuer_may_be_any(issuer):
    assert left_after(passport(FOREIGN), passport(FOREIGN, issuer)) == []


def test_no_officer_of_the_state_is_no_officer_of_the_document():
    with pytest.raises(LineRejected):
        left_after(passport(FOREIGN, "FRA"), passport(FOREIGN, "USA"))
