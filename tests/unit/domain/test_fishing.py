"""Who seems to fish: far above the usual share, above the share that is set, and often enough."""

from math import comb

import pytest

from checker.domain.fishing import AskedCounts, FishingGround, FishingSettings, suspect

SETTINGS = FishingSettings()
KIND = AskedCounts(items=10_000, adverse_persons=150, mismatches=20, accounts=9)
OVER = AskedCounts(items=1_000, adverse_persons=101, mismatches=0)
MISMATCHED = AskedCounts(items=1_000, adverse_persons=60, mismatches=51)


def ground(own, kind=KIND, settings=SETTINGS):
    suspicion = suspect(own, kind, settings)
    return None if suspicion is None else suspicion.ground


def test_a_share_far_above_its_kinds_is_told_with_its_numbers():
    suspicion = suspect(OVER, KIND, SETTINGS)
    assert suspicion.ground is FishingGround.ADVERSE_SHARE
    assert (suspicion.items, suspicion.marked) == (1_000, 101)
    assert suspicion.kind_share == pytest.approx(0.015)


def test_names_that_do_not_match_are_a_ground_of_their_own():
    assert ground(MISMATCHED) is FishingGround.MISMATCH_SHARE


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        (AskedCounts(items=1_000, adverse_persons=100, mismatches=50), KIND),
        (AskedCounts(items=SETTINGS.items_min - 1, adverse_persons=199, mismatches=199), KIND),
        (OVER, AskedCounts(items=10_000, adverse_persons=300, mismatches=0, accounts=9)),
        (OVER, AskedCounts(items=10_000, adverse_persons=0, mismatches=0, accounts=4)),
        (AskedCounts(items=0, adverse_persons=0, mismatches=0), KIND),
    ],
    ids=["at the shares", "too few items", "its kind does the same", "no kind", "nothing"],
)
def test_what_is_usual_or_too_little_to_judge_is_no_ground(own, kind):
    assert ground(own, kind) is None


def test_alone_an_account_is_judged_by_the_shares_if_that_is_set():
    nobody = AskedCounts(items=0, adverse_persons=0, mismatches=0, accounts=0)
    alone = FishingSettings(kind_accounts_min=0)
    assert ground(OVER, nobody) is None
    assert ground(OVER, nobody, alone) is FishingGround.ADVERSE_SHARE


# 2 % of the guests are listed; the names of a tenth of these are misread.
@pytest.mark.parametrize(
    ("share", "usual"), [(SETTINGS.adverse_share, 0.02), (SETTINGS.mismatch_share, 0.002)]
)
def test_by_the_defaults_a_hotel_is_suspected_once_in_a_thousand_million_hours(share, usual):
    items = SETTINGS.items_min
    below = sum(
        comb(items, marked) * usual**marked * (1 - usual) ** (items - marked)
        for marked in range(int(items * share) + 1)
    )
    assert 1 - below < 1e-9
