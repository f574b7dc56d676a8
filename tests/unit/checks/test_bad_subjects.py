"""Bad input in the fields of subjects, distinctions and corrections: each error has a pointer."""

from datetime import date
from typing import Any

import msgspec
import pytest

from cache.token import Tokenizer
from checker.accounts.keys import AccountRole, Caller
from checker.api.correction_bodies import FileCorrection, RuleOnCorrection
from checker.checks.request import read_check
from checker.decoding import decode
from checker.errors import InvalidRequest, InvalidSubject
from checker.formats.feed_format import Reading
from checker.formats.operation import parse_operation
from checker.registry.entry import LineRejected
from checker.registry.sealing import Sealer
from checker.vault import Vault

TODAY = date(2026, 11, 23)
SEALER = Sealer(Tokenizer(bytes(32)), Vault(bytes(32)))
CALLER = Caller(
    key_pk=1,
    account_id="1",
    name="x",
    role=AccountRole.INSTITUTION,
    services=None,
    jurisdiction=None,
)
READING = Reading(today=TODAY, sent_on=TODAY, identify=str, measures=frozenset())
ABSENT = object()
AIR = {"type": "air", "flight": "CZ3101"}
PERSON = {"type": "resident_id", "number": "440882189001011230"}
PASSPORT = {"type": "passport", "number": "X1234567"}
NET_ID = {"type": "net_id", "number": "A1"}
DISTINGUISH = {
    "op": "distinguish",
    "listing_id": "1",
    "document": PASSPORT,
    "court": "雷州市人民法院",
    "on": "2026-11-20",
}
UNDISTINGUISH = {"op": "undistinguish", "listing_id": "1", "document": PASSPORT}
FILING = {"listing_id": "1", "ground": "x", "contact": "y"}


def of(sent: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    kept = {name: each for name, each in sent.items() if name != field}
    return kept if value is ABSENT else kept | {field: value}


def check(**subject: Any) -> dict[str, Any]:
    return {"subject": {"document": PERSON} | subject, "service": AIR}


@pytest.mark.parametrize(
    ("subject", "pointer", "kind"),
    [
        ({"document": PASSPORT | {"issuer": None}}, "/document/issuer", InvalidRequest),
        ({"document": PASSPORT | {"issuer": 5}}, "/document/issuer", InvalidRequest),
        ({"document": PASSPORT | {"issuer": "US"}}, "/document/issuer", InvalidRequest),
        ({"document": PASSPORT | {"issuer": "ZZZ"}}, "/document/issuer", InvalidRequest),
        ({"document": PASSPORT | {"issuer": "XXA"}}, "/document/issuer", InvalidRequest),
        ({"document": PERSON | {"issuer": "CHN"}}, "/document/issuer", InvalidRequest),
        ({"document": {"type": "net_id", "number": ""}}, "/document/number", InvalidRequest),
        ({"document": {"type": "net_id", "number": "1" * 65}}, "/document/number", InvalidRequest),
        ({"document": {"type": "net_id", "number": "---"}}, "/document/number", InvalidSubject),
        ({"document": NET_ID | {"issuer": "USA"}}, "/document/issuer", InvalidRequest),
        ({"also": None}, "/also", InvalidRequest),
        ({"also": PASSPORT}, "/also", InvalidRequest),
        ({"also": [PASSPORT] * 5}, "/also", InvalidRequest),
        ({"also": ["X1234567"]}, "/also/0", InvalidRequest),
        ({"also": [PASSPORT, {"type": "passport"}]}, "/also/1/number", InvalidRequest),
        ({"also": [PASSPORT | {"kind": "x"}]}, "/also/0/kind", InvalidRequest),
        ({"also": [PASSPORT | {"number": "1"}]}, "/also/0/number", InvalidSubject),
        ({"also": [PERSON | {"issuer": "USA"}]}, "/also/0/issuer", InvalidRequest),
    ],
)
def test_a_bad_field_of_a_subject_is_refused_at_its_place(
    subject: dict[str, Any], pointer: str, kind: type[InvalidRequest]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_check(msgspec.json.encode(check(**subject)), CALLER, TODAY, SEALER.document_token)
    assert refusal.value.faults[0].pointer == f"/subject{pointer}"
    assert type(refusal.value) is kind
    assert "X1234567" not in str(refusal.value)


@pytest.mark.parametrize("sent", [DISTINGUISH, UNDISTINGUISH])
@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("listing_id", ABSENT, "/listing_id"),
        ("listing_id", None, "/listing_id"),
        ("listing_id", 5, "/listing_id"),
        ("listing_id", "x" * 101, "/listing_id"),
        ("document", ABSENT, "/document"),
        ("document", None, "/document"),
        ("document", "X1234567", "/document"),
        ("document", PASSPORT | {"issuer": "ZZZ"}, "/document/issuer"),
        ("document", PERSON | {"issuer": "CHN"}, "/document/issuer"),
        ("document", PERSON | {"number": "4408821890****1230"}, "/document/number"),
        ("document", {"type": "net_id", "number": "1"}, "/document/type"),
        ("unknown", 1, "/unknown"),
    ],
)
def test_a_bad_field_of_a_distinction_rejects_the_line_at_its_place(
    sent: dict[str, Any], field: str, value: Any, pointer: str
) -> None:
    with pytest.raises(LineRejected) as rejection:
        parse_operation(msgspec.json.encode(of(sent, field, value)), READING)
    assert rejection.value.detail.startswith(pointer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("court", ABSENT),
        ("court", None),
        ("court", 5),
        ("on", 5),
        ("on", "x"),
        ("on", "2026-11-24"),
    ],
)
def test_a_distinction_has_a_court_and_a_day_that_has_come(field: str, value: Any) -> None:
    with pytest.raises(LineRejected) as rejection:
        parse_operation(msgspec.json.encode(of(DISTINGUISH, field, value)), READING)
    assert rejection.value.detail.startswith(f"/{field}")


@pytest.mark.parametrize(
    ("kind", "sent", "field"),
    [
        (FileCorrection, FILING, "ground_code"),
        (RuleOnCorrection, {"ruling": "upheld"}, "effect"),
    ],
)
@pytest.mark.parametrize("value", [None, 5, "", "unknown", ["namesake"]])
def test_a_bad_word_of_a_correction_is_refused_at_its_place(
    kind: Any, sent: dict[str, Any], field: str, value: Any
) -> None:
    decoder = msgspec.json.Decoder(kind)
    with pytest.raises(InvalidRequest) as refusal:
        decode(decoder, msgspec.json.encode(sent | {field: value}))
    assert refusal.value.faults[0].pointer == f"/{field}"


def test_the_right_fields_are_read() -> None:
    also = [PASSPORT | {"issuer": "USA"}, PERSON, {"type": "net_id", "number": "A1"}]
    body = msgspec.json.encode(check(also=also))
    read = read_check(body, CALLER, TODAY, SEALER.document_token).subject
    assert [each.document for each in read.also if each.document] != []
    assert len(read.tokens) == 3, "a document that is there twice counts once"
    assert read.is_unknowable
    parse_operation(msgspec.json.encode(DISTINGUISH), READING)
    parse_operation(msgspec.json.encode(UNDISTINGUISH), READING)
