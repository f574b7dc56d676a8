"""Laws of distinctions: a distinction never hardens a decision, and reaches one document only."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cache.token import Tokenizer
from checker.domain.decision import Outcome
from checker.domain.document import Document, normalize
from checker.domain.jurisdiction import NATION
from checker.domain.listing_kind import ListingKind
from checker.domain.rules import decide
from checker.domain.service import Air
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import found_document
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import DOCUMENT_NUMBER, PARTY_NAME, Sealer
from checker.registry.several_documents import one_standing
from checker.registry.standing_rows import RowKind
from checker.vault import Vault

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
SEALER = Sealer(Tokenizer(bytes(32)), Vault(bytes(32)))
POLICY = load_policies(builtin_policies(), {}).effective(NATION)
NAMES = ("陈示例", "李示例")
LISTINGS = ("1", "2")
SPELLINGS = (
    {"type": "resident_id", "number": "440882189001011230"},
    {"type": "hk_macao_permit", "number": "H12345678"},
    {"type": "passport", "number": "X1234567"},
    {"type": "passport", "number": "X1234567", "issuer": "USA"},
    {"type": "passport", "number": "X1234567", "issuer": "GBR"},
    {"type": "passport", "number": "E12345678"},
)


def known(spelling: dict[str, str]) -> Document:
    return normalize(msgspec.convert(spelling, Document), TODAY)


DOCUMENTS = tuple(map(known, SPELLINGS))
documents = st.sampled_from(DOCUMENTS)
asked = st.tuples(
    st.lists(documents, min_size=1, max_size=3, unique=True), st.sampled_from((None, *NAMES))
)
links = st.tuples(documents, documents, st.sampled_from(LISTINGS), st.sampled_from(NAMES))
distinctions = st.tuples(st.sampled_from(LISTINGS), documents)


def link_row(asked_by: Document, listed: Document, listing_id: str, name: str) -> dict[str, Any]:
    """Return the row of a listed document that reaches another one: itself, or one bound to it."""
    one, other = map(SEALER.document_key, (asked_by, listed))
    is_own = one.token == other.token
    return {
        "row_kind": RowKind.LINK.value,
        "asked": one.token,
        "is_own": is_own,
        "asked_issuer": None if is_own else one.issuer,
        "source_issuer": None if is_own else other.issuer,
        "type": listed.type.value,
        "number": SEALER.vault.seal(listed.number, DOCUMENT_NUMBER, listing_id, other.token.hex()),
        "token": other.token,
        "issuer": other.issuer,
        "role": "debtor",
        "masked": False,
        "name_token": SEALER.name_token(name),
        "officer_pk": None,
        "holder_name": SEALER.vault.seal(name, PARTY_NAME, listing_id),
        "listing_kind": ListingKind.DISHONEST.value,
        "items": None,
        "listing_id": listing_id,
        "case_number": listing_id,
        "court": "雷州市人民法院",
        "published_on": None,
        "starts_on": None,
        "ends_on": None,
        "public": True,
        "fulfilled_on": None,
        "measures": None,
    }


def distinction_row(listing_id: str, document: Document) -> dict[str, Any]:
    token, issuer = SEALER.document_key(document)
    return {
        "row_kind": RowKind.DISTINCTION.value,
        "asked": token,
        "listing_id": listing_id,
        "issuer": issuer,
    }


def outcome(presented: list[Document], name: str | None, rows: list[dict[str, Any]]) -> Outcome:
    found = []
    for document in presented:
        token = SEALER.document_token(document)
        subject = PreparedSubject(token=token, document=document, name=name)
        own = [row for row in rows if row["asked"] == token]
        found.append(found_document(subject, None, own, SEALER))
    standing = one_standing(found, is_unknowable=False)
    return decide(standing, Air(flight="CZ3101"), policy=POLICY, now=NOW).outcome


@given(asked, st.lists(links, max_size=5), st.lists(distinctions, max_size=2), distinctions)
def test_a_distinction_never_hardens_and_reaches_one_document_only(
    question: Any, linked: Any, earlier: Any, more: Any
) -> None:
    rows = [*(link_row(*each) for each in linked), *(distinction_row(*each) for each in earlier)]
    [document] = presented = question[0][:1]
    before = outcome(presented, question[1], rows)
    after = outcome(presented, question[1], [*rows, distinction_row(*more)])
    assert after.strength <= before.strength
    if document != more[1]:
        assert after is before


@given(asked, st.lists(links, max_size=5))
def test_a_document_that_is_distinguished_from_all_its_listings_is_free(
    question: Any, linked: Any
) -> None:
    rows = [link_row(*each) for each in linked]
    rows += [distinction_row(listing_id, each) for listing_id in LISTINGS for each in question[0]]
    assert outcome(question[0], question[1], rows) is Outcome.ALLOW


def test_a_key_of_a_document_is_its_token_and_its_issuer() -> None:
    token = SEALER.document_token(DOCUMENTS[3])
    assert SEALER.document_key(DOCUMENTS[3]) == DocumentKey(token, "USA")
    assert SEALER.document_key(DOCUMENTS[2]) == DocumentKey(token, None)
