"""Full age on the day of filing, by a number that may hide characters."""

from datetime import date

import pytest

from checker.domain.adulthood import is_minor
from tests.support.platform_records import PERSON

FILED = date(1900, 3, 1)


def born(text):
    return PERSON[:6] + text + PERSON[14:]


@pytest.mark.parametrize(
    ("birth", "minor"),
    [
        ("18820228", False),
        ("18820301", False),
        ("18820302", True),
        ("18990704", True),
        ("19050704", True),  # born behind the day of filing
        ("18800229", False),
        ("18840229", True),
    ],
)
def test_a_person_is_of_age_on_the_eighteenth_birthday(birth, minor):
    assert is_minor(born(birth), FILED) is minor


def test_a_person_born_on_29_february_comes_of_age_on_1_march():
    number = born("18800229")

    assert is_minor(number, date(1898, 2, 28))
    assert not is_minor(number, date(1898, 3, 1))


@pytest.mark.parametrize(
    ("birth", "minor"),
    [
        ("1882****", False),
        ("1883****", True),
        ("188203**", False),
        ("188204**", True),
        ("1882**02", False),
        ("188*0704", False),
        ("189*****", True),
        ("****0704", False),
        ("********", False),
        ("18**0704", False),
        ("19******", True),
        ("1899**31", True),
    ],
)
def test_a_hidden_birth_date_decides_only_if_every_possible_date_does(birth, minor):
    assert is_minor(born(birth), FILED) is minor


@pytest.mark.parametrize("number", ["", "H12345678", PERSON[:17], born("1899023*")[:14] + "****"])
def test_a_number_without_a_possible_birth_date_decides_nothing(number):
    assert not is_minor(number, FILED)
