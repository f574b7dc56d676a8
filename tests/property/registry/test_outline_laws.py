"""Laws of the outline: what fits comes back, and never is less shown than there is."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from checker.domain.role import Role
from checker.domain.standing import Link, Match
from checker.registry.outline import VALUE_BYTES_MAX, decode_outline, encode_outline

ENCODED = st.sampled_from([Match.DOCUMENT, Match.MASKED])
FITTING = st.none() | st.dates(date(1900, 1, 2), date(2079, 6, 4))
ANY_DAY = st.none() | st.dates()
DAYS = st.dates(date(1950, 1, 1), date(2079, 6, 4))


def links(days):
    return st.lists(
        st.builds(Link, role=st.sampled_from(Role), match=ENCODED, starts_on=days, ends_on=days),
        max_size=20,
    )


@given(given_links=links(FITTING))
def test_what_fits_comes_back_and_the_rest_sends_to_the_registry(given_links):
    outline = decode_outline([encode_outline(given_links)])

    if len(set(given_links)) > 12:
        assert outline is None
    else:
        assert set(outline.links) == set(given_links)


@given(given_links=links(ANY_DAY))
def test_a_value_keeps_its_bucket_a_listpack(given_links):
    assert len(encode_outline(given_links)) <= VALUE_BYTES_MAX


@given(given_links=links(ANY_DAY), day=DAYS)
def test_an_outline_never_shows_less_than_there_is(given_links, day):
    outline = decode_outline([encode_outline(given_links)])
    if outline is None:
        return
    shown = {(link.role, link.match) for link in outline.in_force(day)}

    assert shown >= {(link.role, link.match) for link in given_links if link.is_in_force(day)}


@given(parts=st.lists(links(FITTING), max_size=5))
def test_several_tokens_together_show_what_each_shows(parts):
    values = [encode_outline(part) for part in parts]
    outline = decode_outline(values)

    if any(len(set(part)) > 12 for part in parts):
        assert outline is None
    else:
        assert set(outline.links) == {link for part in parts for link in part}
