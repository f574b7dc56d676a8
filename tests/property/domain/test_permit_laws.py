"""Laws of permits: they lift everything or nothing, never harden, and only while they hold."""

from datetime import timedelta

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from checker.domain.decision import Outcome
from checker.domain.permit import Permit
from checker.domain.service import type_of
from checker.domain.standing import Standing
from tests.property.domain.question_strategies import (
    PERMITS,
    QUESTIONS,
    STANDINGS,
    WITHOUT_PERMITS,
    Question,
)

AGES = st.timedeltas(timedelta(0), timedelta(days=400))
REMAINDERS = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))


def more(standing: Standing, permit: Permit) -> Standing:
    return msgspec.structs.replace(standing, permits=(*standing.permits, permit))


def covering(permit: Permit, question: Question, age: timedelta, remainder: timedelta) -> Permit:
    return msgspec.structs.replace(
        permit,
        services=permit.services | {type_of(question.service)},
        valid_from=question.now - age,
        valid_until=question.now + remainder,
        uses_left=None if permit.uses_left is None else max(1, permit.uses_left),
    )


@given(question=QUESTIONS, standing=STANDINGS, permit=PERMITS)
def test_one_more_permit_never_hardens_and_hides_no_reason(
    question: Question, standing: Standing, permit: Permit
) -> None:
    before, after = question.answer(standing), question.answer(more(standing, permit))
    assert after.outcome.strength <= before.outcome.strength
    assert after.reasons == before.reasons


@given(question=QUESTIONS, standing=STANDINGS, permit=PERMITS, age=AGES, remainder=REMAINDERS)
def test_a_permit_that_covers_lifts_all_there_is(
    question: Question, standing: Standing, permit: Permit, age: timedelta, remainder: timedelta
) -> None:
    permitted = more(standing, covering(permit, question, age, remainder))
    decision = question.answer(permitted)
    assert decision.outcome is Outcome.ALLOW
    assert decision.spending is None
    assert (decision.permit is None) == (decision.reasons == ())
    assert decision.permit is None or decision.permit in permitted.permits


@given(
    question=QUESTIONS,
    standing=STANDINGS,
    permit=PERMITS,
    age=AGES,
    remainder=REMAINDERS,
    data=st.data(),
)
def test_a_permit_before_its_start_after_its_end_used_up_or_for_another_service_changes_nothing(
    question: Question,
    standing: Standing,
    permit: Permit,
    age: timedelta,
    remainder: timedelta,
    data: st.DataObject,
) -> None:
    covers = covering(permit, question, age, remainder)
    changed = data.draw(
        st.sampled_from(
            [
                {
                    "valid_from": question.now + remainder,
                    "valid_until": question.now + 2 * remainder,
                },
                {"valid_from": question.now - age - remainder, "valid_until": question.now - age},
                {"uses_left": data.draw(st.integers(-3, 0))},
                {"services": covers.services - {type_of(question.service)}},
            ]
        )
    )
    void = msgspec.structs.replace(covers, **changed)
    assert question.answer(more(standing, void)) == question.answer(standing)


@given(question=QUESTIONS, standing=STANDINGS, data=st.data())
def test_the_order_of_the_permits_decides_nothing(
    question: Question, standing: Standing, data: st.DataObject
) -> None:
    first, second = data.draw(st.tuples(PERMITS, PERMITS))
    assume(first.id != second.id)
    links = standing.links
    one = question.answer(Standing(links=links, permits=(first, second)))
    assert question.answer(Standing(links=links, permits=(second, first))) == one


@given(question=QUESTIONS, standing=WITHOUT_PERMITS, permit=PERMITS, elapsed=AGES)
def test_time_alone_ends_a_permit_for_good(
    question: Question, standing: Standing, permit: Permit, elapsed: timedelta
) -> None:
    later = msgspec.structs.replace(question, now=permit.valid_until + elapsed)
    assert later.answer(more(standing, permit)) == later.answer(standing)
