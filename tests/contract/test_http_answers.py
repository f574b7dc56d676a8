"""The examples of the contract's sections 2 and 5, and every field of an answer."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, SLOW_TRAIN, ask, codes
from tests.support.town import (
    DEBTOR,
    DEBTOR_NAME,
    INNOCENT,
    LEGAL_REPRESENTATIVE,
    PASSPORT,
    TOWN,
    USCC,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def printed_answer(institution: httpx.Client) -> dict[str, Any]:
    """Return the answer to the request that section 2 prints."""
    request = {
        "subject": {"document": {"type": "resident_id", "number": DEBTOR}, "name": DEBTOR_NAME},
        "service": {"type": "rail", "train": "G79", "seat": "second"},
        "jurisdiction": "440882",
        "reference": "ORDER-1",
        "receipt": False,
    }
    response = institution.post("/v1/checks", json=request)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


def test_the_printed_request_is_denied_by_both_documents(printed_answer: dict[str, Any]) -> None:
    assert printed_answer["decision"] == "deny"
    assert codes(printed_answer) == [
        ("restricted", "cn-2016-64/2.7.1"),
        ("restricted", "leizhou/2.7.1"),
    ]


def test_a_denial_has_the_printed_fields_and_its_alternatives(
    printed_answer: dict[str, Any],
) -> None:
    fields = "id decision reasons permit spending list reference receipt alternatives"
    assert list(printed_answer) == fields.split()
    assert [printed_answer[name] for name in ("permit", "spending", "receipt")] == [None] * 3
    assert set(printed_answer["list"]) == {"version", "history", "as_of", "stale"}


def test_the_alternatives_are_allowed_and_no_other_answer_has_any(
    institution: httpx.Client, printed_answer: dict[str, Any]
) -> None:
    [nearest, *_] = printed_answer["alternatives"]
    assert nearest == {"type": "rail", "train": "D79", "seat": "second"}
    for service in printed_answer["alternatives"]:
        answer = ask(institution, DEBTOR, service, jurisdiction="440882")
        assert answer["decision"] == "allow"
        assert "alternatives" not in answer
    assert ask(institution, DEBTOR, FLIGHT)["alternatives"] == []


def test_a_reason_names_role_listing_and_remedy(printed_answer: dict[str, Any]) -> None:
    court = "雷州市人民法院"
    assert printed_answer["reasons"][0] == {
        "code": "restricted",
        "measure": "cn-2016-64/2.7.1",
        "role": "debtor",
        "listing": {
            "id": "1",
            "case_number": "（2016）粤0882执1号",
            "court": court,
            "published_on": "2016-07-07",
            "kind": "dishonest",
        },
        "remedy": {"court": court, "apply_within_days": 10, "review_within_days": 3},
    }


def test_the_reference_is_echoed_as_it_came(institution: httpx.Client) -> None:
    for reference in ("ORDER-1", "订单 №1 \U0001f682", "", None):
        assert ask(institution, INNOCENT, G_TRAIN, reference=reference)["reference"] == reference


def test_an_innocent_is_allowed_without_a_reason(institution: httpx.Client) -> None:
    answer = ask(institution, INNOCENT, G_TRAIN)
    assert (answer["decision"], answer["reasons"], answer["reference"]) == ("allow", [], None)


def test_a_listed_person_may_buy_what_no_measure_names(institution: httpx.Client) -> None:
    answer = ask(institution, DEBTOR, SLOW_TRAIN)
    assert (answer["decision"], answer["reasons"]) == ("allow", [])


def test_ids_are_uuids_of_version_7_and_ascend(institution: httpx.Client) -> None:
    ids = [UUID(ask(institution, INNOCENT, G_TRAIN)["id"]) for _ in range(5)]
    assert {found.version for found in ids} == {7}
    assert ids == sorted(set(ids))


def test_the_list_is_told_by_its_instant_in_utc(
    institution: httpx.Client, put_snapshot: Callable[..., dict[str, Any]]
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    put_snapshot(list(TOWN))
    told = ask(institution, INNOCENT, G_TRAIN)["list"]
    assert INSTANT.fullmatch(told["as_of"])
    assert before < datetime.fromisoformat(told["as_of"]) <= datetime.now(UTC)
    assert told["stale"] is False


def test_each_snapshot_is_one_version_on(
    institution: httpx.Client, put_snapshot: Callable[..., dict[str, Any]]
) -> None:
    versions = [put_snapshot(list(TOWN))["version"] for _ in range(3)]
    assert versions == list(range(versions[0], versions[0] + 3))
    assert ask(institution, INNOCENT, G_TRAIN)["list"]["version"] == versions[-1]
    assert ask(institution, DEBTOR, G_TRAIN)["list"]["version"] == versions[-1]


def test_the_printed_listing_is_taken_in_as_printed(
    institution: httpx.Client, put_snapshot: Callable[..., dict[str, Any]]
) -> None:
    line = (
        '{"id": "707091354", "case_number": "（2016）粤0882执123号", "court": "雷州市人民法院",'
        ' "filed_on": "2016-05-04", "published_on": "2016-07-07", "expires_on": null,'
        ' "public": true, "party": {"type": "organization", "name": "示例有限公司",'
        f' "documents": [{{"type": "uscc", "number": "{USCC}"}}]}},'
        ' "officers": [{"role": "legal_representative", "name": "李法定",'
        f' "documents": [{{"type": "resident_id", "number": "{LEGAL_REPRESENTATIVE}"}}]}}]}}'
    )
    try:
        report = put_snapshot(line.encode())
        assert (report["accepted"], report["rejected"]) == (1, [])
        answer = ask(institution, LEGAL_REPRESENTATIVE, FLIGHT)
        assert [reason["role"] for reason in answer["reasons"]] == ["legal_representative"]
        assert answer["reasons"][0]["listing"]["id"] == "707091354"
    finally:
        put_snapshot(list(TOWN))


def test_optional_fields_may_be_null_where_the_contract_gives_null_a_meaning(
    institution: httpx.Client,
) -> None:
    subject = {"document": {"type": "passport", "number": PASSPORT}, "name": None}
    request = {"subject": subject, "service": FLIGHT, "jurisdiction": None, "reference": None}
    response = institution.post("/v1/checks", json=request)
    assert (response.status_code, response.json()["decision"]) == (200, "deny")
