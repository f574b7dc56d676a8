"""The outline as it is read: golden bytes, and that damage sends to the registry.

That PostgreSQL writes it so is tested against a naive packing, in the tests of the registry.
"""

from datetime import date

import pytest

from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.standing import Link, Match
from checker.registry.outline import (
    LINK_BYTES,
    LINKS_MAX,
    NUMBERS,
    VALUE_BYTES_MAX,
    decode_outline,
)

START = date(2016, 7, 7)
ORDER = ListingKind.CONSUMPTION_ORDER

GOLDEN = [
    ([Link(role=Role.DEBTOR)], "01 00 0000 ffff"),
    ([Link(role=Role.DEBTOR, starts_on=date(1900, 1, 2))], "01 00 0001 ffff"),
    ([Link(role=Role.DEBTOR, starts_on=START, ends_on=date(2026, 7, 7))], "01 00 a63c b480"),
    ([Link(role=Role.LEGAL_REPRESENTATIVE)], "01 01 0000 ffff"),
    ([Link(role=Role.PRINCIPAL)], "01 02 0000 ffff"),
    ([Link(role=Role.ACTUAL_CONTROLLER)], "01 03 0000 ffff"),
    ([Link(role=Role.DIRECTLY_RESPONSIBLE)], "01 04 0000 ffff"),
    ([Link(role=Role.DEBTOR, match=Match.MASKED)], "01 80 0000 ffff"),
    ([Link(role=Role.DIRECTLY_RESPONSIBLE, match=Match.MASKED)], "01 84 0000 ffff"),
    ([Link(role=Role.DEBTOR), Link(role=Role.PRINCIPAL)], "01 00 0000 ffff 02 0000 ffff"),
    ([Link(role=Role.DEBTOR, kind=ORDER)], "01 40 0000 ffff"),
    ([Link(role=Role.PRINCIPAL, match=Match.MASKED, kind=ORDER)], "01 c2 0000 ffff"),
    ([Link(role=Role.DEBTOR), Link(role=Role.DEBTOR, kind=ORDER)], "01 00 0000 ffff 40 0000 ffff"),
    ([], "01"),
]
ONE = bytes.fromhex("01 00 0000 ffff")
OVERFLOW = b"\x02"


@pytest.mark.parametrize(("links", "golden"), GOLDEN)
def test_the_layout_is_what_other_processes_write(links, golden):
    assert decode_outline([bytes.fromhex(golden)]).links == tuple(links)


def test_every_role_has_its_number():
    assert {link.role for links, _ in GOLDEN for link in links} == set(Role)
    assert NUMBERS.keys() == set(Role)


def test_as_many_links_as_may_be_fit_in_a_value():
    assert 1 + LINKS_MAX * LINK_BYTES <= VALUE_BYTES_MAX < 1 + (LINKS_MAX + 1) * LINK_BYTES


def test_nothing_found_is_nobody_listed():
    assert decode_outline([]).links == ()


def test_what_several_tokens_lead_to_is_put_together():
    values = [bytes.fromhex(golden) for _, golden in GOLDEN]
    together = [link for links, _ in GOLDEN for link in links]

    assert decode_outline(values).links == tuple(together)


@pytest.mark.parametrize("place", [0, 1])
def test_one_overflow_among_several_sends_to_the_registry(place):
    values = [ONE]
    values.insert(place, OVERFLOW)

    assert decode_outline(values) is None


@pytest.mark.parametrize("first", [0, 3, 0xFF])
def test_a_format_that_is_not_known_sends_to_the_registry(first):
    assert decode_outline([bytes([first]) + ONE[1:]]) is None


@pytest.mark.parametrize("number", [5, 0x7F, 0x85, 0xFF])
def test_a_role_that_is_not_known_sends_to_the_registry(number):
    assert decode_outline([ONE[:1] + bytes([number]) + ONE[2:]]) is None


@pytest.mark.parametrize("length", [0, 2, 3, 4, 5])
def test_a_value_that_was_cut_short_sends_to_the_registry(length):
    assert decode_outline([ONE[:length]]) is None
