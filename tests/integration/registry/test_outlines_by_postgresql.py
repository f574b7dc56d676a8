"""PostgreSQL packs outlines as a naive packing does, for one token and for all."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.domain.masking import SHAPES
from checker.domain.role import Role
from checker.domain.standing import Link, Match
from checker.registry.outline import VALUE_BYTES_MAX, decode_outline
from checker.registry.shape_markers import MARKERS
from tests.integration.registry.packed_outlines import outlines_of, pack, packed
from tests.support.registry_grounds import (
    accepted,
    check_of,
    company_listing,
    document,
    document_of,
    person_listing,
    publish,
    query,
    resident_id,
    with_token,
)

pytestmark = pytest.mark.anyio

OFFICERS = [role.value for role in Role if role is not Role.DEBTOR]
# Before the format's first day, after its last, and around both.
EDGES = ["1850-01-01", "1899-12-31", "1900-01-01", "1900-01-02", "2016-07-07"]
LATE = ["2079-06-04", "2079-06-05", "2079-06-06", "2079-06-07", "9999-12-31"]
starts = st.none() | st.sampled_from(EDGES)
ends = st.none() | st.sampled_from(LATE)
people = st.integers(0, 4)
orders = st.fixed_dictionaries(
    {"kind": st.just("consumption_order"), "starts_on": starts},
    optional={"items": st.lists(st.sampled_from(["rail", "air"]), min_size=1, max_size=2)},
)
GOLDEN = [
    ({"published_on": None}, "01 00 0000 ffff"),
    ({"published_on": "1900-01-02"}, "01 00 0001 ffff"),
    ({"published_on": "2016-07-07", "expires_on": "2026-07-07"}, "01 00 a63c b480"),
    ({"published_on": "1899-12-31", "expires_on": "9999-12-31"}, "01 00 0000 ffff"),
]


@st.composite
def a_listing(draw):
    term = {"published_on": draw(starts), "expires_on": draw(ends), "id": draw(st.text("abcdef"))}
    index = draw(people)
    if draw(st.booleans()):
        term |= draw(orders)
        # Of one id there is one kind.
        term["id"] = term["id"] and f"order {term['id']}"
    if draw(st.booleans()):
        return company_listing(index, *draw(officers), **term)
    listing = person_listing(index, **term)
    if draw(st.booleans()):
        hidden = resident_id(index)[:10] + "****" + resident_id(index)[14:]
        listing["party"] = listing["party"] | {"documents": [document(hidden)]}
    return listing


officers = st.lists(st.tuples(st.sampled_from(OFFICERS), people), max_size=4)
lists = st.lists(
    a_listing().filter(lambda listing: listing["id"]),
    max_size=40,
    unique_by=lambda listing: listing["id"],
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=lists, then=lists)
async def test_outlines_are_those_of_a_naive_packing(node, first, then):
    """By a snapshot, which may compute all or what it touches, and by operations after it."""
    await publish(node, first, allow_empty=True, allow_shrink=True)
    assert await outlines_in(node) == by_token(node, first)
    await accepted(node, *({"op": "list", "listing": listing} for listing in then))
    later = {listing["id"]: listing for listing in (*first, *then)}
    assert await outlines_in(node) == by_token(node, later.values())
    await publish(node, list(later.values()), allow_empty=True)
    assert await outlines_in(node) == by_token(node, later.values())


@pytest.mark.parametrize(("term", "golden"), GOLDEN)
async def test_the_layout_is_what_other_processes_read(node, term, golden):
    await publish(node, [person_listing(1, **term)])
    assert list((await outlines_in(node)).values()) == [bytes.fromhex(golden)]


async def test_each_officer_has_the_number_of_the_role(node):
    await publish(node, [company_listing(1, *((role, 2) for role in OFFICERS))])
    outline = (await outlines_in(node))[token_of(node, "resident_id", resident_id(2), None)]
    day = (date(2026, 1, 1) - date(1900, 1, 1)).days
    assert outline == b"\x01" + b"".join(
        bytes([number]) + day.to_bytes(2) + b"\xff\xff" for number in (1, 2, 3, 4)
    )


@pytest.mark.parametrize("count", [11, 12, 13, 300])
async def test_more_links_than_fit_send_to_the_registry(node, count):
    days = [(date(2016, 1, 1) + timedelta(days=day)).isoformat() for day in range(count)]
    await publish(node, [person_listing(1, id=day, published_on=day) for day in days])
    [outline] = (await outlines_in(node)).values()
    assert len(outline) <= VALUE_BYTES_MAX
    if count > 12:
        assert outline == b"\x02"
    else:
        assert outline == packed(("debtor", False, date.fromisoformat(day), None) for day in days)


async def test_the_same_link_again_takes_no_room(node):
    await publish(node, [person_listing(1, id=f"{number}") for number in range(30)])
    [outline] = (await outlines_in(node)).values()
    assert outline == b"\x01" + pack("debtor", False, date(2026, 1, 1), None)


async def test_the_oracle_packs_what_the_service_unpacks():
    link = Link(role=Role.PRINCIPAL, match=Match.MASKED, starts_on=date(2016, 7, 7))
    outline = packed([("principal", True, date(2016, 7, 7), None)])
    assert decode_outline([outline]).links == (link,)


async def outlines_in(node):
    """The outlines without the markers of shapes, which stay when their documents have ended."""
    rows = await query(node, "SELECT token, outline FROM outline")
    return {row.token: row.outline for row in rows if row.token not in MARKERS}


def by_token(node, listings):
    return {token_of(node, *key): value for key, value in outlines_of(listings).items()}


def token_of(node, kind, number, name):
    """The token under which a number stands; a masked one by its shape and its holder's name."""
    if name is None:
        return node.sealer.document_token(document_of(number, kind))
    shape = next(place for place, shape in enumerate(SHAPES) if shape.covers(number))
    whole = number.replace("*", "0")
    subject = with_token(node.sealer, check_of(whole, name, kind)).subject
    return node.sealer.tokens_of(subject, (shape,))[1]
