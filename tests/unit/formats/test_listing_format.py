"""The feed's own format, read strictly: each field, and what it may not be."""

from datetime import date

import pytest

from checker.domain.document import Document
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.registry.entry import LineRejected, MaskedDocument, PartyType, RejectCode
from tests.support.platform_records import OTHER, PERSON, USCC, listing, read_listing

MASKED = PERSON[:10] + "****" + PERSON[14:]


def party(**changes):
    return listing()["party"] | changes


def officers(**changes):
    return [listing()["officers"][0] | changes]


def documents(number, kind="resident_id"):
    return [{"type": kind, "number": number}]


def test_every_field_is_read():
    entry = read_listing(listing())

    assert (entry.id, entry.case_number) == ("707091354", "（2016）粤0882执123号")
    assert (entry.court, entry.public) == ("雷州市人民法院", True)
    assert entry.filed_on == date(2016, 5, 4)
    assert entry.published_on == date(2016, 7, 7)
    assert entry.expires_on == date(2028, 7, 7)
    assert (entry.party_type, entry.party.name) == (PartyType.ORGANIZATION, "示例有限公司")
    assert entry.party.documents == (Document(type="uscc", number=USCC),)
    [officer] = entry.officers
    assert (officer.role, officer.holder.name) == (Role.LEGAL_REPRESENTATIVE, "陈示例")
    assert officer.holder.documents == (Document(type="resident_id", number=PERSON),)


def test_what_may_be_left_out_has_its_meaning():
    bare = {name: listing()[name] for name in ("id", "case_number", "court", "party")}
    entry = read_listing(bare)

    assert (entry.filed_on, entry.published_on, entry.expires_on) == (None, None, None)
    assert (entry.public, entry.officers) == (True, ())


def test_documents_are_normalised():
    spelt = party(type="person", documents=documents(f" {PERSON[:6]}-{PERSON[6:]}".lower()))
    entry = read_listing(listing(party=spelt, officers=[]))

    assert entry.party.documents == (Document(type="resident_id", number=PERSON),)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DEBTOR])
def test_every_officers_role_is_known(role):
    assert read_listing(listing(officers=officers(role=role.value))).officers[0].role is role


def test_an_officer_without_documents_is_kept_as_unresolved():
    [officer] = read_listing(listing(officers=officers(documents=[]))).officers

    assert not officer.resolved


def test_a_masked_number_is_kept_as_such():
    entry = read_listing(listing(officers=officers(documents=documents(MASKED))))

    assert entry.officers[0].holder.documents == (
        MaskedDocument(type="resident_id", number=MaskedNumber(pattern=MASKED)),
    )


def test_an_expiry_before_the_publication_is_refused_and_one_alone_is_not():
    assert read_listing(listing(published_on=None)).expires_on == date(2028, 7, 7)
    with pytest.raises(LineRejected, match="expire"):
        read_listing(listing(expires_on="2016-07-07"))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        *(({field: None}, f"/{field}") for field in ("id", "case_number", "court", "party")),
        *(({field: ""}, f"/{field}") for field in ("id", "case_number", "court", "filed_on")),
        *(({field: 7}, f"/{field}") for field in ("id", "case_number", "court", "published_on")),
        *(({field: "a\0b"}, f"/{field}") for field in ("id", "case_number", "court")),
        ({"id": "x" * 101}, "/id"),
        ({"court": "院" * 301}, "/court"),
        ({"public": "yes"}, "/public"),
        ({"public": None}, "/public"),
        ({"filed_on": "2016-02-30"}, "/filed_on"),
        ({"filed_on": "20160504"}, "/filed_on"),
        ({"expires_on": "2028-07-07T00:00:00Z"}, "/expires_on"),
        ({"expire_on": "2028-07-07"}, "/expire_on"),
        ({"party": party(type="company")}, "/party/type"),
        ({"party": party(name="")}, "/party/name"),
        ({"party": party(name=" \u200b")}, "/party/name"),
        ({"party": party(name="名" * 301)}, "/party/name"),
        ({"party": party(documents=[])}, "/party/documents"),
        ({"party": party(documents=documents(PERSON) * 51)}, "/party/documents"),
        ({"party": party(age=41)}, "/party/age"),
        ({"party": party(documents=documents("", "uscc"))}, "/party/documents/0/number"),
        ({"party": party(documents=documents(USCC, "licence"))}, "/party/documents/0/type"),
        ({"party": party(type="person")}, "/"),
        ({"officers": officers(role="debtor")}, "/officers/0"),
        ({"officers": officers(role="chairman")}, "/officers/0/role"),
        ({"officers": officers(name=" ")}, "/officers/0/name"),
        ({"officers": officers(title="x")}, "/officers/0/title"),
        ({"officers": officers() * 501}, "/officers"),
    ],
)
def test_a_field_that_is_not_as_it_must_be_rejects_the_line(changes, pointer):
    with pytest.raises(LineRejected) as rejected:
        read_listing(listing(**changes))

    assert rejected.value.code is RejectCode.INVALID_LISTING
    assert pointer in rejected.value.detail


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (PERSON[:17], "resident_id"),
        (PERSON[:17] + ("0" if PERSON[17] != "0" else "1"), "resident_id"),
        (PERSON[:8] + "**********", "resident_id"),
        (USCC[:17], "uscc"),
        ("E*2345678", "passport"),
        (OTHER, "taiwan_permit"),
    ],
)
def test_a_number_that_nobody_can_have_rejects_the_line_by_its_place(number, kind):
    with pytest.raises(LineRejected) as rejected:
        read_listing(listing(officers=officers(documents=documents(number, kind))))

    assert rejected.value.code is RejectCode.INVALID_DOCUMENT
    assert rejected.value.detail.startswith("/officers/0/documents/0/number: ")
    assert number not in rejected.value.detail


@pytest.mark.parametrize("line", [b"", b"{", b"not json", b'{"id": "\\ud800"}'])
def test_what_is_no_json_is_rejected_as_such(line):
    with pytest.raises(LineRejected) as rejected:
        read_listing(line)
    assert rejected.value.code is RejectCode.INVALID_JSON


@pytest.mark.parametrize("line", [b"[]", b"null", b'"text"', b"7", b"[" * 100_000])
def test_what_is_no_object_is_no_listing(line):
    with pytest.raises(LineRejected) as rejected:
        read_listing(line)
    assert rejected.value.code is RejectCode.INVALID_LISTING


def test_a_rejection_repeats_nothing_of_the_line():
    secrets = ("陈示例", PERSON, OTHER)
    wrong = [
        listing(**{OTHER: "x"}),
        listing(陈示例=PERSON),
        listing(party=party(type=PERSON)),
        listing(filed_on=PERSON),
        listing(officers=officers(role="陈示例")),
        listing(officers=officers(documents=documents(PERSON, OTHER))),
    ]
    for sent in wrong:
        with pytest.raises(LineRejected) as rejected:
            read_listing(sent)
        assert not [text for text in secrets if text in str(rejected.value)]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"party": party(type="person", documents=documents(PERSON)), "officers": []}, "/party"),
        ({"officers": officers(documents=documents(PERSON))}, "/officers/0"),
        ({"officers": officers(documents=documents(MASKED))}, "/officers/0"),
    ],
)
def test_a_person_under_18_on_the_day_of_filing_is_rejected(changes, place):
    filed = {"filed_on": "1909-05-04", "published_on": None}

    with pytest.raises(LineRejected, match=place) as rejected:
        read_listing(listing(**filed, **changes))
    assert rejected.value.code is RejectCode.MINOR
    assert read_listing(listing(**filed | {"filed_on": None}, **changes)).filed_on is None


def test_a_person_of_18_on_the_day_of_filing_may_be_listed():
    grown = f"{int(PERSON[6:10]) + 18}-{PERSON[10:12]}-{PERSON[12:14]}"

    assert read_listing(listing(filed_on=grown)).officers


def test_an_order_has_its_kind_its_items_in_order_and_its_first_day():
    sent = listing(kind="consumption_order", items=["rail", "air", "rail"], starts_on="2016-08-01")
    order = read_listing(sent)

    assert order.kind is ListingKind.CONSUMPTION_ORDER
    assert order.items == (ServiceType.AIR, ServiceType.RAIL)
    assert order.starts_on == date(2016, 8, 1)


def test_a_listing_without_a_kind_is_an_entry_of_the_list_of_the_dishonest():
    for entry in (read_listing(listing()), read_listing(listing(kind="dishonest"))):
        assert (entry.kind, entry.items, entry.starts_on) == (ListingKind.DISHONEST, None, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "unknown"}, "/kind"),
        ({"kind": None}, "/kind"),
        ({"kind": 1}, "/kind"),
        ({"items": ["air"]}, "only a consumption_order"),
        ({"starts_on": "2016-08-01"}, "only a consumption_order"),
        *(
            ({"kind": "consumption_order"} | changes, pointer)
            for changes, pointer in [
                ({"items": []}, "/items"),
                ({"items": "air"}, "/items"),
                ({"items": ["balloon"]}, "/items/0"),
                ({"items": ["air", None]}, "/items/1"),
                ({"items": ["air"] * 51}, "/items"),
                ({"starts_on": "2016-13-01"}, "/starts_on"),
                ({"starts_on": 20160801}, "/starts_on"),
                ({"starts_on": "2028-07-07"}, "expire"),
            ]
        ),
    ],
)
def test_an_order_that_is_not_well_formed_is_rejected_with_its_place(changes, says):
    with pytest.raises(LineRejected, match=says) as caught:
        read_listing(listing(**changes))

    assert caught.value.code is RejectCode.INVALID_LISTING
    assert "balloon" not in caught.value.detail
