"""Requests as they are read: the order of what is refused, places, and batches."""

import asyncio
from datetime import date
from typing import Any

import msgspec
import pytest

from cache.token import Tokenizer
from checker.accounts.keys import AccountRole, Caller
from checker.checks.batch_request import BATCH_ITEMS_MAX, open_batch
from checker.checks.request import read_check
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest, InvalidSubject, OutOfScope, TooLarge
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.vault import Vault

TODAY = date(2026, 11, 23)
SEALER = Sealer(Tokenizer(bytes(32)), Vault(bytes(32)))
SUBJECT = {"document": {"type": "resident_id", "number": "440882189001011230"}}
WRONG_SUBJECT = {"document": {"type": "resident_id", "number": "440882189001011231"}}
RAIL = {"type": "rail", "train": "G79", "seat": "second"}
AIR = {"type": "air", "flight": "CZ3101"}
CHECK = {"subject": SUBJECT, "service": RAIL}


def caller(*services: ServiceType, jurisdiction: str | None = None) -> Caller:
    return Caller(
        key_pk=1,
        account_id="1",
        name="x",
        role=AccountRole.INSTITUTION,
        services=frozenset(services) or None,
        jurisdiction=None if jurisdiction is None else Jurisdiction(jurisdiction),
    )


def read(request: Any, by: Caller | None = None) -> PreparedCheck:
    return read_check(msgspec.json.encode(request), by or caller(), TODAY, SEALER.document_token)


def items(batch: Any, by: Caller | None = None) -> list[Any]:
    body = msgspec.json.encode(batch)
    opened = asyncio.run(open_batch(body, by or caller(), TODAY, SEALER))
    return [opened.read(raw) for raw in opened.raws]


def test_the_shape_is_refused_before_the_scope_and_the_scope_before_the_number() -> None:
    rail_only = caller(ServiceType.RAIL)
    wrong = {"subject": WRONG_SUBJECT, "service": AIR}
    with pytest.raises(InvalidRequest):
        read({**wrong, "extra": 1}, rail_only)
    with pytest.raises(OutOfScope):
        read(wrong, rail_only)
    with pytest.raises(InvalidSubject):
        read({**wrong, "service": RAIL}, rail_only)


@pytest.mark.parametrize(
    ("asked", "default", "place"),
    [
        (None, None, "CN"),
        (None, "440882", "440882"),
        ("440881", "440882", "440881"),
        ("CN", "440882", "CN"),
        ("440800", None, "4408"),
    ],
)
def test_the_place_is_the_request_s_then_the_key_s_then_the_country(
    asked: str | None, default: str | None, place: str
) -> None:
    check = read({**CHECK, "jurisdiction": asked}, caller(jurisdiction=default))
    assert check.jurisdiction == place


def test_a_receipt_is_asked_for_by_each_check_and_not_by_a_shared_service() -> None:
    wanting = {**CHECK, "receipt": True}
    assert (read(CHECK).receipt, read(wanting).receipt) == (False, True)
    assert [item.receipt for item in items({"checks": [wanting, CHECK]})] == [True, False]
    shared = {"service": RAIL, "subjects": [SUBJECT]}
    for batch in ({**shared, "receipt": True}, {**shared, "receipt": False}):
        with pytest.raises(InvalidRequest) as caught:
            items(batch)
        assert caught.value.faults[0].pointer == "/receipt"
    assert [item.receipt for item in items(shared)] == [False]


def test_the_document_is_read_normalised() -> None:
    spaced = {"document": {"type": "resident_id", "number": "440882 18900101 1230"}}
    check = read({**CHECK, "subject": spaced})
    assert check.document.number == "440882189001011230"
    assert check.subject.token == SEALER.document_token(check.document)


@pytest.mark.parametrize("form", ["checks", "subjects"])
def test_a_batch_has_ten_thousand_items_at_most(form: str) -> None:
    for count in (BATCH_ITEMS_MAX, BATCH_ITEMS_MAX + 1):
        batch = (
            {"checks": [1] * count}
            if form == "checks"
            else {"service": RAIL, "subjects": [1] * count}
        )
        if count > BATCH_ITEMS_MAX:
            with pytest.raises(TooLarge):
                items(batch)
        else:
            assert len(items(batch)) == count


def test_each_item_of_a_batch_is_an_answer_or_its_own_error() -> None:
    read_items = items(
        {"checks": [CHECK, 1, {**CHECK, "service": AIR}, {**CHECK, "subject": WRONG_SUBJECT}]},
        caller(ServiceType.RAIL),
    )
    kinds = [type(item) for item in read_items]
    assert kinds == [PreparedCheck, InvalidRequest, OutOfScope, InvalidSubject]


def test_a_shared_service_is_in_scope_or_the_batch_is_refused() -> None:
    batch = {"service": AIR, "subjects": [SUBJECT]}
    with pytest.raises(OutOfScope):
        items(batch, caller(ServiceType.RAIL))
    [item] = items(batch, caller(ServiceType.AIR, jurisdiction="440882"))
    assert (item.jurisdiction, item.reference) == ("440882", None)
