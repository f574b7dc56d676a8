"""The token key of a deployment is replaced in PostgreSQL: each column, index and stage."""

import asyncio

import pytest
from sqlalchemy import LargeBinary, text
from sqlalchemy.exc import DBAPIError

from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.database.engine import attempt, open_engine
from checker.database.outages import own_error
from checker.database.token_fence import TokenKeyMissing, TokenKeyReplaced
from checker.errors import Conflict
from checker.rotation.token_copy import add_columns, build_indexes, copy_tokens
from checker.rotation.token_erasure import erase_old
from checker.rotation.token_swap import prove, swap
from checker.rotation.token_tables import TOKEN_TABLES, KeyChange
from tests.integration.record.rotation_grounds import TOKEN_KEY

pytestmark = pytest.mark.anyio

KEYS = {number: bytes([number] * 32) for number in (2, 3)}

# Everything of the tables that a copy with further columns might lose or change.
FACTS = """
    SELECT 'index' AS kind, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = CAST('{0}' AS regclass)
    UNION ALL
    SELECT 'constraint', conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated
    FROM pg_constraint WHERE conrelid = CAST('{0}' AS regclass)
    UNION ALL
    SELECT 'column', attname || ' ' || attnotnull || ' ' || format_type(atttypid, atttypmod)
    FROM pg_attribute
    WHERE attrelid = CAST('{0}' AS regclass) AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'trigger', tgname FROM pg_trigger
    WHERE tgrelid = CAST('{0}' AS regclass) AND NOT tgisinternal
    ORDER BY 1, 2
"""
A_TOKEN = "decode('00112233445566778899aabbccddeeff', 'hex')"
# What `record_grounds.fill` leaves empty.
FURTHER = f"""
    INSERT INTO directive (listing_id, kind, token, from_version)
    SELECT 'listing-1', 'distinction', {A_TOKEN}, max(version) FROM change;
    INSERT INTO open_hold (authorization_id, token, counter, day, held_fen, expires_at)
    VALUES (gen_random_uuid(), {A_TOKEN}, 'CN', '2026-11-30', 1, now());
    INSERT INTO ending (version, listing_id, ground, token)
    SELECT max(version), 'listing-1', 'distinguished', {A_TOKEN} FROM change
"""
FENCES = "SELECT relname FROM pg_class WHERE relname LIKE 'token_fence_%'"


class Deployment:
    """A filled database, and the keys of one process that uses it."""

    def __init__(self, engine, keys):
        self.engine = engine
        self.keys = keys

    def to(self, number):
        """Return the change from the key in use to the key with this number."""
        return KeyChange(before=self.keys.current, after=self.keys.numbered(number))

    async def query(self, statement):
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    async def run(self, statement):
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    async def stored(self):
        """Return the values of all columns of tokens as PostgreSQL has them, in order."""
        return {
            (place.table, column): sorted(
                value
                for [value] in await self.query(f"SELECT {column} FROM {place.table}")
                if value is not None
            )
            for place in TOKEN_TABLES
            for column in place.columns
        }

    async def facts(self):
        return {place.table: await self.query(FACTS.format(place.table)) for place in TOKEN_TABLES}

    async def prepare(self, change):
        for place in TOKEN_TABLES:
            await add_columns(self.engine, place)
            await copy_tokens(self.engine, place, change, ignore)
            await build_indexes(self.engine, place, 20)

    async def replace(self, number):
        """Replace the key in use, without the waits for other processes."""
        change = self.to(number)
        await self.prepare(change)
        await self.end(change)

    async def end(self, change):
        unproven = await swap(self.engine, change, wait_s=20)
        self.keys.use(change.after.number)
        await prove(self.engine, unproven)
        for place in TOKEN_TABLES:
            await erase_old(self.engine, place, ignore)


def ignore(_count):
    pass


def held(*numbers):
    """Return the keys of a process that holds key 1 and these keys, and uses key 1."""
    keys = TokenKeys(Tokenizer(TOKEN_KEY), {number: KEYS[number] for number in numbers})
    keys.use(1)
    return keys


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


def test_the_table_of_token_columns_has_every_column_of_bytes_that_is_called_one():
    from tests.unit.test_privacy_pages import tables  # noqa: PLC0415

    found = {
        (name, column.name)
        for name, table in tables().items()
        for column in table.c
        if column.name.endswith(("token", "tokens"))
        and column.type is not None
        and getattr(column.type, "impl", column.type).__class__ is LargeBinary
    }
    assert found == {(place.table, column) for place in TOKEN_TABLES for column in place.columns}


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


async def test_a_transaction_that_waits_behind_the_swap_meets_the_next_key(deployment, copied_url):
    change = deployment.to(2)
    await deployment.prepare(change)
    keys = held(2)

    async def late(connection):
        return (await connection.execute(text("SELECT count(*) FROM outline"))).scalar_one()

    async with open_engine(copied_url, token_keys=keys) as engine:
        async with deployment.engine.connect() as holder:
            await holder.execute(text("SELECT 1"))
            swapping = asyncio.ensure_future(deployment.end(change))
            await asyncio.sleep(0)
            waiting = [asyncio.ensure_future(attempt(engine, late)) for _ in range(4)]
            await holder.rollback()
        await swapping
        assert set(await asyncio.gather(*waiting)) == {await attempt(engine, late)}
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
