"""A court's words about a person stand sealed, also those that an older version wrote in clear."""

import pytest
from alembic import command
from sqlalchemy import text

from checker.database.engine import open_engine
from checker.database.upgrade import alembic_config, upgrade
from checker.registry.contents import directive_digest, permit_digest
from checker.registry.sealing import DIRECTIVE_BASIS, PERMIT_GROUND
from checker.vault import Vault
from tests.support.operation_lines import permit, retain
from tests.support.registry_grounds import AT, accepted, person_listing, publish, query

pytestmark = pytest.mark.anyio

BEFORE = "0023"
VAULT = Vault(bytes(range(32)))
ILLNESS = "因病就医"
BASIS = "示例依据"
CHANGE = (
    "INSERT INTO change (version, change_id, history, kind, at, accepted, rejected)"
    " VALUES (1, gen_random_uuid(), gen_random_uuid(), 'operations', now(), 1, 0)"
)
PERMITS = (
    "INSERT INTO permit (id, digest, type, number, token, services, valid_from, valid_until,"
    " uses, court, ground, from_version)"
    f" SELECT 'P' || n, '', 'passport', '', '', '{{air}}', '{AT:%Y-%m-%d}', '2099-01-01', 1,"
    f" '示例法院', '{ILLNESS}', 1 FROM generate_series(1, 12000) AS n"
)
DIRECTIVES = (
    "INSERT INTO directive (listing_id, kind, ground, from_version)"
    f" VALUES ('L1', 'retention', '{BASIS}', 1), ('L1', 'delisting', 'fulfilled', 1),"
    " ('L2', 'shielding', NULL, 1)"
)


async def in_clear(engine, table, words):
    """Return the number of rows of a table that hold the words in any column."""
    found = text(f"SELECT count(*) FROM {table} AS row WHERE row::text LIKE :words")
    async with engine.connect() as connection:
        return (await connection.execute(found, {"words": f"%{words}%"})).scalar_one()


async def test_words_that_stand_in_clear_are_sealed_by_the_upgrade(bare_database_url):
    async with open_engine(bare_database_url, timeout_s=None) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), BEFORE))
            for statement in (CHANGE, PERMITS, DIRECTIVES):
                await connection.execute(text(statement))
            permits = (await connection.execute(text("SELECT * FROM permit"))).all()
            directives = (await connection.execute(text("SELECT * FROM directive"))).all()
        assert await in_clear(engine, "permit", ILLNESS) == len(permits)
        with pytest.raises(RuntimeError, match="encryption key"):
            await upgrade(engine)
        await upgrade(engine, None, VAULT.seal)

        assert await in_clear(engine, "permit", ILLNESS) == 0
        assert await in_clear(engine, "directive", BASIS) == 0
        async with engine.connect() as connection:
            sealed = (await connection.execute(text("SELECT * FROM permit"))).all()
            directed = (await connection.execute(text("SELECT * FROM directive"))).all()
    assert {VAULT.open(row.ground, PERMIT_GROUND, row.id) for row in sealed} == {ILLNESS}
    basis = {row.kind: row.basis for row in directed}
    assert VAULT.open(basis.pop("retention"), DIRECTIVE_BASIS, "L1") == BASIS
    assert basis == {"delisting": None, "shielding": None}
    assert {row.ground for row in directed} == {None, "fulfilled"}
    # The journal names each row as before.
    before = {row.id: permit_digest(VAULT.digest, row, "", row.ground) for row in permits}
    assert before == {row.id: permit_digest(VAULT.digest, row, "", ILLNESS) for row in sealed}
    [retained] = [row for row in directives if row.kind == "retention"]
    [kept] = [row for row in directed if row.kind == "retention"]
    assert directive_digest(VAULT.digest, retained, retained.ground) == directive_digest(
        VAULT.digest, kept, BASIS
    )


async def test_words_of_a_feed_stand_in_clear_nowhere(node):
    await publish(node, [person_listing(1)])
    retained = retain(1, "cn-2016-64/2.7.1", until="2027-01-01") | {"basis": BASIS}
    await accepted(node, permit(ground=ILLNESS), retained)
    words = (ILLNESS, BASIS)
    tables = await query(node, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    async with node.work_engine.connect() as connection:
        for table in tables:
            rows = text(f'SELECT row::text FROM "{table.tablename}" AS row')
            shown = "".join((await connection.execute(rows)).scalars())
            assert [each for each in words if each in shown] == [], table.tablename
