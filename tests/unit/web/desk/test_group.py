"""A group carries its masked guests in the page; the booking has the strongest decision."""

import pytest

from checker.domain.decision import Outcome
from checker.web.desk.group import GUESTS_MAX, group_with
from checker.web.desk.verdict import INVALID, DeskVerdict


def verdict(decision: str) -> DeskVerdict:
    return DeskVerdict(
        decision=decision, headline="", say="", guest_number="4408**********1230", guest_name="陈**"
    )


def test_a_guest_alone_is_no_group() -> None:
    assert group_with({}, verdict(Outcome.DENY)) is None


def test_a_booking_has_the_strongest_decision_of_its_guests() -> None:
    text, decisions = "", []
    for outcome in (Outcome.ALLOW, Outcome.DENY, Outcome.REVIEW):
        group = group_with({"in_group": "true", "group": text}, verdict(outcome))
        assert group is not None
        text = group.text
        decisions.append(group.decision)
    assert decisions == [Outcome.ALLOW, Outcome.DENY, Outcome.DENY]
    assert group is not None
    assert len(group.guests) == 3


def test_a_guest_who_was_not_checked_is_not_in_the_group() -> None:
    group = group_with({"in_group": "true"}, verdict(INVALID))
    assert group is not None
    assert group.guests == ()
    assert group.state == INVALID


@pytest.mark.parametrize("text", ["{", "[1]", '[{"decision":"maybe","number":"","name":""}]'])
def test_a_garbled_group_begins_anew(text: str) -> None:
    group = group_with({"in_group": "true", "group": text}, verdict(Outcome.ALLOW))
    assert group is not None
    assert len(group.guests) == 1


def test_a_group_is_full_at_its_bound() -> None:
    text = ""
    for _ in range(GUESTS_MAX + 1):
        group = group_with({"in_group": "true", "group": text}, verdict(Outcome.ALLOW))
        assert group is not None
        text = group.text
    assert group is not None
    assert group.is_full
    assert len(group.guests) == GUESTS_MAX
