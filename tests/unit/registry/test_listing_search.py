"""A case number is found in the spellings that the list may hold."""

import pytest

from checker.registry.listing_search import spellings

WIDE, NARROW = "（2016）粤0882执1号", "(2016)粤0882执1号"


@pytest.mark.parametrize("typed", [WIDE, NARROW, "〔2016〕粤0882执1号", "（２０１６） 粤0882执1号"])
def test_both_widths_of_brackets_are_looked_for(typed):
    assert {WIDE, NARROW} <= set(spellings(typed))


def test_the_typed_text_comes_first_and_nothing_stands_twice():
    found = spellings(NARROW)
    assert found[0] == NARROW
    assert len(found) == len(set(found))
