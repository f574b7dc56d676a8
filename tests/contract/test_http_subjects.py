"""Who is meant: documents in their many spellings, names, and listings in and out of force."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, codes
from tests.support.town import (
    COMPANY_NAME,
    DEBTOR,
    DEBTOR_NAME,
    EXPIRED,
    FUTURE,
    HIDDEN,
    MASKED,
    MASKED_NAME,
    OLD,
    OTHER_NAME,
    PASSPORT,
    TOWN,
    TRAVELLER_NAME,
    TWICE,
    USCC,
    WITH_X,
    document,
    listing,
    resident_id,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def test_the_number_under_its_own_name_is_denied(institution: httpx.Client) -> None:
    for name in (DEBTOR_NAME, f" {DEBTOR_NAME} ", "陈　示例", None):
        assert ask(institution, DEBTOR, FLIGHT, name=name)["decision"] == "deny", name


def test_the_number_under_another_name_is_for_a_person_to_look_at(
    institution: httpx.Client,
) -> None:
    answer = ask(institution, DEBTOR, FLIGHT, name=OTHER_NAME)
    assert answer["decision"] == "review"
    assert codes(answer) == [("name_mismatch", "cn-2016-64/2.7.1")]
    assert answer["reasons"][0]["remedy"]["court"]


def test_a_namesake_with_another_number_is_allowed(institution: httpx.Client) -> None:
    namesake = resident_id("440882", "18900101", 312)
    assert ask(institution, namesake, FLIGHT, name=DEBTOR_NAME)["decision"] == "allow"


def test_a_masked_number_with_the_same_name_gives_review(institution: httpx.Client) -> None:
    answer = ask(institution, MASKED, FLIGHT, name=MASKED_NAME)
    assert answer["decision"] == "review"
    assert codes(answer) == [("masked_match", "cn-2016-64/2.7.1")]


def test_a_masked_number_with_another_name_or_none_is_no_ground(
    institution: httpx.Client,
) -> None:
    assert ask(institution, MASKED, FLIGHT, name=OTHER_NAME)["decision"] == "allow"
    assert ask(institution, MASKED, FLIGHT)["decision"] == "allow"


def test_a_masked_number_fits_whoever_shares_what_is_known_of_it(
    institution: httpx.Client,
) -> None:
    same_ends = next(
        number
        for day in range(1, 28)
        for number in [resident_id("420106", f"188603{day:02d}", 245)]
        if number[14:] == MASKED[14:] and number != MASKED
    )
    assert ask(institution, same_ends, FLIGHT, name=MASKED_NAME)["decision"] == "review"
    other_county = resident_id("420107", "18860611", 245)
    assert ask(institution, other_county, FLIGHT, name=MASKED_NAME)["decision"] == "allow"


def test_a_listing_that_is_not_public_decides_and_is_not_shown(institution: httpx.Client) -> None:
    answer = ask(institution, HIDDEN, FLIGHT)
    assert (answer["decision"], answer["reasons"][0]["listing"]) == ("deny", None)


def test_an_expired_listing_and_one_not_yet_published_reach_nobody(
    institution: httpx.Client,
) -> None:
    for number in (EXPIRED, FUTURE):
        answer = ask(institution, number, FLIGHT)
        assert (answer["decision"], answer["reasons"]) == ("allow", [])


def test_two_listings_are_two_reasons(institution: httpx.Client) -> None:
    reasons = ask(institution, TWICE, FLIGHT)["reasons"]
    assert [(reason["listing"]["id"], reason["role"]) for reason in reasons] == [
        ("2", "legal_representative"),
        ("3", "debtor"),
    ]


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("resident_id", f" {DEBTOR[:6]} {DEBTOR[6:14]} {DEBTOR[14:]} "),
        ("resident_id", f"{DEBTOR[:6]}-{DEBTOR[6:14]}-{DEBTOR[14:]}"),
        ("resident_id", DEBTOR.translate(FULL_WIDTH)),
        ("resident_id", OLD),
        ("resident_id", OLD[:6] + OLD[8:17]),
        ("resident_id", WITH_X.lower()),
        ("resident_id", WITH_X.translate(FULL_WIDTH)),
        ("passport", PASSPORT.lower()),
        ("passport", f"{PASSPORT[0]} {PASSPORT[1:]}"),
    ],
)
def test_every_spelling_of_a_listed_number_is_found(
    institution: httpx.Client, kind: str, number: str
) -> None:
    assert ask(institution, number, FLIGHT, kind=kind)["decision"] == "deny"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("uscc", USCC),
        ("uscc", USCC.lower()),
        ("org_code", "MA4UX001-X"),
        ("org_code", "MA4UX001X"),
        ("org_code", "ma4ux001x"),
    ],
)
def test_a_company_is_found_by_its_credit_code_and_by_its_organization_code(
    institution: httpx.Client, kind: str, number: str
) -> None:
    trade = {"type": "real_estate", "transaction": "state_asset_trade"}
    assert ask(institution, number, trade, kind=kind)["decision"] == "deny"


def test_a_company_listed_by_its_organization_code_is_found_by_its_credit_code(
    institution: httpx.Client, put_snapshot: Callable[..., Any]
) -> None:
    code = document("MA4UX001-X", "org_code")
    party = {"type": "organization", "name": COMPANY_NAME, "documents": [code]}
    try:
        put_snapshot([listing("1", party)])
        assert ask(institution, USCC, FLIGHT, kind="uscc")["decision"] == "deny"
    finally:
        put_snapshot(list(TOWN))


def test_a_name_reads_in_any_case_and_width(institution: httpx.Client) -> None:
    for name in (TRAVELLER_NAME, TRAVELLER_NAME.upper(), "Ｓａｍｐｌｅ Traveller"):
        answer = ask(institution, PASSPORT, FLIGHT, kind="passport", name=name)
        assert answer["decision"] == "deny", name


def test_a_passport_is_not_found_by_the_number_of_another_kind(institution: httpx.Client) -> None:
    assert ask(institution, PASSPORT, FLIGHT, kind="exit_entry_permit")["decision"] == "allow"
