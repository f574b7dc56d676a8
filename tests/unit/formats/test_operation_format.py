"""Operations as they are written: what is read of each, and why a line is rejected."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from checker.domain.document import Document, DocumentType
from checker.domain.service import ServiceType
from checker.formats.feed_format import Reading
from checker.formats.operation import parse_operation
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import (
    Bind,
    Delist,
    DelistingGround,
    Fulfil,
    GrantPermit,
    List,
    ReplaceOfficers,
    Retain,
    Shield,
    Unshield,
    WithdrawPermit,
    listing_id_of,
)
from tests.support.platform_records import ORG_CODE, OTHER, PERSON, USCC, listing

AIR = "cn-2016-64/2.7.1"
TODAY, SENT_ON = date(2026, 11, 23), date(2026, 11, 20)
READING = Reading(
    today=TODAY,
    sent_on=SENT_ON,
    identify=str,
    measures=frozenset({AIR, "leizhou/2.7.1"}),
)
PERMIT = {
    "id": "P1",
    "document": {"type": "resident_id", "number": PERSON},
    "services": ["rail", "air", "rail"],
    "valid_from": "2026-11-23",
    "valid_until": "2026-11-30T16:00:00+08:00",
    "uses": 1,
    "court": "雷州市人民法院",
    "ground": "因病就医",
}
RETAIN = {
    "op": "retain",
    "listing_id": "1",
    "measures": [AIR],
    "until": "2027-01-01",
    "basis": "法释〔2015〕17号",
}
DOCUMENTS = [
    {"type": "resident_id", "number": PERSON.lower()},
    {"type": "passport", "number": "p1234567"},
]


def read(operation):
    line = operation if isinstance(operation, bytes) else msgspec.json.encode(operation)
    return parse_operation(line, READING)


def rejected(operation):
    with pytest.raises(LineRejected) as error:
        read(operation)
    return error.value


def changed(operation, **changes):
    return operation | changes


def without(operation, field):
    return {name: value for name, value in operation.items() if name != field}


def test_a_listing_is_read_as_in_a_snapshot():
    operation = read({"op": "list", "listing": listing()})

    assert isinstance(operation, List)
    assert (listing_id_of(operation), operation.spare_id) == ("707091354", None)


@pytest.mark.parametrize(
    ("sent", "operation"),
    [
        (
            {"op": "delist", "listing_id": "1", "ground": "settled", "on": "2026-12-01"},
            Delist(listing_id="1", ground=DelistingGround.SETTLED, on=date(2026, 12, 1)),
        ),
        (
            {"op": "delist", "listing_id": "1", "ground": "corrected"},
            Delist(listing_id="1", ground=DelistingGround.CORRECTED, on=SENT_ON),
        ),
        ({"op": "shield", "listing_id": "1"}, Shield(listing_id="1")),
        ({"op": "unshield", "listing_id": "1"}, Unshield(listing_id="1")),
        ({"op": "fulfil", "listing_id": "1", "on": "2026-11-23"}, Fulfil(listing_id="1", on=TODAY)),
        ({"op": "fulfil", "listing_id": "1"}, Fulfil(listing_id="1", on=SENT_ON)),
        ({"op": "withdraw_permit", "permit_id": "P1"}, WithdrawPermit(permit_id="P1")),
        (
            {"op": "officers", "listing_id": "1", "officers": []},
            ReplaceOfficers(listing_id="1", officers=()),
        ),
        (
            changed(RETAIN, measures=["leizhou/2.7.1", AIR, AIR]),
            Retain(
                listing_id="1",
                measures=(AIR, "leizhou/2.7.1"),
                until=date(2027, 1, 1),
                basis="法释〔2015〕17号",
            ),
        ),
        (
            {"op": "bind", "documents": DOCUMENTS},
            Bind(
                documents=(
                    Document(type=DocumentType.RESIDENT_ID, number=PERSON),
                    Document(type=DocumentType.PASSPORT, number="P1234567"),
                )
            ),
        ),
    ],
    ids=lambda value: value["op"] if isinstance(value, dict) else "",
)
def test_each_operation_is_read(sent, operation):
    assert read(sent) == operation


def test_the_bounds_of_a_permit_are_instants_or_the_beginnings_of_days_in_shanghai():
    operation = read({"op": "permit", "permit": PERMIT})

    assert isinstance(operation, GrantPermit)
    assert operation.permit.valid_from == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert operation.permit.valid_until == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert operation.permit.services == (ServiceType.AIR, ServiceType.RAIL)


@pytest.mark.parametrize("uses", [None, "absent"])
def test_a_permit_without_a_count_may_be_used_any_number_of_times(uses):
    sent = without(PERMIT, "uses") if uses else changed(PERMIT, uses=None)

    assert read({"op": "permit", "permit": sent}).permit.uses is None


@pytest.mark.parametrize(
    ("sent", "code", "pointer"),
    [
        (b"{", RejectCode.INVALID_JSON, ""),
        ([], RejectCode.INVALID_OPERATION, ""),
        ({}, RejectCode.INVALID_OPERATION, "/op"),
        ({"op": "erase", "listing_id": "1"}, RejectCode.INVALID_OPERATION, "/op"),
        ({"op": "shield"}, RejectCode.INVALID_OPERATION, "/listing_id"),
        ({"op": "shield", "listing_id": ""}, RejectCode.INVALID_OPERATION, "/listing_id"),
        ({"op": "shield", "listing_id": "1", "on": "2026-01-01"}, RejectCode.INVALID_OPERATION, ""),
        ({"op": "delist", "listing_id": "1"}, RejectCode.INVALID_OPERATION, "/ground"),
        (
            {"op": "delist", "listing_id": "1", "ground": "forgiven"},
            RejectCode.INVALID_OPERATION,
            "/ground",
        ),
        (
            {"op": "fulfil", "listing_id": "1", "on": "2026-11-24"},
            RejectCode.IN_THE_FUTURE,
            "/on",
        ),
        ({"op": "fulfil", "listing_id": "1", "on": "soon"}, RejectCode.INVALID_OPERATION, "/on"),
        (without(RETAIN, "until"), RejectCode.INVALID_OPERATION, "/until"),
        (changed(RETAIN, until=None), RejectCode.INVALID_OPERATION, "/until"),
        (changed(RETAIN, measures=[]), RejectCode.INVALID_OPERATION, "/measures"),
        (changed(RETAIN, measures=[AIR, "cn/9"]), RejectCode.UNKNOWN_MEASURE, "/measures/1"),
        (without(RETAIN, "basis"), RejectCode.INVALID_OPERATION, "/basis"),
        ({"op": "bind", "documents": DOCUMENTS[:1]}, RejectCode.INVALID_OPERATION, "/documents"),
        (
            {"op": "bind", "documents": [*DOCUMENTS, {"type": "uscc", "number": USCC}]},
            RejectCode.INVALID_OPERATION,
            "/documents",
        ),
        (
            {"op": "bind", "documents": [*DOCUMENTS, {"type": "passport", "number": "?"}]},
            RejectCode.INVALID_DOCUMENT,
            "/documents/2/number",
        ),
        ({"op": "list"}, RejectCode.INVALID_LISTING, "/listing"),
        ({"op": "list", "listing": {}}, RejectCode.INVALID_LISTING, "/listing/"),
        (
            {"op": "list", "listing": listing(expires_on="2016-07-07")},
            RejectCode.INVALID_LISTING,
            "/listing",
        ),
        (
            {"op": "officers", "listing_id": "1", "officers": [{"name": "陈示例"}]},
            RejectCode.INVALID_OPERATION,
            "/officers/0/role",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_field(sent, code, pointer):
    error = rejected(sent)

    assert error.code is code
    assert pointer in error.detail


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": "2026-11-23"}, RejectCode.ENDS_BEFORE_IT_STARTS),
        ({"valid_until": "2026-11-22T16:00:00Z"}, RejectCode.ENDS_BEFORE_IT_STARTS),
        ({"valid_from": "2026-11-23T08:00:00"}, RejectCode.INVALID_OPERATION),
        ({"valid_from": "yesterday"}, RejectCode.INVALID_OPERATION),
        ({"services": []}, RejectCode.INVALID_OPERATION),
        ({"services": ["yacht"]}, RejectCode.INVALID_OPERATION),
        ({"uses": 0}, RejectCode.INVALID_OPERATION),
        ({"uses": 1_000_001}, RejectCode.INVALID_OPERATION),
        ({"court": ""}, RejectCode.INVALID_OPERATION),
        ({"notes": "x"}, RejectCode.INVALID_OPERATION),
        ({"document": {"type": "org_code", "number": ORG_CODE[:8]}}, RejectCode.INVALID_DOCUMENT),
        (
            {"document": {"type": "resident_id", "number": PERSON[:10] + "****" + PERSON[14:]}},
            RejectCode.INVALID_DOCUMENT,
        ),
    ],
)
def test_a_permit_that_is_wrong_is_rejected(changes, code):
    assert rejected({"op": "permit", "permit": changed(PERMIT, **changes)}).code is code


@pytest.mark.parametrize(
    "sent",
    [
        {"op": "bind", "documents": [*DOCUMENTS, {"type": "resident_id", "number": OTHER + "0"}]},
        {"op": "list", "listing": listing(name=PERSON)},
        {"op": "shield", "listing_id": [PERSON]},
        {"op": PERSON},
        {"op": "retain", "listing_id": "1", "measures": [PERSON], "until": PERSON, "basis": "x"},
        {"op": "permit", "permit": changed(PERMIT, valid_from=PERSON)},
    ],
)
def test_a_rejection_repeats_nothing_of_the_line(sent):
    detail = rejected(sent).detail

    assert PERSON not in detail
    assert OTHER not in detail
