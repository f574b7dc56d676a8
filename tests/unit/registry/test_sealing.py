"""Entries turned into rows: nothing personal stands in them, and both sides build one token."""

import pytest
from msgspec import json

from cache.token import TOKEN_BYTES, Tokenizer
from checker.domain.document import Document, DocumentType
from checker.domain.name import normalize_name
from checker.errors import ConfigurationError
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import DOCUMENT_NUMBER, OFFICER_NAME, PARTY_NAME, Sealer
from checker.vault import Vault
from tests.support.platform_records import ORG_CODE, OTHER, PERSON, USCC, listing, read_listing

VAULT = Vault(bytes(32))
SEALER = Sealer(Tokenizer(bytes(range(32))), VAULT)
OTHER_SEALER = Sealer(Tokenizer(bytes(32)), VAULT)
ID = listing()["id"]
# The digests of `listing()` in the version before there were orders.
GOLDEN_DIGEST = "e30820e5a29bfc5fd47cbd244d45d5db"
GOLDEN_CONTENT = "73fc953f5aec7675521f01085f97bb6c"
MASKED = PERSON[:10] + "****" + PERSON[14:]


def listed(number, kind="resident_id", name="陈示例"):
    """The row of the one officer of a listing."""
    officer = {
        "role": "principal",
        "name": name,
        "documents": [{"type": kind, "number": number}],
    }
    sealed = SEALER.seal(1, read_listing(listing(officers=[officer])))
    [row] = [row for row in sealed.documents if row.ordinal == 0 and not row.derived]
    return row


def opened(row):
    return VAULT.open(row.number, DOCUMENT_NUMBER, ID, row.token.hex())


def asked(number, kind="resident_id", name=None):
    return SEALER.tokens_of(subject_of(SEALER, number, kind, name))


def subject_of(sealer, number, kind, name):
    document = Document(type=DocumentType(kind), number=number)
    return PreparedSubject(token=sealer.document_token(document), document=document, name=name)


def test_no_row_holds_a_number_or_a_name_in_the_open():
    sealed = SEALER.seal(7, read_listing(listing()))
    shown = repr(sealed).encode() + b"".join(
        value
        for row in (sealed.listing, *sealed.officers, *sealed.documents)
        for value in row
        if isinstance(value, bytes)
    )

    for text in (PERSON, USCC, ORG_CODE, "陈示例", "示例有限公司"):
        assert text.encode() not in shown
        assert text not in repr(sealed)


def test_what_is_sealed_opens_in_its_place():
    sealed = SEALER.seal(7, read_listing(listing()))

    assert VAULT.open(sealed.listing.party_name, PARTY_NAME, ID) == "示例有限公司"
    assert VAULT.open(sealed.officers[0].name, OFFICER_NAME, ID) == "陈示例"
    numbers = [opened(row) for row in sealed.documents]
    assert numbers == [USCC, PERSON]
    assert opened(listed(MASKED)) == MASKED


def test_a_name_or_number_of_another_listing_does_not_open():
    sealed = SEALER.seal(7, read_listing(listing()))
    other = SEALER.seal(8, read_listing(listing(id="other")))

    for row, value, place in [
        (other.listing.party_name, sealed.listing.party_name, PARTY_NAME),
        (other.officers[0].name, sealed.officers[0].name, OFFICER_NAME),
    ]:
        assert VAULT.open(row, place, "other") == VAULT.open(value, place, ID)
        with pytest.raises(ConfigurationError):
            VAULT.open(value, place, "other")
    with pytest.raises(ConfigurationError):
        opened(other.documents[0])


def test_rows_keep_what_is_not_personal_and_where_they_belong():
    sealed = SEALER.seal(7, read_listing(listing()))

    assert {row.line for row in (sealed.listing, *sealed.officers, *sealed.documents)} == {7}
    assert (sealed.listing.case_number, sealed.listing.court) == (
        "（2016）粤0882执123号",
        "雷州市人民法院",
    )
    assert [(row.ordinal, row.role, row.type, row.masked) for row in sealed.documents] == [
        (None, "debtor", "uscc", False),
        (0, "legal_representative", "resident_id", False),
    ]


def test_a_whole_number_is_found_with_any_name_and_without():
    token = listed(PERSON).token

    assert len(token) == TOKEN_BYTES
    assert asked(PERSON) == (token,)
    assert asked(PERSON, name="别人")[0] == token


def test_a_uscc_and_its_organization_code_find_each_other():
    assert asked(USCC, "uscc")[0] == listed(ORG_CODE, "org_code").token
    assert asked(ORG_CODE, "org_code")[0] == listed(USCC, "uscc").token


@pytest.mark.parametrize(
    "pattern",
    [
        MASKED,
        PERSON[:6] + "********" + PERSON[14:],
        PERSON[:14] + "****",
        PERSON[:3] + "*" + PERSON[4:],
        "********" + PERSON[8:],
    ],
)
def test_a_masked_number_is_found_by_whoever_gives_the_name(pattern):
    row = listed(pattern)

    assert row.masked
    assert row.token in asked(PERSON, name="陈 示例")
    assert row.token not in asked(PERSON)
    assert row.token not in asked(PERSON, name="别人")


def found(pattern, listed_name, asked_name, kind="resident_id", number=PERSON, asked_kind=None):
    """Whether a row of the masked number is found by the whole one."""
    officer = {
        "role": "principal",
        "name": listed_name,
        "documents": [{"type": kind, "number": pattern}],
    }
    rows = SEALER.seal(1, read_listing(listing(officers=[officer]))).documents
    tokens = asked(number, asked_kind or kind, asked_name)
    own = [row for row in rows if row.ordinal == 0]
    assert all(opened(row) == opened(own[0]) for row in own)
    assert [row.derived for row in own] == [False] + [True] * (len(own) - 1)
    return any(row.token in tokens for row in own)


@pytest.mark.parametrize(
    ("listed_name", "asked_name"),
    [
        ("王\ue863", "王䶮"),
        ("⻩示例", "黄示例"),
        ("李\ufe00示例", "李示例"),
        ("陳示例", "陈示例"),
        ("阿卜杜拉ᐧ买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉买买提", "阿卜杜拉·买买提"),
        ("张三（曾用名李四）", "李四"),
        ("张三", "张三（曾用名李四）"),
    ],
)
def test_a_masked_number_is_found_in_any_spelling_of_the_name(listed_name, asked_name):
    assert found(MASKED, listed_name, asked_name)
    assert found(MASKED, asked_name, listed_name)
    assert not found(MASKED, listed_name, asked_name, number=OTHER)
    assert not found(MASKED, listed_name, "别人")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("uscc", USCC[:10] + "****" + USCC[14:]),
        ("uscc", USCC[:2] + "****" + USCC[6:]),
        ("org_code", ORG_CODE[:4] + "****" + ORG_CODE[8:]),
    ],
)
def test_a_masked_uscc_and_a_masked_code_are_found_by_both(kind, pattern):
    name = "示例（雷州）有限公司"
    for asked_kind, number in (("uscc", USCC), ("org_code", ORG_CODE)):
        assert found(pattern, name, name, kind, number, asked_kind)
        assert found(pattern, name, "示例(雷州) 有限公司", kind, number, asked_kind)
        assert not found(pattern, name, "别的公司", kind, number, asked_kind)


@pytest.mark.parametrize("name", ["陈示例", "阿卜杜拉·买买提", "陳示例", "张三（曾用名李四）"])
def test_a_row_from_before_the_keys_of_names_is_found_by_its_own_spelling(name):
    """The first key of a row is the only one that rows had then: no such row is lost."""
    row = listed(MASKED, name=name)

    assert row.name_token == SEALER.name_token(name)
    shape_and_number = f"11-14:{PERSON[:10]}{PERSON[14:]}"
    old = Tokenizer(bytes(range(32))).token("masked", f"{shape_and_number}:{normalize_name(name)}")
    assert row.token == old
    assert old in asked(PERSON, name=name)


def test_a_masked_uscc_from_before_the_shape_of_organizations_is_found_by_the_uscc():
    row = listed(USCC[:10] + "****" + USCC[14:], "uscc")

    assert row.shape == "11-14"
    assert row.token in asked(USCC, "uscc", "陈示例")


def test_the_digest_of_an_entry_changes_only_if_it_has_derived_rows():
    """So the next list replaces the rows that have too few keys, and no others."""

    def digest_and_old_one(number, name):
        party = {
            "type": "person",
            "name": name,
            "documents": [{"type": "resident_id", "number": number}],
        }
        entry = read_listing(listing(party=party, officers=[]))
        old = Tokenizer(bytes(range(32))).token(
            "listing", json.Encoder(order="deterministic").encode(entry).decode()
        )
        return SEALER.digest(entry), old

    for number, name in ((MASKED, "陈示例"), (PERSON, "阿卜杜拉·买买提")):
        digest, old = digest_and_old_one(number, name)
        assert digest == old
    digest, old = digest_and_old_one(MASKED, "阿卜杜拉·买买提")
    assert digest != old


def test_a_masked_number_is_not_found_by_another_number_of_the_same_name():
    assert listed(MASKED).token not in asked(OTHER, name="陈示例")


def test_names_that_differ_in_spelling_alone_share_a_token():
    assert SEALER.name_token("陈 示例") == SEALER.name_token("陈示例") == listed(PERSON).name_token
    assert SEALER.name_token("陈示例") != SEALER.name_token("陈示")


def test_another_token_key_finds_nobody():
    asked_with = subject_of(OTHER_SEALER, PERSON, "resident_id", "陈示例")

    assert listed(PERSON).token not in OTHER_SEALER.tokens_of(asked_with)


def test_the_digest_changes_with_every_field_and_with_nothing_else():
    def digest(**changes):
        return SEALER.seal(1, read_listing(listing(**changes))).listing.digest

    officer = listing()["officers"][0]
    party = listing()["party"]
    changed = [
        {"case_number": "（2016）粤0882执124号"},
        {"court": "湛江市中级人民法院"},
        {"filed_on": None},
        {"published_on": "2016-07-08"},
        {"expires_on": None},
        {"public": False},
        {"party": party | {"name": "别的公司"}},
        {"party": party | {"documents": [{"type": "org_code", "number": ORG_CODE}]}},
        {"officers": []},
        {"officers": [officer | {"role": "principal"}]},
        {"officers": [officer | {"name": "别人"}]},
        {"officers": [officer | {"documents": []}]},
    ]

    assert len({digest(), *(digest(**changes) for changes in changed)}) == len(changed) + 1
    assert digest() == digest(
        party=party | {"documents": [{"type": "uscc", "number": USCC.lower()}]}
    )


def test_a_derived_listing_id_is_stable_and_tells_nothing():
    assert SEALER.listing_id(PERSON) == SEALER.listing_id(PERSON)
    assert SEALER.listing_id(PERSON) != OTHER_SEALER.listing_id(PERSON)
    assert PERSON not in SEALER.listing_id(PERSON)


def test_the_digest_of_an_entry_is_what_it_was_before_there_were_orders():
    entry = read_listing(listing())

    assert SEALER.digest(entry).hex() == GOLDEN_DIGEST
    assert SEALER.seal(1, entry).listing.content.hex() == GOLDEN_CONTENT


@pytest.mark.parametrize("more", [{}, {"items": ["rail"]}, {"starts_on": "2016-08-01"}])
def test_an_order_has_digests_of_its_own(more):
    order = read_listing(listing(kind="consumption_order", **more))
    others = [
        read_listing(listing()),
        read_listing(listing(kind="consumption_order", items=["air"], starts_on="2016-08-02")),
    ]
    sealed = SEALER.seal(1, order).listing

    for other in others:
        assert SEALER.digest(other) != sealed.digest
        assert SEALER.seal(1, other).listing.content != sealed.content
