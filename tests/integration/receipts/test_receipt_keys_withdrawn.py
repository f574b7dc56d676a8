"""A key that was stolen is withdrawn, whatever it was doing."""

from datetime import timedelta

import pytest

from checker.errors import NotFound
from tests.integration.receipts.receipt_grounds import LEAD, Node, kid_of, stored

pytestmark = pytest.mark.anyio


async def test_by_a_key_that_was_withdrawn_nothing_is_signed_or_verified(
    node: Node, other: Node
) -> None:
    stolen = node.sign()
    made = await node.withdraw(kid_of(stolen))
    assert made is not None
    for each in (node, other):
        await each.keys.refresh()
        assert each.published() == [made.kid] == [kid_of(each.sign())]
        assert not each.verifies(stolen)


async def test_a_key_that_no_longer_signs_is_withdrawn_without_another(node: Node) -> None:
    old = node.sign()
    for _ in range(2):
        await node.rotate()
        node.clock.instant += LEAD
    await node.keys.refresh()
    before = node.published()
    assert await node.withdraw(kid_of(old)) is None
    await node.keys.refresh()
    assert node.published() == [kid for kid in before if kid != kid_of(old)]
    assert len(before) == 3


async def test_a_key_that_is_still_to_sign_is_withdrawn_and_the_one_before_goes_on(
    node: Node,
) -> None:
    old = node.sign()
    made = await node.rotate()
    assert await node.withdraw(made.kid) is None
    node.clock.instant += LEAD
    await node.keys.refresh()
    assert node.published() == [kid_of(old)] == [kid_of(node.sign())]


async def test_a_node_that_missed_a_withdrawal_learns_of_it_after_the_next_rotation(
    node: Node, other: Node
) -> None:
    withdrawn = await node.rotate()
    await other.keys.refresh()
    await node.withdraw(withdrawn.kid)
    node.clock.instant += timedelta(milliseconds=1)
    made = await node.rotate()
    assert made.number == withdrawn.number
    await other.keys.refresh()
    assert made.kid in other.published()
    assert withdrawn.kid not in other.published()


async def test_a_key_that_is_not_there_is_not_withdrawn(node: Node) -> None:
    before = await stored(node)
    with pytest.raises(NotFound):
        await node.withdraw("unknown")
    assert await stored(node) == before
