"""A load that went wrong does not replace the list, unless its sender says that it is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import Conflict, InvalidRequest
from checker.intake.report import RejectedLine
from checker.intake.snapshot_limits import (
    FAULTS_MAX,
    SnapshotConsent,
    SnapshotCounts,
    refuse_empty,
    refuse_rejected,
    refuse_shrunk,
)
from checker.registry.entry import RejectCode

NO_CONSENT = SnapshotConsent()
EVERY_CONSENT = SnapshotConsent(allow_empty=True, allow_shrink=True, allow_rejected=True)


def counts(accepted: int, rejected: int = 0, repeated: int = 0) -> SnapshotCounts:
    return SnapshotCounts(accepted=accepted, rejected=rejected, repeated=repeated)


def lines(number: int) -> list[RejectedLine]:
    return [
        RejectedLine(line=line, code=RejectCode.INVALID_JSON, detail="x")
        for line in range(1, number + 1)
    ]


def test_lines_that_were_all_rejected_are_never_an_empty_list() -> None:
    with pytest.raises(InvalidRequest, match="200 were rejected") as refusal:
        refuse_empty(counts(0, 200), EVERY_CONSENT, lines(200))
    assert len(refusal.value.faults) == FAULTS_MAX


def test_no_lines_need_their_own_consent() -> None:
    for consent in (NO_CONSENT, SnapshotConsent(allow_shrink=True, allow_rejected=True)):
        with pytest.raises(InvalidRequest, match="allow_empty=true"):
            refuse_empty(counts(0), consent, [])
    refuse_empty(counts(0), SnapshotConsent(allow_empty=True), [])
    refuse_shrunk(counts(0), SnapshotConsent(allow_empty=True), 100)


@pytest.mark.parametrize(("accepted", "is_refused"), [(49, True), (50, False), (200, False)])
def test_less_than_half_of_the_list_needs_consent(accepted: int, is_refused: bool) -> None:
    refuse_shrunk(counts(accepted), SnapshotConsent(allow_shrink=True), 100)
    if is_refused:
        with pytest.raises(Conflict, match=f"{accepted} listings would replace 100"):
            refuse_shrunk(counts(accepted), NO_CONSENT, 100)
    else:
        refuse_shrunk(counts(accepted), NO_CONSENT, 100)


@pytest.mark.parametrize(
    ("found", "share_max", "is_refused"),
    [
        (counts(90, 10), 0.1, False),
        (counts(89, 11), 0.1, True),
        (counts(71, 29), 0.29, False),
        (counts(8, 2), 0.1, True),
        (counts(1, 1), 0.1, False),
        (counts(1, 1), 0.0, True),
        (counts(1, 2), 1.0, False),
        (counts(8, 2, repeated=2), 0.0, False),
        (counts(8, 4, repeated=2), 0.1, True),
        (counts(8), 0.0, False),
    ],
)
def test_more_rejected_lines_than_the_share_need_consent(
    found: SnapshotCounts, share_max: float, is_refused: bool
) -> None:
    consent = SnapshotConsent(allow_rejected=True)
    refuse_rejected(found, consent, lines(found.rejected), share_max)
    if is_refused:
        with pytest.raises(InvalidRequest, match="allow_rejected=true"):
            refuse_rejected(found, NO_CONSENT, lines(found.rejected), share_max)
    else:
        refuse_rejected(found, NO_CONSENT, lines(found.rejected), share_max)


@given(accepted=st.integers(1, 1000), rejected=st.integers(2, 1000), share=st.floats(0, 1))
def test_one_more_rejected_line_never_makes_a_refused_list_pass(
    accepted: int, rejected: int, share: float
) -> None:
    try:
        refuse_rejected(counts(accepted, rejected), NO_CONSENT, [], share)
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            refuse_rejected(counts(accepted, rejected + 1), NO_CONSENT, [], share)
