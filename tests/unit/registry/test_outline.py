"""The outline: golden bytes, and that it never shows less than there is."""

from datetime import date, timedelta

import pytest

from checker.domain.role import Role
from checker.domain.standing import Link, Match
from checker.registry.outline import VALUE_BYTES_MAX, decode_outline, encode_outline

START = date(2016, 7, 7)

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
    ([Link(role=Role.PRINCIPAL), Link(role=Role.DEBTOR)], "01 00 0000 ffff 02 0000 ffff"),
    ([], "01"),
]


def some(count):
    return [Link(role=Role.DEBTOR, starts_on=START + timedelta(days=day)) for day in range(count)]


@pytest.mark.parametrize(("links", "golden"), GOLDEN)
def test_the_layout_is_what_other_processes_read(links, golden):
    assert encode_outline(links) == bytes.fromhex(golden)


def test_every_role_has_its_number():
    assert {link.role for links, _ in GOLDEN for link in links} == set(Role)


@pytest.mark.parametrize("count", [1, 11, 12])
def test_up_to_twelve_links_come_back_as_they_went(count):
    value = encode_outline(some(count))

    assert len(value) == 1 + 5 * count <= VALUE_BYTES_MAX
    assert set(decode_outline([value]).links) == set(some(count))


@pytest.mark.parametrize("count", [13, 500])
def test_more_links_than_fit_send_to_the_registry(count):
    value = encode_outline(some(count))

    assert value == b"\x02"
    assert decode_outline([value]) is None


def test_the_same_link_again_takes_no_room():
    assert encode_outline(some(3) * 100) == encode_outline(some(3))


def test_the_order_of_links_does_not_matter():
    assert encode_outline(reversed(some(9))) == encode_outline(some(9))


def test_what_several_tokens_lead_to_is_put_together():
    values = [encode_outline([link]) for link in some(3)]

    assert decode_outline(values).links == tuple(some(3))


@pytest.mark.parametrize("place", [0, 1])
def test_one_overflow_among_several_sends_to_the_registry(place):
    values = [encode_outline(some(1))]
    values.insert(place, encode_outline(some(13)))

    assert decode_outline(values) is None


@pytest.mark.parametrize("first", [0, 3, 0xFF])
def test_a_format_that_is_not_known_sends_to_the_registry(first):
    assert decode_outline([bytes([first]) + encode_outline(some(1))[1:]]) is None


@pytest.mark.parametrize(
    "link",
    [
        Link(role=Role.DEBTOR, starts_on=date(1800, 1, 1)),
        Link(role=Role.DEBTOR, starts_on=date(9999, 12, 31)),
        Link(role=Role.DEBTOR, starts_on=date(2079, 6, 6)),
        Link(role=Role.DEBTOR, ends_on=date(9999, 12, 31)),
        Link(role=Role.DEBTOR, ends_on=date(2079, 6, 7)),
    ],
)
def test_a_day_that_does_not_fit_is_shown_in_force_for_longer(link):
    [shown] = decode_outline([encode_outline([link])]).links
    days = [date(1850, 1, 1), START, date(2079, 6, 5), date(2079, 6, 8), date(9999, 12, 31)]

    assert all(shown.is_in_force(day) for day in days if link.is_in_force(day))


def test_an_end_before_the_first_day_is_over_on_every_day_that_matters():
    ended = Link(role=Role.DEBTOR, ends_on=date(1850, 1, 1))
    [shown] = decode_outline([encode_outline([ended])]).links

    assert not shown.is_in_force(START)
