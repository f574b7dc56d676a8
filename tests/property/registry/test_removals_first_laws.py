"""Laws of applying first what frees people: the result is that of the order of the file."""

import json
from datetime import date
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.token import Tokenizer
from checker.formats.feed_format import Reading
from checker.formats.lines import cut_lines
from checker.formats.operation import parse_operation
from checker.intake.removals_first import removals_first
from checker.registry.entry import LineRejected
from checker.registry.ledger import Ledger
from checker.registry.sealing import Sealer
from checker.vault import Vault
from tests.support.operation_lines import (
    bind,
    delist,
    fulfil,
    list_,
    officers,
    passport,
    permit,
    retain,
    shield,
    travel_permit,
    unshield,
    withdraw,
)
from tests.support.registry_grounds import company_listing, document, person_listing, resident_id

pytestmark = pytest.mark.anyio

SEALER = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(32)))
TODAY = date(2026, 11, 23)
READING = Reading(
    today=TODAY, sent_on=TODAY, identify=SEALER.listing_id, measures={"cn-2016-64/2.7.1"}
)
INDEXES = st.integers(1, 3)
PERMIT_IDS = st.sampled_from(["permit-1", "permit-2"])
DOCUMENTS = INDEXES.flatmap(
    lambda index: st.sampled_from(
        [document(resident_id(index)), passport(index), travel_permit(index)]
    )
)
OPERATIONS = st.one_of(
    INDEXES.map(lambda index: list_(person_listing(index))),
    INDEXES.map(lambda index: list_(company_listing(index, ("principal", 9)))),
    INDEXES.map(delist),
    INDEXES.map(lambda index: delist(index, on="2026-12-24")),
    INDEXES.map(shield),
    INDEXES.map(unshield),
    INDEXES.map(fulfil),
    INDEXES.map(lambda index: officers(index, [])),
    INDEXES.map(lambda index: retain(index, "cn-2016-64/2.7.1", until="2027-01-01")),
    st.builds(bind, DOCUMENTS, DOCUMENTS),
    st.builds(permit, PERMIT_IDS, INDEXES),
    st.builds(lambda held: permit(document=held), DOCUMENTS),
    st.builds(withdraw, PERMIT_IDS),
)
LINES = st.one_of(
    OPERATIONS.map(lambda operation: json.dumps(operation).encode()),
    st.sampled_from(
        [b"", b"{}", b'{"op": "delist"}', b"\xff", b'{"op": "delist", "listing_id": "listing-9"}']
    ),
)
FILES = st.lists(LINES, max_size=14)


def numbered(file):
    async def chunks():
        yield b"\n".join(file)

    return cut_lines(chunks())


async def ordered(file, window_lines):
    lines = removals_first(
        numbered(file), numbered(file), READING, SEALER.document_token, window_lines=window_lines
    )
    return [one async for one in lines]


def applied(lines):
    """Return what the lines make of an empty list, and the verdict of each line by its number."""
    persons = count(1)
    ledger = Ledger(
        sealer=SEALER,
        new_person=lambda: f"person {next(persons)}",
        listings={},
        persons={},
        permits={},
    )
    verdicts = {}
    for number, line in lines:
        try:
            ledger.apply(parse_operation(line, READING), TODAY)
            verdicts[number] = None
        except LineRejected as error:
            verdicts[number] = (error.code, error.detail)
    return ledger.listings, ledger.persons, ledger.permits, verdicts


@given(file=FILES, window_lines=st.integers(1, 15))
async def test_the_list_and_each_verdict_are_those_of_the_order_of_the_file(file, window_lines):
    plain = [line async for line in numbered(file)]
    lines = await ordered(file, window_lines)

    assert applied([(one.number, one.line) for one in lines]) == applied(plain)


@given(file=FILES, window_lines=st.integers(1, 15))
async def test_each_line_comes_once_and_places_grow(file, window_lines):
    lines = await ordered(file, window_lines)

    assert sorted(one.number for one in lines) == [number async for number, _ in numbered(file)]
    assert [one.place for one in lines] == [*range(1, len(lines) + 1)]


async def test_what_frees_people_goes_before_the_lines_about_others():
    file = [
        list_(person_listing(1)),
        list_(person_listing(2)),
        bind(document(resident_id(4)), passport(4)),
        delist(2),
        delist(3),
        permit("permit-1", index=5),
        permit("permit-2", index=4),
        shield(6),
    ]
    lines = await ordered([json.dumps(line).encode() for line in file], 100)

    assert [one.number for one in lines] == [5, 6, 8, 1, 2, 3, 4, 7]
    assert [one.is_ahead for one in lines] == [True] * 3 + [False] * 5


async def test_an_operation_is_known_by_what_it_says_and_not_by_how_it_is_written():
    written = b'{"listing_id": "listing-\\u0031", "ground": "settled", "op": "del\\u0069st"}'
    file = [json.dumps(list_(person_listing(2))).encode(), written]

    assert [one.number for one in await ordered(file, 100)] == [2, 1]
