"""Keys of receipts in PostgreSQL: one first, rotation with overlap, and what an outage changes."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, text

from checker.database.engine import open_engine
from checker.errors import ConfigurationError, Unavailable
from checker.receipts.keys import ReceiptKey, make_first_key
from checker.receipts.schema import receipt_key
from checker.receipts.signature import new_key, write_key
from checker.vault import Vault
from tests.integration.receipts.receipt_grounds import (
    AT,
    LEAD,
    PUBLISHED_FOR,
    VAULT,
    Node,
    kid_of,
    open_node,
    stored,
)

PLACE = "receipt_key.sealed_jwk"

pytestmark = pytest.mark.anyio


async def test_however_many_start_at_once_they_sign_by_one_key(database_url: str) -> None:
    async with open_engine(database_url) as engine:
        nodes = [Node(engine) for _ in range(6)]
        await asyncio.gather(*(each.keys.refresh() for each in nodes))
        assert len({kid_of(each.sign()) for each in nodes}) == 1
        assert {len(each.published()) for each in nodes} == {1}


async def test_a_later_start_finds_the_key_and_verifies_what_was_signed_before(
    node: Node, other: Node
) -> None:
    assert other.verifies(node.sign())
    assert kid_of(other.sign()) == kid_of(node.sign())


async def test_no_verifier_ever_meets_a_key_that_is_not_published(node: Node, other: Node) -> None:
    old = node.sign()
    made = await node.rotate()
    await node.keys.refresh()
    for seconds in (0, 300, 599):
        node.clock.instant = other.clock.instant = AT + timedelta(seconds=seconds)
        assert kid_of(node.sign()) == kid_of(other.sign()) == kid_of(old)
        assert node.published() == [made.kid, kid_of(old)]
    await other.keys.refresh()
    node.clock.instant = AT + LEAD
    assert kid_of(node.sign()) == made.kid
    assert kid_of(other.sign()) == kid_of(old)
    for jws in (node.sign(), other.sign(), old):
        assert node.verifies(jws)
        assert other.verifies(jws)


async def test_an_old_key_is_published_for_as_long_as_its_receipts_should_verify(
    node: Node,
) -> None:
    old = node.sign()
    made = await node.rotate()
    await node.keys.refresh()
    node.clock.instant = AT + LEAD + PUBLISHED_FOR - timedelta(seconds=1)
    assert node.verifies(old)
    node.clock.instant += timedelta(seconds=1)
    assert node.published() == [made.kid]
    assert not node.verifies(old)


async def test_a_key_that_no_longer_signs_loses_its_private_part_at_the_next_rotation(
    node: Node,
) -> None:
    receipts = []
    for _ in range(3):
        receipts.append(node.sign())
        await node.rotate()
        await node.keys.refresh()
        node.clock.instant += 2 * LEAD
    rows = await stored(node)
    jwks = [VAULT.open(row.sealed_jwk, PLACE, str(row.number)) for row in rows]
    private = ['"d"' in jwk for jwk in jwks]
    assert private == [False, False, True, True]
    assert all(earlier.signs_from < later.signs_from for earlier, later in pairwise(rows))
    assert [node.verifies(jws) for jws in receipts] == [True] * 3
    assert len({kid_of(jws) for jws in [*receipts, node.sign()]}) == 4


async def test_a_node_whose_clock_is_behind_signs_all_the_same(node: Node, other: Node) -> None:
    for _ in range(2):
        await node.rotate()
        node.clock.instant += 2 * LEAD
    other.clock.instant = AT - timedelta(hours=1)
    await other.keys.refresh()
    assert node.published() != other.published()
    await node.keys.refresh()
    assert node.verifies(other.sign())


async def test_of_rotations_at_once_each_makes_a_key_of_its_own_or_none(node: Node) -> None:
    made = await asyncio.gather(*(node.rotate() for _ in range(4)), return_exceptions=True)
    kids = {each.kid for each in made if isinstance(each, ReceiptKey)}
    await node.keys.refresh()
    assert kids
    assert len(node.published()) == 1 + len(kids)
    refused = [str(each) for each in made if not isinstance(each, ReceiptKey)]
    assert all("another rotation" in each for each in refused)


async def test_a_rotation_before_the_first_start_leaves_a_key_that_signs(
    database_url: str,
) -> None:
    async with open_node(database_url) as node:
        made = await node.rotate()
        await node.keys.refresh()
        assert len(node.published()) == 2
        assert kid_of(node.sign()) != made.kid


async def test_receipts_are_issued_while_postgresql_is_away(
    lost_database_url: str, postgres_server: Any
) -> None:
    async with open_node(lost_database_url) as node:
        await node.keys.refresh()
        made = await node.rotate()
        await node.keys.refresh()
        await asyncio.to_thread(postgres_server.drop, lost_database_url)
        with pytest.raises(Unavailable):
            await node.keys.refresh()
        assert node.verifies(node.sign())
        node.clock.instant += LEAD
        assert kid_of(node.sign()) == made.kid
        assert node.verifies(node.sign())


async def test_a_table_that_was_emptied_takes_no_key_from_a_node_that_holds_them(
    node: Node,
) -> None:
    async with node.engine.begin() as connection:
        await connection.execute(text("DELETE FROM receipt_key"))
    await node.keys.refresh()
    assert node.verifies(node.sign())


async def test_nothing_of_a_key_stands_open_in_the_database(node: Node) -> None:
    [row] = await stored(node)
    held = node.keys.signing().key.as_dict(private=True)
    assert held["kty"] == "OKP"
    for part in ("d", "x"):
        assert str(held[part]).encode() not in row.sealed_jwk


async def test_a_key_that_somebody_writes_into_the_table_is_never_published(node: Node) -> None:
    forged = Vault(bytes(32)).seal(write_key(new_key(), private=True), PLACE, "2")
    before = node.published()
    async with node.engine.begin() as connection:
        await connection.execute(
            insert(receipt_key).values(number=2, sealed_jwk=forged, created_at=AT, signs_from=AT)
        )
    with pytest.raises(ConfigurationError):
        await node.keys.refresh()
    assert node.published() == before


async def test_the_first_key_is_made_once(node: Node) -> None:
    before = await stored(node)
    await make_first_key(node.engine, VAULT, AT + LEAD)
    assert await stored(node) == before
