"""Past sales are judged by the list as it was when they were made."""

import pytest

from checker.domain.service import Air
from tests.integration.registry.correction_filings import SELLER
from tests.integration.registry.past_sales import (
    by_hour,
    outcomes_of,
    reconcile,
    sale,
    two_listed,
)
from tests.support.operation_lines import (
    bind,
    delist,
    fulfil,
    list_,
    passport,
    permit,
    retain,
    withdraw,
)
from tests.support.registry_grounds import (
    accepted,
    check_of,
    decide,
    document,
    name_of,
    person_listing,
    query,
    resident_id,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def listed(node):
    return await two_listed(node)


async def test_a_sale_is_judged_by_the_list_of_its_instant(listed, clock):
    clock.move(hours=2)
    await accepted(listed, delist(1, "settled"), list_(person_listing(5)))
    clock.move(hours=2)
    await accepted(listed, list_(person_listing(1)), delist(5))
    clock.move(hours=4)
    assert await by_hour(listed, 1) == ["deny"] * 2 + ["allow"] * 2 + ["deny"] * 4
    assert await by_hour(listed, 5) == ["allow"] * 2 + ["deny"] * 2 + ["allow"] * 4
    assert await by_hour(listed, 9) == ["allow"] * 8


async def test_days_are_held_against_the_day_of_the_sale(listed, clock):
    ends = list_(person_listing(1, expires_on="2026-11-25"))
    later = list_(person_listing(5, published_on="2026-11-25"))
    await accepted(listed, ends, later, fulfil(2, on="2026-11-23"))
    clock.move(days=6)
    sales = [sale(index, hours=24 * day) for index in (1, 5, 2) for day in range(5)]
    told = await outcomes_of(listed, *sales)
    assert told[:5] == ["deny"] * 2 + ["allow"] * 3
    assert told[5:10] == ["allow"] * 2 + ["deny"] * 3
    assert told[10:] == ["deny"] * 4 + ["review"]


async def test_a_permit_lifts_what_was_sold_while_it_was_in_force(listed, clock):
    clock.move(hours=2)
    await accepted(listed, permit())
    clock.move(hours=2)
    await accepted(listed, withdraw())
    clock.move(hours=4)
    assert await by_hour(listed, 1) == ["deny"] * 2 + ["allow"] * 2 + ["deny"] * 4


async def test_a_counted_permit_lifts_the_sale_that_used_it_and_none_after(listed, clock):
    await accepted(listed, permit(uses=1))
    clock.move(hours=2)
    check = check_of(resident_id(1), reference="ORDER-1")
    await decide(listed, check, account_id=SELLER)
    clock.move(hours=4)
    first, own, other, later = (
        sale(1, hours=1),
        sale(1, hours=3, reference="ORDER-1"),
        sale(1, hours=3, reference="ORDER-2"),
        sale(1, hours=5),
    )
    assert await outcomes_of(listed, first, own, other, later) == ["allow"] * 2 + ["deny"] * 2


async def test_a_document_that_was_bound_by_then_is_the_persons(listed, clock):
    clock.move(hours=3)
    await accepted(listed, bind(document(resident_id(1)), passport(1)))
    clock.move(hours=5)
    number = passport(1)["number"]
    told = await by_hour(listed, 1, number=number, kind="passport")
    assert told == ["allow"] * 3 + ["deny"] * 5


async def test_a_retained_measure_still_refuses_what_was_sold_later(listed, clock):
    await accepted(listed, retain(1, "cn-2016-64/2.7.1", until="2027-01-01"))
    clock.move(hours=2)
    await accepted(listed, delist(1))
    clock.move(hours=6)
    assert await by_hour(listed, 1) == ["deny"] * 8


async def test_a_result_names_line_reference_reasons_and_list_and_nobody(listed, clock):
    clock.move(hours=2)
    done, results = await reconcile(listed, sale(9, hours=1), sale(1, hours=1, reference="ORDER-1"))
    assert (done.lines, done.adverse, done.rejected) == (2, 1, 0)
    [told] = results.values()
    assert (told.line, told.reference, told.decision, told.list_version) == (
        2,
        "ORDER-1",
        "deny",
        1,
    )
    assert [each["measure"] for each in told.reasons] == ["cn-2016-64/2.7.1"]
    kept = repr(await query(listed, "SELECT * FROM reconciliation_result"))
    assert resident_id(1) not in kept
    assert "ORDER-1" not in kept


async def test_another_name_is_for_a_person_to_look_at(listed, clock):
    clock.move(hours=2)
    subject = {"document": document(resident_id(1)), "name": name_of(2)}
    assert await outcomes_of(listed, sale(1, hours=1, subject=subject)) == ["review"]


async def test_before_the_first_list_nothing_could_be_told(listed):
    sales = [sale(index, hours=-1) for index in (1, 9)]
    assert await outcomes_of(listed, *sales) == ["no-list"] * 2


async def test_what_a_check_answered_then_is_what_is_told_of_the_sale(listed, clock):
    """Checks are asked while the list changes, and the same sales reconciled at the end."""
    asked, sales = [], []
    for step in range(6):
        operation = delist(1) if step % 2 else list_(person_listing(1, id=f"listing-{1}"))
        await accepted(listed, operation)
        for index in (1, 2, 9):
            check = check_of(resident_id(index), name_of(index), service=Air(flight="CZ3101"))
            decided = await decide(listed, check)
            asked.append(decided.decisions[0].outcome.value)
            sales.append(sale(index, hours=step))
        clock.move(hours=1)
    assert await outcomes_of(listed, *sales) == asked
    assert set(asked) == {"allow", "deny"}
