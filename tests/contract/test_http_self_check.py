"""The self-check over HTTP: what a page shows, to whom, and what it never shows."""

import re
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask
from tests.support.changing import Court, Stranger
from tests.support.running_service import RunningService
from tests.support.self_check import CORRECTIONS, NEW, SELF_CHECK, listed, look_up, send_form
from tests.support.town import (
    COMPANY_NAME,
    COURT,
    DEBTOR,
    DEBTOR_NAME,
    HIDDEN,
    INNOCENT,
    LEGAL_REPRESENTATIVE,
    MASKED,
    MASKED_NAME,
    ORG_CODE,
    OTHER_NAME,
    resident_id,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

WRITTEN = {"ground_code": "performed", "ground": "已结清<script>", "contact": "010-0000"}


@pytest.fixture
def visitor(service: RunningService) -> Any:
    """A browser of its own."""
    with service.client() as client:
        yield client


@pytest.fixture
def somebody(court: httpx.Client) -> Stranger:
    stranger = Stranger()
    Court(court).do(stranger.listed())
    return stranger


def test_a_listed_person_sees_the_case_the_measures_and_the_ways_out(
    visitor: httpx.Client,
) -> None:
    page = look_up(visitor, DEBTOR_NAME, DEBTOR)
    assert (page.status_code, listed(page)) == (200, "yes")
    for text in (COURT, "（2016）粤0882执1号", "2016年7月7日", "四（二）3", "10 日", "3 日"):
        assert text in page.text
    assert 'data-measure="cn-2016-64/2.7.1"' in page.text
    assert "data-error" not in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "number", "kind"),
    [
        (f" {DEBTOR_NAME[0]} {DEBTOR_NAME[1:]}", f"{DEBTOR[:6]} {DEBTOR[6:]}", "resident_id"),
        ("李法定", LEGAL_REPRESENTATIVE, "resident_id"),
        (COMPANY_NAME, ORG_CODE, "org_code"),
    ],
    ids=["spelt with spaces", "an officer", "an organization"],
)
def test_a_person_is_found_by_any_spelling_of_name_and_number(
    visitor: httpx.Client, name: str, number: str, kind: str
) -> None:
    assert listed(look_up(visitor, name, number, kind)) == "yes"


def test_an_entry_that_is_not_public_says_only_which_court_to_ask(visitor: httpx.Client) -> None:
    page = look_up(visitor, "周不公", HIDDEN)
    assert listed(page) == "yes"
    assert COURT in page.text
    for text in ("执4号", "2016", "data-measure", "listing_id", NEW):
        assert text not in page.text.partition("<main")[2]
    assert listed(look_up(visitor, OTHER_NAME, HIDDEN)) == "no"


def test_a_masked_entry_is_shown_as_possible_alone(visitor: httpx.Client) -> None:
    page = look_up(visitor, MASKED_NAME, MASKED)
    assert listed(page) == "no"
    assert 'data-possible="yes"' in page.text
    assert "（2016）粤0882执7号" in page.text
    assert NEW not in page.text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_not_listed_and_no_match_are_the_same_bytes(visitor: httpx.Client, lang: str) -> None:
    asked = [
        ("吴清白", INNOCENT),
        (OTHER_NAME, DEBTOR),
        (OTHER_NAME, LEGAL_REPRESENTATIVE),
        (OTHER_NAME, HIDDEN),
        (OTHER_NAME, MASKED),
    ]
    pages = [look_up(visitor, name, number, lang=lang) for name, number in asked]
    assert {listed(page) for page in pages} == {"no"}
    assert len({page.content for page in pages}) == 1
    heads = [dict(page.headers) for page in pages]
    assert all(head.keys() == heads[0].keys() for head in heads)
    assert len({head["content-length"] for head in heads}) == 1


def test_a_faulty_form_is_not_looked_up(visitor: httpx.Client) -> None:
    faults = {"13800138000": "phone", DEBTOR * 2: "twice", DEBTOR[:9]: "half", "陈示例": "name"}
    for number, fault in faults.items():
        page = look_up(visitor, DEBTOR_NAME, number)
        assert (page.status_code, listed(page)) == (422, None)
        assert f'data-fault="{fault}"' in page.text


def test_a_form_of_another_browser_is_refused(visitor: httpx.Client) -> None:
    fields = {"name": DEBTOR_NAME, "document_number": DEBTOR, "form_token": "0" * 32}
    page = visitor.post(SELF_CHECK, data=fields)
    assert (page.status_code, listed(page)) == (403, None)


def test_one_number_is_looked_up_ten_times_an_hour_in_any_spelling(
    visitor: httpx.Client,
) -> None:
    number = resident_id("440882", "18730705", 7)
    spellings = (number, f"{number[:6]} {number[6:]}")
    for turn in range(10):
        assert listed(look_up(visitor, f"甲{turn}", spellings[turn % 2])) == "no"
    page = look_up(visitor, "甲", number)
    assert (page.status_code, listed(page)) == (429, None)
    assert 0 < int(page.headers["retry-after"]) <= 3600
    assert listed(look_up(visitor, "甲", resident_id("440882", "18730705", 8))) == "no"


def test_a_correction_is_filed_once_ruled_on_and_followed(
    visitor: httpx.Client, court: httpx.Client, somebody: Stranger
) -> None:
    filed = [send_form(visitor, NEW, listing_id=somebody.listing_id, **WRITTEN) for _ in range(2)]
    numbers = {re.findall(r'data-correction="([0-9a-f-]{36})"', page.text)[0] for page in filed}
    [number] = numbers
    kept = court.get(f"/v1/corrections/{number}").json()
    assert (kept["ground"], kept["ground_code"]) == (WRITTEN["ground"], "performed")
    assert kept["account_id"] is None
    shown = send_form(visitor, CORRECTIONS, correction_id=f" {number.upper()} ")
    assert 'data-correction-state="open"' in shown.text
    assert COURT in shown.text
    assert "script" not in shown.text
    court.post(f"/v1/corrections/{number}/ruling", json={"ruling": "upheld"})
    ruled = send_form(visitor, CORRECTIONS, correction_id=number)
    assert 'data-ruling="upheld"' in ruled.text
    assert listed(look_up(visitor, somebody.name, somebody.number)) == "no"


def test_a_refused_person_files_by_the_check_number(
    visitor: httpx.Client, institution: httpx.Client, somebody: Stranger
) -> None:
    refusal = ask(institution, somebody.number, FLIGHT)
    fields = WRITTEN | {"decision_id": refusal["id"], "ground_code": "impostor"}
    assert "data-correction=" in send_form(visitor, NEW, **fields).text


def test_a_filing_with_a_fault_keeps_what_was_written(visitor: httpx.Client) -> None:
    for missing, status in (("ground", 422), ("contact", 422), ("listing_id", 422)):
        fields = {**WRITTEN, "listing_id": "1"}
        del fields[missing]
        page = send_form(visitor, NEW, **fields)
        assert page.status_code == status
        assert f'data-fault="{missing}"' in page.text
        assert missing == "ground" or "已结清&lt;script&gt;" in page.text
    for unknown in ("4", "no such listing"):
        page = send_form(visitor, NEW, listing_id=unknown, **WRITTEN)
        assert page.status_code == 404
        assert "已结清&lt;script&gt;" in page.text


def test_a_fourth_correction_of_one_entry_waits_and_keeps_what_was_written(
    visitor: httpx.Client, somebody: Stranger
) -> None:
    for turn in range(4):
        fields = WRITTEN | {"listing_id": somebody.listing_id, "contact": f"010-{turn}"}
        page = send_form(visitor, NEW, **fields)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    assert "已结清&lt;script&gt;" in page.text


def test_the_address_of_a_filed_form_leads_to_the_forms_in_the_language_asked_for(
    visitor: httpx.Client,
) -> None:
    page = visitor.get(NEW, params={"lang": "en"}, follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, CORRECTIONS)
    assert 'lang="en"' in page.text


def test_nobody_follows_a_correction_by_a_wrong_number(visitor: httpx.Client) -> None:
    for number in ("0190a000-0000-7000-8000-000000000000", "1", "<script>"):
        page = send_form(visitor, CORRECTIONS, correction_id=number)
        assert page.status_code == 404
        assert "data-correction-state" not in page.text
        assert "<script" not in page.text


def test_the_law_has_every_measure_in_force(
    visitor: httpx.Client, institution: httpx.Client
) -> None:
    measures = institution.get("/v1/measures").json()["measures"]
    for lang in ("zh", "en"):
        page = visitor.get(f"/law?lang={lang}").text
        assert all(f'data-measure="{each["id"]}"' in page for each in measures)
