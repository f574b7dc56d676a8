"""The form of the self-check: a person is read, or a fault is named without what was typed."""

from datetime import date

import pytest

from cache.token import Tokenizer
from checker.corrections.correction import CorrectionState, GroundCode, Ruling, RulingEffect
from checker.domain.document import DocumentType
from checker.domain.errors import InvalidReason
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.vault import Vault
from checker.web.desk.reader_line import ReaderFault
from checker.web.language import all_words
from checker.web.self_check.asked_person import (
    EntryFault,
    FaultyForm,
    FormFault,
    read_person,
)
from checker.web.self_check.own_entries import BEAT_S, seconds_to_beat
from tests.support.town import DEBTOR, DEBTOR_NAME, PASSPORT

TODAY = date(2026, 11, 30)
SEALER = Sealer(Tokenizer(bytes(32)), Vault(bytes(32)))


def read(name: str, number: str, kind: str = "resident_id") -> PreparedSubject:
    form = {"name": name, "document_type": kind, "document_number": number}
    return read_person(form, TODAY, SEALER.document_token)


@pytest.mark.parametrize(
    ("name", "number", "kind", "fault"),
    [
        (DEBTOR_NAME, "13800138000", "resident_id", ReaderFault.PHONE),
        (DEBTOR_NAME, DEBTOR * 2, "resident_id", ReaderFault.TWICE),
        (DEBTOR_NAME, DEBTOR[:9], "resident_id", ReaderFault.HALF),
        (DEBTOR_NAME, DEBTOR_NAME, "resident_id", ReaderFault.NAME),
        (DEBTOR_NAME, DEBTOR[:-1] + "1", "resident_id", InvalidReason.CHECK_DIGIT),
        (DEBTOR_NAME, f"{DEBTOR[:10]}****{DEBTOR[14:]}", "resident_id", InvalidReason.CHARACTER),
        (DEBTOR_NAME, DEBTOR, "net_id", InvalidReason.NOT_LISTED),
        (DEBTOR_NAME, DEBTOR, "library_card", EntryFault.TYPE),
        (DEBTOR_NAME, "9" * 100, "passport", EntryFault.NUMBER),
        ("·", DEBTOR, "resident_id", None),
        ("\u200b", DEBTOR, "resident_id", EntryFault.NAME),
        ("陈" * 301, DEBTOR, "resident_id", EntryFault.NAME),
        ("<script>alert(1)</script>", DEBTOR, "resident_id", None),
    ],
)
def test_a_form_is_read_or_its_fault_is_named(
    name: str, number: str, kind: str, fault: FormFault | None
) -> None:
    if fault is None:
        assert read(name, number, kind).name == name
        return
    with pytest.raises(FaultyForm) as refused:
        read(name, number, kind)
    assert refused.value.fault is fault
    assert number not in repr(refused.value)


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"document_number": DEBTOR}, EntryFault.NAME),
        ({"name": DEBTOR_NAME}, EntryFault.NUMBER),
    ],
)
def test_a_field_that_is_missing_is_named(form: dict[str, str], fault: EntryFault) -> None:
    with pytest.raises(FaultyForm) as refused:
        read_person(form, TODAY, SEALER.document_token)
    assert refused.value.fault is fault


def test_spellings_of_one_number_are_one_person() -> None:
    spaced = f" {DEBTOR[:6]} {DEBTOR[6:14]}-{DEBTOR[14:]}"
    assert read(DEBTOR_NAME, spaced).token == read(DEBTOR_NAME, DEBTOR).token
    assert read(DEBTOR_NAME, PASSPORT, DocumentType.PASSPORT).document is not None


def test_every_fault_state_and_reason_has_its_word() -> None:
    needed = {
        *(f"own_fault.{fault}" for fault in (*EntryFault, *ReaderFault, *InvalidReason)),
        *(f"correction.reason.{code}" for code in GroundCode),
        *(f"correction.state.{state}" for state in CorrectionState),
        *(f"correction.ruling.{ruling}" for ruling in Ruling),
        *(f"correction.effect.{effect}" for effect in RulingEffect),
    }
    assert sorted(needed - set(all_words())) == []


@pytest.mark.parametrize("elapsed_s", [0.0, 0.001, 0.249, 0.25, 0.26, 1.3])
def test_an_answer_leaves_on_a_beat(elapsed_s: float) -> None:
    wait_s = seconds_to_beat(elapsed_s)
    assert 0 < wait_s <= BEAT_S
    assert (elapsed_s + wait_s) / BEAT_S == pytest.approx(round((elapsed_s + wait_s) / BEAT_S))
