"""The token keys of tests, and engines whose statements have tokens.

`CHECKER_TESTS_TOKEN_KEY=2` lets every test store tokens under a second key. So all tests prove that
no statement exchanges tokens with PostgreSQL in another form than the stored one.
"""

import base64
import os
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy import text

from cache.token import KEY_BYTES, Tokenizer
from cache.token_key import FIRST_KEY, TokenKeys
from checker.database.engine import open_engine
from checker.database.token_fence import FENCE
from checker.deployment_secrets import SECRETS_FILE, load_secrets, replace_secrets
from checker.rotation.token_tables import TOKEN_TABLES
from tests.support.left_out import TOKEN_KEY_VARIABLE

TESTED = int(os.environ.get(TOKEN_KEY_VARIABLE, FIRST_KEY))
"""The number of the key under which tests store tokens."""

_TOKENIZER = Tokenizer(bytes(range(KEY_BYTES)))
_IS_FIRST = text("SELECT to_regclass(:fence) IS NOT NULL")
_ADD = text(
    "INSERT INTO token_key (number, fingerprint, added_at, current_from)"
    " VALUES (:number, :fingerprint, now(), now()) ON CONFLICT DO NOTHING"
)


def further_keys(number=TESTED):
    """Return the keys from 2 up to a number, as the secrets of a deployment have them."""
    return {each: bytes([each]) * KEY_BYTES for each in range(FIRST_KEY + 1, number + 1)}


def token_key_variable(key):
    """Return CHECKER_TOKEN_KEY for a deployment whose tokens are made with this key."""
    if TESTED == FIRST_KEY:
        return base64.b64encode(key).decode()
    keys = {FIRST_KEY: key, **further_keys()}
    return ",".join(f"{number}:{base64.b64encode(each).decode()}" for number, each in keys.items())


def place_secrets(data_dir):
    """Let a server begin with the tested key; with the first key it makes its own secrets."""
    if TESTED != FIRST_KEY and not (data_dir / SECRETS_FILE).exists():
        data_dir.mkdir(mode=0o700, exist_ok=True)
        made = load_secrets(data_dir, {})
        replace_secrets(data_dir, msgspec.structs.replace(made, token_keys=further_keys()))


def held_keys(number=TESTED, tokenizer=_TOKENIZER):
    """Return the keys of a process, of which this one is current."""
    keys = TokenKeys(tokenizer, further_keys(number))
    keys.use(number)
    return keys


async def begin_with(engine, keys):
    """Let an empty database begin with the current key, unless it has begun."""
    current, first = keys.current, f"{FENCE}{FIRST_KEY}"
    if current.number == FIRST_KEY:
        return
    async with engine.begin() as connection:
        if (await connection.execute(_IS_FIRST, {"fence": first})).scalar():
            await connection.execute(text(f"ALTER TABLE {first} RENAME TO {FENCE}{current.number}"))
            key = {"number": current.number, "fingerprint": current.fingerprint}
            await connection.execute(_ADD, key)


async def replace_tokens(connection, change):
    """Put all tokens under the next key, as the replacement of a key does in its transaction."""
    before, after = (f"{FENCE}{key.number}" for key in (change.before, change.after))
    tables = ", ".join(place.table for place in TOKEN_TABLES)
    await connection.execute(text(f"LOCK TABLE {before}, {tables} IN ACCESS EXCLUSIVE MODE"))
    for place in TOKEN_TABLES:
        for column in place.columns:
            rows = await connection.execute(text(f"SELECT DISTINCT {column} FROM {place.table}"))
            moved = [{"old": old, "new": change.moved(old)} for [old] in rows if old]
            if moved:
                written = f"UPDATE {place.table} SET {column} = :new WHERE {column} = :old"
                await connection.execute(text(written), moved)
    await connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))
    key = {"number": change.after.number, "fingerprint": change.after.fingerprint}
    await connection.execute(_ADD, key)


@asynccontextmanager
async def open_registry(url, *, keys=None, **options):
    """Open an engine whose statements have tokens; an empty database begins with its key."""
    keys = keys or held_keys()
    async with open_engine(url) as plain:
        await begin_with(plain, keys)
    async with open_engine(url, token_keys=keys, **options) as engine:
        yield engine
