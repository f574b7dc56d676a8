"""Receipts as they are issued, read by PyJWT, which the service does not use."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec
import pytest

from checker.domain.decision import ALLOWED, Decision, Outcome, Reason, ReasonCode
from checker.domain.document import Document, DocumentType
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.receipts.keys import ReceiptKey
from checker.receipts.receipt import Receipt, Statement, is_about, read_opening
from checker.receipts.receipts import AT_ONCE, Receipts
from checker.receipts.signature import kid_of, new_key, public_key
from checker.receipts.verification import verify_receipt
from tests.support.fake_clock import FakeClock

pytestmark = pytest.mark.anyio

AT = datetime(2026, 11, 23, 1, 2, 3, 999_000, tzinfo=UTC)
NUMBER = "440882189001011230"
DOCUMENT = Document(type=DocumentType.RESIDENT_ID, number=NUMBER)
MEASURES = ("cn-2016-64/2.7.1", "leizhou/2.7.1", "cn-2016-64/2.7.1")


class OneKey:
    """Signs by one key and counts how often it was asked for."""

    def __init__(self) -> None:
        key = new_key()
        self.held = ReceiptKey(number=1, kid=kid_of(key), key=key, signs_from=AT)
        self.asked = 0

    def signing(self) -> ReceiptKey:
        self.asked += 1
        return self.held


def issuer_of(keys: OneKey) -> Receipts:
    return Receipts(keys.signing, issuer="checker.example", clock=FakeClock(AT))


def reason(measure: str) -> Reason:
    return Reason(
        code=ReasonCode.RESTRICTED, measure=measure, role=Role.DEBTOR, listing=None, remedy=None
    )


DENIED = Decision(outcome=Outcome.DENY, reasons=tuple(reason(each) for each in MEASURES))


def statement(decision: Decision, decision_id: str = "decision-1") -> Statement:
    return Statement(
        decision_id=decision_id,
        account_id="account-1",
        decision=decision,
        list_version=42,
        service=ServiceType.RAIL,
        document=DOCUMENT,
    )


def read_by_pyjwt(receipt: Receipt, keys: OneKey) -> dict[str, Any]:
    jwk = jwt.PyJWK.from_dict(msgspec.to_builtins(public_key(keys.held.key)))
    told: dict[str, Any] = jwt.decode(
        receipt.jws,
        jwk,
        algorithms=["EdDSA"],
        audience="account-1",
        issuer="checker.example",
        options={"require": ["jti", "iat", "iss", "aud"], "verify_iat": False},
    )
    return told


def test_another_library_reads_the_claims_of_the_contract_and_no_other() -> None:
    keys = OneKey()
    receipt = issuer_of(keys).issue(statement(DENIED))
    told = read_by_pyjwt(receipt, keys)
    subject = told.pop("subject")
    assert told == {
        "jti": "decision-1",
        "iat": int(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC).timestamp()),
        "iss": "checker.example",
        "aud": "account-1",
        "decision": "deny",
        "measures": ["cn-2016-64/2.7.1", "leizhou/2.7.1"],
        "list_version": 42,
        "service": "rail",
    }
    header = jwt.get_unverified_header(receipt.jws)
    assert header == {"alg": "EdDSA", "kid": keys.held.kid, "typ": "JWT"}
    assert subject == committed(receipt.opening, f"resident_id:{NUMBER}")


def committed(opening: str, text: str) -> str:
    """The contract's formula, written once more from its text."""
    key = base64.urlsafe_b64decode(opening + "=")
    assert len(key) == 32
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_an_allow_has_a_receipt_too() -> None:
    keys = OneKey()
    told = read_by_pyjwt(issuer_of(keys).issue(statement(ALLOWED)), keys)
    assert (told["decision"], told["measures"]) == ("allow", [])


def test_two_receipts_of_one_person_have_nothing_in_common_that_tells_so() -> None:
    keys = OneKey()
    first, second = (issuer_of(keys).issue(statement(DENIED)) for _ in range(2))
    assert first.opening != second.opening
    assert read_by_pyjwt(first, keys)["subject"] != read_by_pyjwt(second, keys)["subject"]


def test_nothing_of_the_person_is_in_the_jws() -> None:
    receipt = issuer_of(OneKey()).issue(statement(DENIED))
    opened = b"".join(base64.urlsafe_b64decode(part + "==") for part in receipt.jws.split("."))
    unsalted = hashlib.sha256(f"resident_id:{NUMBER}".encode())
    for mark in (NUMBER.encode(), NUMBER[6:14].encode(), b"resident_id", unsalted.digest()):
        assert mark not in opened
    assert receipt.opening not in receipt.jws


def test_the_opening_proves_whom_it_is_about_and_about_whom_it_is_not() -> None:
    keys = OneKey()
    receipt = issuer_of(keys).issue(statement(DENIED))
    claims = verify_receipt(receipt.jws, {keys.held.kid: keys.held.key}).claims
    opening = read_opening(receipt.opening)
    namesake = Document(type=DocumentType.RESIDENT_ID, number="440882189001013121")
    other_kind = Document(type=DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, number=NUMBER)
    assert is_about(claims, DOCUMENT, opening)
    assert not is_about(claims, namesake, opening)
    assert not is_about(claims, other_kind, opening)
    assert not is_about(claims, DOCUMENT, bytes(32))


async def test_a_batch_is_signed_in_its_order_by_one_key() -> None:
    keys = OneKey()
    asked: Sequence[Statement | None] = [
        statement(DENIED, str(place)) if place % 3 else None for place in range(2 * AT_ONCE)
    ]
    receipts = await issuer_of(keys).issue_all(asked)
    told = [None if each is None else read_by_pyjwt(each, keys)["jti"] for each in receipts]
    assert told == [None if each is None else each.decision_id for each in asked]
    assert keys.asked == 1


async def test_a_batch_that_asks_for_no_receipt_asks_for_no_key() -> None:
    keys = OneKey()
    assert await issuer_of(keys).issue_all([None, None]) == [None, None]
    assert keys.asked == 0
