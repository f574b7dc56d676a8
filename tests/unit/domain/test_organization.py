"""Usccs by GB 32100 and organization codes by GB 11714."""

import pytest
from stdnum.cn import uscc

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.organization import (
    ORG_CODE,
    canonical_org_code,
    canonical_uscc,
    org_code_check_character,
)

GOOD = "91110000600037341L"


def refusal(check: object, number: str) -> InvalidReason:
    assert callable(check)
    with pytest.raises(InvalidDocument) as caught:
        check(number)
    return caught.value.reason


@pytest.mark.parametrize("number", [GOOD, "91440882MA4UX001XX"])
def test_a_golden_uscc_is_valid(number: str) -> None:
    assert canonical_uscc(number) == number


def beginning_with(characters: str) -> str:
    body = characters + "440882MF0000001"
    return body + str(uscc.calc_check_digit(body))


GIVEN = (
    "11 12 13 19 21 29 31 32 33 34 35 39 41 49 51 52 53 54 55 59 61 62 69 71 72 79 81 89 91 92 93"
    " A1 A9 N1 N2 N3 N9 Y1"
)
NEVER_GIVEN = "00 01 10 14 22 56 63 82 90 94 B1 C1 G1 N4 X1 Y2 AA"


@pytest.mark.parametrize("beginning", GIVEN.split())
def test_a_uscc_of_every_registering_authority_is_valid(beginning: str) -> None:
    number = beginning_with(beginning)
    assert canonical_uscc(number) == number


@pytest.mark.parametrize("beginning", NEVER_GIVEN.split())
def test_first_characters_that_no_authority_gives_are_refused(beginning: str) -> None:
    assert refusal(canonical_uscc, beginning_with(beginning)) is InvalidReason.CHARACTER


def test_every_wrong_check_character_of_a_uscc_is_refused() -> None:
    for character in "0123456789ABCDEFGHJKMNPQRTUWXY":
        assert refusal(canonical_uscc, GOOD[:17] + character) is InvalidReason.CHECK_DIGIT


@pytest.mark.parametrize("letter", "IOSVZ*中")
def test_a_letter_that_usccs_leave_out_is_refused(letter: str) -> None:
    assert refusal(canonical_uscc, GOOD[:10] + letter + GOOD[11:]) is InvalidReason.CHARACTER


def test_a_letter_in_the_place_of_registration_is_refused() -> None:
    assert refusal(canonical_uscc, GOOD[:4] + "A" + GOOD[5:]) is InvalidReason.CHARACTER


@pytest.mark.parametrize("length", [0, 9, 15, 17, 19])
def test_a_uscc_of_another_length_is_refused(length: int) -> None:
    assert refusal(canonical_uscc, (GOOD * 2)[:length]) is InvalidReason.LENGTH


# Worked out by hand: 3*6 + 0 + 0 + 0 + 5*3 + 8*7 + 4*3 + 2*4 = 109, 109 mod 11 = 10, 11 - 10 = 1.
# D2143569X is the example that GB 11714 prints.
@pytest.mark.parametrize("number", ["600037341", "D2143569X", "000000000"])
def test_a_golden_organization_code_is_valid(number: str) -> None:
    assert canonical_org_code(number) == number


def test_every_wrong_check_character_of_an_organization_code_is_refused() -> None:
    for character in "023456789X":
        assert refusal(canonical_org_code, "60003734" + character) is InvalidReason.CHECK_DIGIT


def test_the_check_characters_are_the_digits_and_x() -> None:
    found = {org_code_check_character(f"{number:08}") for number in range(200)}
    assert found == set("0123456789X")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("60003734", InvalidReason.LENGTH),
        ("6000373411", InvalidReason.LENGTH),
        ("60003734A", InvalidReason.CHARACTER),
        ("6000373*1", InvalidReason.CHARACTER),
        ("６00037341", InvalidReason.CHARACTER),
    ],
)
def test_a_malformed_organization_code_is_refused(number: str, reason: InvalidReason) -> None:
    assert refusal(canonical_org_code, number) is reason


def test_the_organization_code_stands_inside_the_uscc() -> None:
    assert canonical_org_code(GOOD[ORG_CODE]) == "600037341"
