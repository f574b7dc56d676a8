"""The token key of a deployment is replaced in PostgreSQL: each column, index and stage."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from checker.database.engine import attempt, open_engine
from checker.database.outages import own_error
from checker.database.token_fence import TokenKeyMissing, TokenKeyReplaced
from checker.errors import Conflict
from checker.rotation.token_copy import add_columns, copy_tokens
from checker.rotation.token_swap import swap
from checker.rotation.token_tables import TOKEN_TABLES
from tests.integration.record.token_grounds import (
    A_TOKEN,
    FENCES,
    FURTHER,
    Deployment,
    held,
    ignore,
)
from tests.support.registry_grounds import until

pytestmark = pytest.mark.anyio

WAITING = (
    "SELECT count(*) FROM pg_locks"
    " WHERE relation = CAST('token_fence_1' AS regclass) AND NOT granted"
)


@pytest.fixture
async def deployment(anyio_backend, copied_url):
    keys = held(2, 3)
    async with open_engine(copied_url, timeout_s=None, token_keys=keys) as engine:
        made = Deployment(engine, keys)
        # A process adds the row when it makes a key needed.
        for number in (2, 3):
            await made.run(
                f"INSERT INTO token_key VALUES ({number}, '{keys.fingerprints[number]}', now())"
            )
        for statement in FURTHER.split(";"):
            await made.run(statement)
        yield made


async def test_every_token_stands_under_the_next_key_and_the_tables_are_as_before(deployment):
    before, facts = await deployment.stored(), await deployment.facts()
    assert [place for place, values in before.items() if not values] == []

    await deployment.replace(2)

    two = deployment.keys.numbered(2)
    assert await deployment.stored() == {
        place: sorted(two.stored(value) for value in values) for place, values in before.items()
    }
    assert await deployment.facts() == facts
    assert await deployment.query(FENCES) == [("token_fence_2",)]
    await deployment.replace(3)
    three = deployment.keys.numbered(3)
    assert await deployment.stored() == {
        place: sorted(three.stored(value) for value in values) for place, values in before.items()
    }
    assert await deployment.facts() == facts


async def test_rows_that_come_change_and_go_while_the_tokens_are_copied_keep_their_tokens(
    deployment,
):
    change = deployment.to(2)
    await deployment.prepare(change)
    # All that a service does: a row comes, goes, changes, and a purged row is emptied.
    await deployment.run(rf"INSERT INTO outline VALUES ({A_TOKEN}, '\x02')")
    await deployment.run("DELETE FROM outline WHERE token = (SELECT max(token) FROM outline)")
    await deployment.run("UPDATE spending_total SET held_fen = held_fen + 1")
    await deployment.run(
        "INSERT INTO document SELECT * FROM (SELECT listing_pk, officer_pk, role, type, number,"
        f" masked, {A_TOKEN}, name_token, shape, derived, issuer FROM document LIMIT 1) AS one"
    )
    await deployment.run("UPDATE permit SET token = '', number = '' WHERE id = 'permit-2'")
    before = await deployment.stored()

    await deployment.end(change)

    two = deployment.keys.numbered(2)
    assert await deployment.stored() == {
        place: sorted(two.stored(value) if value else value for value in values)
        for place, values in before.items()
    }


async def test_an_interrupted_copy_is_gone_on_with_and_a_broken_index_is_built_again(deployment):
    change = deployment.to(2)
    before, facts = await deployment.stored(), await deployment.facts()
    for place in TOKEN_TABLES[:3]:
        await add_columns(deployment.engine, place)
    await copy_tokens(deployment.engine, TOKEN_TABLES[0], change, ignore)
    await deployment.run("CREATE INDEX ix_document_token_next ON document (token_next)")
    await deployment.run(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = CAST('ix_document_token_next' AS regclass)"
    )

    await deployment.replace(2)

    two = deployment.keys.numbered(2)
    assert await deployment.stored() == {
        place: sorted(two.stored(value) for value in values) for place, values in before.items()
    }
    assert await deployment.facts() == facts


async def test_a_transaction_of_before_holds_up_the_swap_and_sees_one_key_alone(deployment):
    change = deployment.to(2)
    await deployment.prepare(change)
    before = await deployment.stored()
    statement = text("SELECT token FROM outline ORDER BY token")
    async with deployment.engine.connect() as connection:
        first = (await connection.execute(statement)).scalars().all()
        with pytest.raises(Conflict, match="holds a table"):
            await swap(deployment.engine, change, wait_s=0)
        assert (await connection.execute(statement)).scalars().all() == first
    assert await deployment.stored() == before
    await deployment.end(change)


async def test_a_process_that_still_has_the_key_before_reads_and_writes_nothing_by_it(
    deployment, copied_url
):
    """The first transaction after the swap fails; a read is done again by itself."""
    await deployment.replace(2)
    counted = text("SELECT count(*) FROM outline")

    async def count(connection):
        return (await connection.execute(counted)).scalar_one()

    keys = held(2)
    async with open_engine(copied_url, token_keys=keys) as engine:
        with pytest.raises(DBAPIError) as refused:
            async with engine.begin() as connection:
                await connection.execute(text("DELETE FROM outline"))
        assert isinstance(own_error(refused.value), TokenKeyReplaced)
        assert keys.current.number == 2
        assert await attempt(engine, count) > 0
    again = held(2)
    async with open_engine(copied_url, token_keys=again) as engine:
        assert await attempt(engine, count) > 0
        assert again.current.number == 2
    lacking = held()
    async with open_engine(copied_url, token_keys=lacking) as engine:
        with pytest.raises(DBAPIError) as refused:
            await attempt(engine, count)
        assert isinstance(own_error(refused.value), TokenKeyMissing)


async def test_a_pool_that_tests_its_connections_goes_on_with_the_next_key(deployment, copied_url):
    keys = held(2)
    async with open_engine(copied_url, timeout_s=None, token_keys=keys) as engine:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
        await deployment.replace(2)
        async with engine.begin() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        assert keys.current.number == 2


async def test_transactions_that_wait_for_the_fence_meet_the_next_key(deployment, copied_url):
    keys = held(2)

    async def late(connection):
        return (await connection.execute(text("SELECT count(*) FROM outline"))).scalar_one()

    async with (
        open_engine(copied_url, token_keys=keys) as engine,
        deployment.engine.begin() as holder,
    ):
        assert await attempt(engine, late)
        await holder.execute(text("LOCK TABLE token_fence_1 IN ACCESS EXCLUSIVE MODE"))
        waiting = [asyncio.ensure_future(attempt(engine, late)) for _ in range(4)]

        async def all_wait():
            return (await holder.execute(text(WAITING))).scalar_one() == len(waiting)

        await until(all_wait)
        # As the swap ends.
        await holder.execute(text("ALTER TABLE token_fence_1 RENAME TO token_fence_2"))
        await holder.commit()
        assert all(await asyncio.gather(*waiting))
    assert keys.current.number == 2


async def test_a_step_of_spending_still_never_changes(deployment):
    for change in ("amount_fen = amount_fen + 1", r"token = '\x00'", "issuer = 'x'"):
        with pytest.raises(DBAPIError, match="never changed"):
            await deployment.run(f"UPDATE authorization_step SET {change}")
    for removal in ("DELETE FROM authorization_step", "TRUNCATE authorization_step CASCADE"):
        with pytest.raises(DBAPIError, match="never changed"):
            await deployment.run(removal)


async def test_a_connection_whose_transaction_was_refused_is_never_used_again(
    deployment, copied_url
):
    await deployment.replace(2)
    keys = held(2)
    async with open_engine(copied_url, pool_size=1, token_keys=keys) as engine:
        for _ in range(3):
            # As another process would see it, which is frozen between the two.
            keys.use(1)
            with pytest.raises(DBAPIError):
                async with engine.begin() as connection:
                    await connection.execute(text("SELECT 1"))
            async with engine.begin() as connection:
                assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
