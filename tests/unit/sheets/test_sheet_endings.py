"""The end of a row by the decisions on its checks and by its fault."""

import pytest

from checker.audit.decisions import BatchIds
from checker.checks.batch_request import BATCH_ITEMS_MAX
from checker.checks.checks import Decided
from checker.domain.decision import (
    ALLOWED,
    CapSpending,
    Decision,
    Outcome,
    Reason,
    ReasonCode,
    Remedy,
    ShownListing,
)
from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.role import Role
from checker.errors import InvalidRequest, InvalidSubject, OutOfScope
from checker.sheets.checking import fault_of_check
from checker.sheets.endings import SheetLanguage, ending_of_row
from checker.sheets.row_fault import REMEDIES, WORDS, NotCheckable, RowFault
from checker.sheets.rows import RowQuestion
from tests.support.sheets import STATE, ended
from tests.support.town import COURT, DEBTOR

REASON = Reason(
    code=ReasonCode.RESTRICTED,
    measure="cn-2016-64/2.7.1",
    role=Role.DEBTOR,
    listing=ShownListing(id="1", case_number="（2016）粤0882执1号", court=COURT, published_on=None),
    remedy=Remedy(court=COURT),
)
DENIED = Decision(outcome=Outcome.DENY, reasons=(REASON,))
REVIEWED = Decision(outcome=Outcome.REVIEW, reasons=(REASON,))
CAPPED = Decision(
    outcome=Outcome.CAP,
    spending=CapSpending(
        limit_fen=200_000,
        held_fen=0,
        captured_fen=195,
        remaining_fen=199_805,
        period="month",
        resets_at="2026-12-01T00:00:00.000Z",
    ),
)
FAULT = NotCheckable(fault=RowFault.ROUNDED)


@pytest.mark.parametrize(
    ("decisions", "fault", "ends_as"),
    [
        ([ALLOWED], None, "allow"),
        ([ALLOWED, DENIED], None, "deny"),
        ([CAPPED, ALLOWED], None, "cap"),
        ([REVIEWED, ALLOWED], None, "review"),
        ([], FAULT, "not_checkable"),
        ([ALLOWED], FAULT, "not_checkable"),
        ([CAPPED], FAULT, "not_checkable"),
        ([REVIEWED], FAULT, "review"),
        ([ALLOWED, DENIED], FAULT, "deny"),
    ],
)
def test_a_row_ends_once_and_a_fault_takes_away_an_allow(decisions, fault, ends_as):
    assert ending_of_row(decisions, fault, SheetLanguage.ZH).decision == ends_as


def test_a_refusal_names_its_reason_its_section_and_its_court():
    ending = ending_of_row([DENIED, DENIED], None, SheetLanguage.EN)
    case = f"（2016）粤0882执1号, {COURT}"
    assert ending.texts == (
        "deny",
        f"restricted: this service is restricted, the judgment debtor, {case}",
        "cn-2016-64/2.7.1",
        f"apply to {COURT} for correction within 10 days; the court reviews within 3",
    )


def test_a_cap_names_the_room_that_is_left():
    assert ending_of_row([CAPPED], None, SheetLanguage.EN).reason.endswith("yuan 1998.05")


def test_an_invalid_number_is_explained_in_the_language_of_the_sheet():
    invalid = InvalidDocument(InvalidReason.CHECK_DIGIT)
    fault = fault_of_check(InvalidSubject(str(invalid)))
    assert ending_of_row([], fault, SheetLanguage.ZH).reason.endswith("(校验码不符)")
    assert ending_of_row([], fault, SheetLanguage.EN).reason.endswith(f"({invalid})")


def test_every_fault_has_its_words_and_its_remedy():
    assert WORDS.keys() == REMEDIES.keys() == set(RowFault)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OutOfScope("this key may not ask about rail"), RowFault.OUT_OF_SCOPE),
        (InvalidRequest("broken"), RowFault.INVALID_SERVICE),
    ],
)
def test_an_error_of_a_check_is_a_fault_of_its_row(error, fault):
    assert fault_of_check(error).fault is fault


def test_a_large_sheet_is_decided_in_batches_and_each_row_has_its_own_end():
    class SomeDenied:
        """Denies the last check of each batch."""

        def __init__(self):
            self.sizes = []

        async def decide(self, checks, **_more):
            self.sizes.append(len(checks))
            decisions = (*[ALLOWED] * (len(checks) - 1), DENIED)
            ids = BatchIds(len(checks), {})
            return Decided(decisions=decisions, ids=ids, list=STATE, from_registry=0)

    subject = {"document": {"type": "resident_id", "number": DEBTOR}}
    check = {"subject": subject, "service": {"type": "air", "flight": "CZ1"}}
    rows = [RowQuestion(row=at, checks=(check, check, check)) for at in range(3_334)]
    rows.insert(1_000, RowQuestion(row=5_000, fault=FAULT))
    checks = SomeDenied()
    endings = ended(rows, checks)
    assert checks.sizes == [BATCH_ITEMS_MAX - 1, 3]
    assert [*endings] == [question.row for question in rows]
    denied = [row for row, ending in endings.items() if ending.decision == "deny"]
    assert denied == [3_332, 3_333]
    assert endings[5_000].decision == "not_checkable"
