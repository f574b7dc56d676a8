"""The client of the wheel, and the three examples that sellers begin with."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from checker.client import (
    ApiProblem,
    AsyncClient,
    Client,
    ClientError,
    SaleVerdict,
    authorization,
    authorize,
    capture,
    check,
    check_many,
    is_receipt_about,
    notices,
    refund,
    report_outcome,
    verify_receipt,
    void,
)
from checker.client.operations import subject_of
from checker.domain.service import Air, Resort
from checker.domain.service_terms import ResortVenue
from tests.support.running_service import RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

FLIGHT = Air(flight="CZ3101")
STAY = Resort(venue=ResortVenue.RATED_RESORT, amount_fen=50_000)
EXAMPLES = Path("docs/examples")


@pytest.fixture(scope="module")
def client(service: RunningService) -> Iterator[Client]:
    with Client(service.url, service.keys["institution"], timeout_s=20.0) as opened:
        yield opened


def test_a_check_its_outcome_and_its_receipt(client: Client, service: RunningService) -> None:
    asked = check("resident_id", DEBTOR, name=DEBTOR_NAME, service=FLIGHT, receipt=True)
    answer = client.send(asked)
    assert answer.verdict is SaleVerdict.DENY
    assert answer.reasons[0].code == "restricted"
    assert client.send(report_outcome(answer.id, "refused")) is None
    jwks = httpx.get(f"{service.url}/.well-known/jwks.json").content
    assert answer.receipt is not None
    claims = verify_receipt(answer.receipt.jws, jwks)
    assert is_receipt_about(claims, answer.receipt.opening, "resident_id", DEBTOR)
    assert not is_receipt_about(claims, answer.receipt.opening, "resident_id", INNOCENT)
    with pytest.raises(ClientError):
        verify_receipt(answer.receipt.jws[:-4] + "AAAA", jwks)


def test_the_asynchronous_client_gives_the_same_answers(service: RunningService) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(service.url, service.keys["institution"], timeout_s=20.0) as ours:
            asked = [check("resident_id", each, service=FLIGHT) for each in (DEBTOR, INNOCENT)]
            return [answer.decision for answer in await asyncio.gather(*map(ours.send, asked))]

    assert asyncio.run(ask()) == ["deny", "allow"]


def test_a_batch_keeps_a_bad_item_in_its_place(client: Client) -> None:
    subjects = [subject_of("resident_id", each, None) for each in (INNOCENT, "1", DEBTOR)]
    first, second, third = client.send(check_many(subjects, service=FLIGHT)).results
    assert first.verdict is SaleVerdict.ALLOW
    assert isinstance(second, ApiProblem)
    assert (second.status, second.code) == (422, "invalid-document")
    assert third.verdict is SaleVerdict.DENY


def test_money_is_held_captured_refunded_and_voided(client: Client) -> None:
    held = client.send(authorize("resident_id", DEBTOR, service=STAY))
    assert held.id is not None
    assert client.send(capture(held.id, 30_000)).captured_fen == 30_000
    assert client.send(refund(held.id, 30_000)).refunded_fen == 30_000
    other = client.send(authorize("resident_id", DEBTOR, service=STAY))
    assert other.id is not None
    assert client.send(void(other.id)).status == "voided"
    assert client.send(authorization(other.id)).status == "voided"
    assert client.send(authorize("resident_id", INNOCENT, service=STAY)).id is None


def test_an_error_names_the_field_and_not_the_person(client: Client) -> None:
    with pytest.raises(ApiProblem) as refused:
        client.send(check("resident_id", DEBTOR[:-1], service=FLIGHT))
    assert refused.value.pointers == ("/subject/document/number",)
    assert DEBTOR[:-1] not in str(refused.value)


def test_the_feed_of_notices_has_a_cursor(client: Client) -> None:
    first = client.send(notices())
    assert client.send(notices(first.next)).notices == ()


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("ticketing.py", ["ORDER-1: allow", "ORDER-2: deny", "cn-2016-64/2.7.1"]),
        ("hotel.py", ["uncapped", "captured", "cap-exceeded"]),
        ("agency.py", ["[1, 2]"]),
    ],
)
def test_an_example_runs_as_its_first_lines_say(
    client: Client, service: RunningService, example: str, words: list[str]
) -> None:
    key = service.keys["institution"]
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / example), service.url, key],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert [word for word in words if word not in ran.stdout] == []
