"""Numbers agree with the standards, checked by other means than those that made them."""

from datetime import date

import pytest
from stdnum.cn import uscc as stdnum_uscc

from loadtest.document_numbers import (
    BIRTHDAYS,
    CAPACITY,
    NumberSpace,
    org_code_check_character,
    resident_check_digit,
    without_century,
)

SPACE = NumberSpace(7)
INDICES = [*range(2000), *range(CAPACITY - 2000, CAPACITY)]


def mod_11_2_residue(number: str) -> int:
    """ISO 7064 by its recursive definition: a valid number leaves 1."""
    residue = 0
    for character in number[:-1]:
        residue = (residue + int(character)) * 2 % 11
    return (residue + (10 if number[-1] == "X" else int(number[-1]))) % 11


@pytest.mark.parametrize("number", ["440882189001011230", "440882188501010221"])
def test_the_contract_s_examples_have_our_check_digit(number):
    assert resident_check_digit(number[:17]) == number[17]


def test_resident_ids_pass_iso_7064_and_have_birth_years_from_1850_to_1905():
    for index in INDICES:
        number = SPACE.resident_id(index, BIRTHDAYS[index % len(BIRTHDAYS)])
        assert len(number) == 18
        assert mod_11_2_residue(number) == 1
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        assert 1850 <= born.year <= 1905


def test_foreigners_ids_begin_with_9_and_pass_iso_7064():
    for index in INDICES:
        number = SPACE.foreign_permanent_resident_id(index)
        assert number[0] == "9"
        assert mod_11_2_residue(number) == 1
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        assert 1850 <= born.year <= 1905


def test_usccs_pass_python_stdnum_and_hold_the_organization_code():
    for index in INDICES:
        number = SPACE.uscc(index)
        assert stdnum_uscc.is_valid(number)
        assert number[8:17] == SPACE.org_code(index)


def test_organization_codes_pass_gb_11714():
    weights = [3, 7, 9, 10, 5, 8, 4, 2]
    for index in INDICES:
        code = SPACE.org_code(index)
        values = [ord(c) - 48 if c.isdigit() else ord(c) - 55 for c in code[:8]]
        check = 10 if code[8] == "X" else int(code[8])
        assert (sum(w * v for w, v in zip(weights, values, strict=True)) + check) % 11 == 0


@pytest.mark.parametrize(("body", "check"), [("D2143569", "X"), ("10000000", "8")])
def test_organization_codes_agree_with_worked_examples(body, check):
    assert org_code_check_character(body) == check


def test_no_two_holders_share_a_number_even_with_month_and_day_hidden():
    for number_of in (
        lambda index: SPACE.resident_id(index, "0101"),
        SPACE.passport,
        SPACE.hk_macao_permit,
        SPACE.taiwan_permit,
        SPACE.org_code,
        SPACE.foreign_permanent_resident_id,
    ):
        assert len({number_of(index) for index in INDICES}) == len(INDICES)


def test_an_index_past_the_capacity_has_no_number():
    with pytest.raises(IndexError):
        SPACE.taiwan_permit(CAPACITY)


def test_fifteen_digits_are_for_births_since_1900_alone():
    assert without_century("440882190001011230") == "440882000101123"
    with pytest.raises(ValueError, match="1900"):
        without_century("440882189001011230")
