"""The kinds of permits, and the bounds of a permit for urgent travel."""

from datetime import date

import msgspec
import pytest

from checker.domain.permit import PermitKind
from checker.formats.feed_format import Reading
from checker.formats.operation import parse_operation
from checker.registry.entry import LineRejected, RejectCode
from tests.support.platform_records import PERSON

TODAY = date(2026, 11, 23)
READING = Reading(today=TODAY, sent_on=TODAY, identify=str, measures=frozenset())
PERMIT = {
    "id": "P1",
    "document": {"type": "resident_id", "number": PERSON},
    "services": ["rail", "air"],
    "valid_from": "2026-11-23",
    "valid_until": "2026-11-30",
    "uses": 1,
    "court": "雷州市人民法院",
    "ground": "因病就医",
}


def read(**changes):
    line = msgspec.json.encode({"op": "permit", "permit": PERMIT | changes})
    return parse_operation(line, READING).permit


def rejected(**changes):
    with pytest.raises(LineRejected) as error:
        read(**changes)
    return error.value


def urgent(valid_from, valid_until):
    return {"kind": "urgent_travel", "valid_from": valid_from, "valid_until": valid_until}


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        ("2026-01-15", "2026-02-15"),
        ("2026-01-31", "2026-02-28"),
        ("2028-01-30", "2028-02-29"),
        ("2026-12-31", "2027-01-31"),
        ("2026-01-15T10:00:00+08:00", "2026-02-15T02:00:00Z"),
        ("2026-01-15", "2026-01-16"),
        ("9999-12-15", "9999-12-31"),
    ],
)
def test_a_permit_for_urgent_travel_holds_for_a_month_at_most(valid_from, valid_until):
    granted = read(**urgent(valid_from, valid_until))
    assert granted.kind is PermitKind.URGENT_TRAVEL


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        ("2026-01-15", "2026-02-16"),
        ("2026-01-31", "2026-03-01"),
        ("2026-02-28", "2026-03-29"),
        ("2026-12-31", "2027-02-01"),
        ("2026-01-15T10:00:00+08:00", "2026-02-15T02:00:00.001Z"),
    ],
)
def test_a_longer_permit_for_urgent_travel_is_rejected(valid_from, valid_until):
    error = rejected(**urgent(valid_from, valid_until))
    assert (error.code, "/permit/valid_until" in error.detail) == (RejectCode.PERMIT_TOO_LONG, True)


@pytest.mark.parametrize("services", [["lodging"], ["air", "ship_"], ["rail", "venue"]])
def test_a_permit_for_urgent_travel_is_for_air_and_rail_only(services):
    error = rejected(**urgent("2026-01-15", "2026-02-15"), services=services)
    assert error.code is RejectCode.INVALID_OPERATION
    assert "/permit/services" in error.detail


@pytest.mark.parametrize("kind", ["necessity", "private_funds", None])
def test_a_permit_of_another_kind_has_no_bounds_of_its_own(kind):
    bounds = {"valid_from": "2026-01-15", "valid_until": "2027-01-15"}
    granted = read(kind=kind, services=["lodging"], **bounds)
    assert granted.kind == kind


@pytest.mark.parametrize("kind", ["", "holiday", 1, ["necessity"]])
def test_an_unknown_kind_of_permit_is_rejected_with_its_field(kind):
    error = rejected(kind=kind)
    assert (error.code, "/permit/kind" in error.detail) == (RejectCode.INVALID_OPERATION, True)
