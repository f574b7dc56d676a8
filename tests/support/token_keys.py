"""The token keys of tests, and engines whose statements have tokens.

`CHECKER_TESTS_TOKEN_KEY=2` lets every test store tokens under a second key. So all tests prove that
no statement exchanges tokens with PostgreSQL in another form than the stored one.
"""

import os
from contextlib import asynccontextmanager

from sqlalchemy import text

from cache.token import KEY_BYTES, Tokenizer
from cache.token_key import FIRST_KEY, TokenKeys
from checker.database.engine import open_engine
from checker.database.token_fence import FENCE

TESTED = int(os.environ.get("CHECKER_TESTS_TOKEN_KEY", FIRST_KEY))
"""The number of the key under which tests store tokens."""

_TOKENIZER = Tokenizer(bytes(range(KEY_BYTES)))
_IS_READY = text("SELECT to_regclass(:fence) IS NOT NULL")
_ADD = text(
    "INSERT INTO token_key (number, fingerprint, added_at, current_from)"
    " VALUES (:number, :fingerprint, now(), now()) ON CONFLICT DO NOTHING"
)


def further_keys(number=TESTED):
    """Return the keys from 2 up to a number, as the secrets of a deployment have them."""
    return {each: bytes([each]) * KEY_BYTES for each in range(FIRST_KEY + 1, number + 1)}


def held_keys(number=TESTED, tokenizer=_TOKENIZER):
    """Return the keys of a process, of which this one is current."""
    keys = TokenKeys(tokenizer, further_keys(number))
    keys.use(number)
    return keys


async def begin_with(engine, keys):
    """Let an empty database begin with the current key, unless somebody has done so."""
    current = keys.current
    fence = f"{FENCE}{current.number}"
    async with engine.begin() as connection:
        if (await connection.execute(_IS_READY, {"fence": fence})).scalar():
            return
        await connection.execute(text(f"ALTER TABLE {FENCE}{FIRST_KEY} RENAME TO {fence}"))
        key = {"number": current.number, "fingerprint": current.fingerprint}
        await connection.execute(_ADD, key)


@asynccontextmanager
async def open_registry(url, *, keys=None, **options):
    """Open an engine whose statements have tokens; an empty database begins with its key."""
    keys = keys or held_keys()
    async with open_engine(url) as plain:
        await begin_with(plain, keys)
    async with open_engine(url, token_keys=keys, **options) as engine:
        yield engine
