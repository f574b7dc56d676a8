"""Receipts over HTTP: asked for, verified by another library, kept apart from the person."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, SLOW_TRAIN, ask, pointers, problem, question
from tests.support.running_service import RunningService, run_command, wait_until
from tests.support.town import DEBTOR, DEBTOR_NAME, INNOCENT, LEGAL_REPRESENTATIVE, MARKS, PASSPORT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

KEY_SET = "/.well-known/jwks.json"
CLAIMS = {"jti", "iat", "iss", "aud", "decision", "measures", "list_version", "service", "subject"}
TOO_SHORT_TO_SEARCH_FOR = 8
"""So short a mark may stand in random base64url by chance."""


@pytest.fixture(scope="module")
def asker(service: RunningService) -> Iterator[httpx.Client]:
    """The institution, by a client that reads random base64url without looking for short marks."""
    headers = {"authorization": f"Bearer {service.keys['institution']}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=30) as client:
        yield client


def receipt_of(client: httpx.Client, number: str, asked: dict[str, Any], **more: Any) -> Any:
    """Ask for a receipt; give the answer, in which it must be."""
    answer = ask(client, number, asked, receipt=True, **more)
    assert set(answer["receipt"]) == {"jws", "opening"}
    return answer


def published(client: httpx.Client) -> jwt.PyJWKSet:
    return jwt.PyJWKSet.from_json(client.get(KEY_SET).text)


def claims_of(client: httpx.Client, receipt: dict[str, str]) -> dict[str, Any]:
    """Verify as a third party does, by what is published alone."""
    jws = receipt["jws"]
    key = published(client)[jwt.get_unverified_header(jws)["kid"]]
    options = {"verify_aud": False, "require": sorted(CLAIMS)}
    told: dict[str, Any] = jwt.decode(jws, key, algorithms=["EdDSA"], options=options)
    assert set(told) == CLAIMS
    return told


def committed(opening: str, text: str) -> str:
    key = base64.urlsafe_b64decode(opening + "=")
    assert len(key) == 32
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize(
    ("number", "asked", "decision"),
    [(DEBTOR, G_TRAIN, "deny"), (INNOCENT, G_TRAIN, "allow"), (DEBTOR, SLOW_TRAIN, "allow")],
)
def test_a_receipt_says_what_the_answer_says_and_opens_to_the_person(
    asker: httpx.Client, number: str, asked: dict[str, Any], decision: str
) -> None:
    answer = receipt_of(asker, number, asked)
    told = claims_of(asker, answer["receipt"])
    assert told["decision"] == answer["decision"] == decision
    assert told["measures"] == [reason["measure"] for reason in answer["reasons"]]
    assert (told["jti"], told["service"]) == (answer["id"], asked["type"])
    assert (told["iss"], told["list_version"]) == ("checker", answer["list"]["version"])
    assert told["subject"] == committed(answer["receipt"]["opening"], f"resident_id:{number}")


def test_the_number_is_committed_to_in_its_one_spelling(asker: httpx.Client) -> None:
    spaced = f"{DEBTOR[:6]} {DEBTOR[6:14]}-{DEBTOR[14:]}"
    receipt = receipt_of(asker, spaced, G_TRAIN)["receipt"]
    subject = claims_of(asker, receipt)["subject"]
    assert subject == committed(receipt["opening"], f"resident_id:{DEBTOR}")
    receipt = receipt_of(asker, PASSPORT.lower(), FLIGHT, kind="passport")["receipt"]
    subject = claims_of(asker, receipt)["subject"]
    assert subject == committed(receipt["opening"], f"passport:{PASSPORT}")


def test_the_jws_alone_tells_nothing_of_the_person(asker: httpx.Client) -> None:
    more = {"name": DEBTOR_NAME, "reference": "ORDER-77", "jurisdiction": "440882"}
    receipt = receipt_of(asker, DEBTOR, G_TRAIN, **more)["receipt"]
    head, body, _ = receipt["jws"].split(".")
    told = b"".join(base64.urlsafe_b64decode(part + "==") for part in (head, body)).decode()
    marks = (*MARKS, DEBTOR[6:14], "resident_id", "ORDER-77", "雷州市人民法院", "440882")
    assert not [mark for mark in marks if len(mark) >= TOO_SHORT_TO_SEARCH_FOR and mark in told]
    assert "440882" not in told
    assert receipt["opening"] not in receipt["jws"]


def test_accounts_are_told_apart_and_keys_of_one_account_are_not(
    service: RunningService, asker: httpx.Client
) -> None:
    headers = {"authorization": f"Bearer {service.keys['rail only']}"}
    with httpx.Client(base_url=service.url, headers=headers) as other:
        audiences = [
            claims_of(client, receipt_of(client, DEBTOR, G_TRAIN)["receipt"])["aud"]
            for client in (asker, asker, other)
        ]
    assert audiences[0] == audiences[1] != audiences[2]


def test_no_receipt_is_given_where_none_is_asked_for(institution: httpx.Client) -> None:
    assert ask(institution, DEBTOR, G_TRAIN)["receipt"] is None
    assert ask(institution, DEBTOR, G_TRAIN, receipt=False)["receipt"] is None


def test_each_item_of_a_batch_has_its_own_receipt_or_none(asker: httpx.Client) -> None:
    checks = [
        question(DEBTOR, G_TRAIN, receipt=True),
        question(INNOCENT, G_TRAIN, receipt=True, reference="kept"),
        question("1234", G_TRAIN, receipt=True),
        question(LEGAL_REPRESENTATIVE, FLIGHT, receipt=True),
        question(DEBTOR, G_TRAIN),
    ]
    response = asker.post("/v1/checks/batch", json={"checks": checks})
    results = response.json()["results"]
    assert ["receipt" in result for result in results] == [True, True, False, True, False]
    for place, number in ((0, DEBTOR), (1, INNOCENT), (3, LEGAL_REPRESENTATIVE)):
        told = claims_of(asker, results[place]["receipt"])
        assert (told["jti"], told["decision"]) == (results[place]["id"], results[place]["decision"])
        opening = results[place]["receipt"]["opening"]
        assert told["subject"] == committed(opening, f"resident_id:{number}")


def test_subjects_of_one_service_have_no_place_for_a_receipt(institution: httpx.Client) -> None:
    batch = {"service": G_TRAIN, "subjects": [question(DEBTOR, G_TRAIN)["subject"]]}
    response = institution.post("/v1/checks/batch", json={**batch, "receipt": True})
    assert pointers(problem(response, 400, "invalid-request")) == ["/receipt"]


def test_the_keys_are_public_and_may_be_kept_for_a_while(anyone: httpx.Client) -> None:
    response = anyone.get(KEY_SET)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=300"
    assert set(response.json()) == {"keys"}
    for key in response.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
        shown = (key["kty"], key["crv"], key["use"], key["alg"])
        assert shown == ("OKP", "Ed25519", "sig", "EdDSA")
        thumbprint = json.dumps({name: key[name] for name in ("crv", "kty", "x")})
        digest = hashlib.sha256(thumbprint.replace(" ", "").encode()).digest()
        assert key["kid"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_a_new_key_takes_over_and_no_receipt_is_ever_without_its_key(
    service: RunningService, asker: httpx.Client
) -> None:
    old = receipt_of(asker, DEBTOR, G_TRAIN)["receipt"]
    done = run_command(service.data_dir, "receipts", "rotate", "--lead", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)["kid"]

    def is_taken_over() -> bool:
        """Verify a receipt by keys that were fetched before it was signed."""
        keys = published(asker)
        receipt = receipt_of(asker, INNOCENT, G_TRAIN)["receipt"]
        kid: str = jwt.get_unverified_header(receipt["jws"])["kid"]
        options = {"verify_aud": False}
        jwt.decode(receipt["jws"], keys[kid], algorithms=["EdDSA"], options=options)
        return kid == made

    wait_until(is_taken_over)
    assert claims_of(asker, old)["decision"] == "deny"


def test_a_receipt_is_verified_on_the_command_line(
    service: RunningService, asker: httpx.Client
) -> None:
    receipt = receipt_of(asker, DEBTOR, G_TRAIN)["receipt"]
    asked = ("--opening", receipt["opening"], "--document", "-", "--json")
    for keys in ((), ("--jwks", f"{service.url}{KEY_SET}")):
        command = ("verify-receipt", receipt["jws"], *keys, *asked)
        done = run_command(service.data_dir, *command, typed=f"resident_id:{DEBTOR}\n")
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert (told["valid"], told["about_document"]) == (True, True)
        assert told["claims"] == claims_of(asker, receipt)


def test_a_key_that_is_withdrawn_is_gone_and_another_signs(
    service: RunningService, asker: httpx.Client
) -> None:
    stolen = jwt.get_unverified_header(receipt_of(asker, DEBTOR, G_TRAIN)["receipt"]["jws"])["kid"]
    done = run_command(service.data_dir, "receipts", "withdraw", "--kid", stolen, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)["kid"]
    wait_until(lambda: made in {key.key_id for key in published(asker).keys})
    assert stolen not in {key.key_id for key in published(asker).keys}
    receipt = receipt_of(asker, DEBTOR, G_TRAIN)["receipt"]
    assert jwt.get_unverified_header(receipt["jws"])["kid"] == made
    assert claims_of(asker, receipt)["decision"] == "deny"
