"""A correction's days, its legal moves, and what an upheld one ends."""

from datetime import UTC, date, datetime

import pytest

from checker.corrections.correction import (
    MOVES,
    Concerned,
    Correction,
    CorrectionState,
    Ruling,
    concerned_by,
    is_late,
    require_move,
    ruling_due,
)
from checker.domain.deadlines import Deadlines, DueBasis
from checker.errors import Conflict, InvalidRequest
from checker.policy.calendar import builtin_calendar

RECEIVED = date(2026, 11, 23)
COURT = "雷州市人民法院"
DEADLINES = Deadlines(calendar=builtin_calendar(), basis=DueBasis.CALENDAR_ROLL)
OTHER_COURT = "徐闻县人民法院"


def correction(*listings: tuple[str, str], ruling: Ruling | None = None) -> Correction:
    """One received on the 23rd, about listings with their courts."""
    due = ruling_due(RECEIVED, DEADLINES)
    return Correction(
        number=1,
        id="",
        received_on=RECEIVED,
        due_on=due.on,
        due_basis=due.basis,
        provisional=due.provisional,
        late=False,
        account_id=None,
        decision_id=None,
        ruling=ruling,
        ruled_at=None if ruling is None else datetime(2026, 11, 24, tzinfo=UTC),
        version=None,
        listings=tuple(
            Concerned(id=each, case_number="", court=court, published_on=None)
            for each, court in listings
        ),
    )


@pytest.mark.parametrize(
    ("day", "ruling", "status"),
    [
        (23, None, CorrectionState.OPEN),
        (26, None, CorrectionState.OPEN),
        (27, None, CorrectionState.OVERDUE),
        (23, Ruling.REJECTED, CorrectionState.RULED),
        (27, Ruling.UPHELD, CorrectionState.RULED),
    ],
)
def test_a_correction_is_overdue_after_its_third_day_unless_it_is_ruled_on(
    day: int, ruling: Ruling | None, status: CorrectionState
) -> None:
    assert correction(ruling=ruling).status(date(2026, 11, day)) is status


@pytest.mark.parametrize(
    ("learnt_on", "late"),
    [
        ([], False),
        ([None], False),
        ([date(2026, 11, 13)], False),
        ([date(2026, 11, 12)], True),
        ([date(2016, 7, 7), None, date(2026, 11, 13)], False),
        ([date(2016, 7, 7), date(2026, 11, 12)], True),
        ([date(2026, 12, 1)], False),
    ],
)
def test_what_comes_after_the_tenth_day_of_the_last_one_known_is_late(
    learnt_on: list[date | None], late: bool
) -> None:
    assert is_late(RECEIVED, learnt_on) is late


@pytest.mark.parametrize("earlier", MOVES)
@pytest.mark.parametrize("ruling", Ruling)
def test_a_ruling_may_follow_what_the_table_says_and_names_what_came_first(
    earlier: Ruling | None, ruling: Ruling
) -> None:
    ruled = correction(ruling=earlier)
    if ruling in MOVES[earlier]:
        require_move(ruled, ruling)
        return
    with pytest.raises(Conflict) as refusal:
        require_move(ruled, ruling)
    assert refusal.value.resolution is not None
    assert refusal.value.resolution.status == earlier
    assert refusal.value.resolution.at == "2026-11-24T00:00:00.000Z"


def test_nothing_may_follow_a_ruling() -> None:
    assert {ruling: MOVES[ruling] for ruling in Ruling} == dict.fromkeys(Ruling, frozenset())


def test_what_is_upheld_ends_all_listings_of_one_court_or_those_that_are_named() -> None:
    about = correction(("1", COURT), ("2", COURT))
    assert concerned_by(about, None) == ("1", "2")
    assert concerned_by(about, ["2"]) == ("2",)


def test_listings_of_several_courts_end_only_if_they_are_named() -> None:
    about = correction(("1", COURT), ("2", OTHER_COURT))
    assert concerned_by(about, ["1", "2"]) == ("1", "2")
    with pytest.raises(InvalidRequest, match="which listings"):
        concerned_by(about, None)


def test_a_listing_that_it_is_not_about_cannot_be_named() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        concerned_by(correction(("1", COURT)), ["1", "secret"])
    assert [fault.pointer for fault in refusal.value.faults] == ["/listing_ids"]
    assert "secret" not in str(refusal.value.faults)
