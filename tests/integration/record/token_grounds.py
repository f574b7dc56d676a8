"""A filled database whose token key is replaced, and the means to compare its tables."""

from sqlalchemy import text

from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.rotation.token_constraints import close_constraints
from checker.rotation.token_copy import add_columns, build_indexes, copy_tokens
from checker.rotation.token_erasure import erase_old
from checker.rotation.token_swap import swap
from checker.rotation.token_tables import TOKEN_TABLES, KeyChange
from tests.integration.record.rotation_grounds import TOKEN_KEY

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
# Rows that `record_grounds.fill` does not write.
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
        await swap(self.engine, change, wait_s=20)
        self.keys.use(change.after.number)
        for place in TOKEN_TABLES:
            for _ in range(2):  # the second one finds nothing open
                await close_constraints(self.engine, place)
            await erase_old(self.engine, place, ignore)


def ignore(_count):
    pass


def held(*numbers):
    """Return the keys of a process that holds key 1 and these keys, and uses key 1."""
    keys = TokenKeys(Tokenizer(TOKEN_KEY), {number: KEYS[number] for number in numbers})
    keys.use(1)
    return keys
