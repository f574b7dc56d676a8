"""Laws of reading outlines: whatever stands in the cache, it is read or the registry is asked."""

import struct
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from checker.domain.standing import Match
from checker.registry.outline import LINKS_MAX, NUMBERS, decode_outline

ROLES = {number: role for role, number in NUMBERS.items()}
DAY_ZERO = date(1900, 1, 1)
fields = st.tuples(
    st.sampled_from(sorted(ROLES)), st.booleans(), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)
)
links = st.lists(fields, max_size=LINKS_MAX)


def packed(fields_of_links):
    return b"\x01" + b"".join(
        struct.pack(">BHH", role | (0x80 if masked else 0), starts, ends)
        for role, masked, starts, ends in fields_of_links
    )


def shown(link):
    starts = 0 if link.starts_on is None else (link.starts_on - DAY_ZERO).days
    ends = 0xFFFF if link.ends_on is None else (link.ends_on - DAY_ZERO).days
    return NUMBERS[link.role], link.match is Match.MASKED, starts, ends


@given(given_links=links)
def test_what_was_packed_comes_back(given_links):
    outline = decode_outline([packed(given_links)])

    assert [shown(link) for link in outline.links] == given_links


@given(given_links=links, day=st.integers(1, 0xFFFE))
def test_a_link_is_in_force_from_its_first_day_until_its_end(given_links, day):
    outline = decode_outline([packed(given_links)])
    expected = sorted(
        (role, masked)
        for role, masked, starts, ends in given_links
        if starts <= day and (day < ends or ends == 0xFFFF)
    )
    in_force = outline.in_force(DAY_ZERO + timedelta(days=day))

    assert sorted((NUMBERS[link.role], link.match is Match.MASKED) for link in in_force) == expected


@given(parts=st.lists(links, max_size=5))
def test_several_tokens_together_show_what_each_shows(parts):
    outline = decode_outline([packed(part) for part in parts])

    assert [shown(link) for link in outline.links] == [link for part in parts for link in part]


@given(value=st.binary(max_size=70))
def test_bytes_of_any_kind_are_read_whole_or_not_at_all(value):
    outline = decode_outline([value])

    assert outline is None or packed([shown(link) for link in outline.links]) == value
