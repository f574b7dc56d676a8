"""Idempotency keys that were kept as sent become digests with the upgrade, and still answer."""

import functools

import pytest
from alembic import command
from sqlalchemy import text

from checker.database.engine import open_engine
from checker.database.upgrade import alembic_config, upgrade
from checker.spending.spending import KEY_PLACE
from tests.integration.spending.spending_grounds import MERCHANT, sealer

pytestmark = pytest.mark.anyio

BEFORE = "0010"
KEYS = [f"440882185001{number:06}" for number in range(25_000)]


async def test_each_key_becomes_its_digest_and_keeps_its_answer(bare_database_url):
    digest = functools.partial(sealer().key_digest, KEY_PLACE)
    async with open_engine(bare_database_url, timeout_s=None) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), BEFORE))
            await connection.execute(
                text("INSERT INTO account (id, name, role) VALUES (:id, :id, 'institution')"),
                {"id": MERCHANT},
            )
            await connection.execute(
                text(
                    "INSERT INTO idempotency_key (account_id, key, answer, at)"
                    " SELECT :id, key, convert_to(key, 'UTF8'), now()"
                    " FROM unnest(CAST(:keys AS text[])) AS key"
                ),
                {"id": MERCHANT, "keys": KEYS},
            )
        with pytest.raises(RuntimeError, match="token key"):
            await upgrade(engine)
        await upgrade(engine, digest)
        async with engine.connect() as connection:
            rows = (await connection.execute(text("SELECT * FROM idempotency_key"))).all()
    assert {row.answer.decode(): row.key_digest for row in rows} == {
        key: digest(MERCHANT, key) for key in KEYS
    }
