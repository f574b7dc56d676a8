"""The migrations make the tables that the code declares, however many processes ask for them."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from checker.accounts import schema as accounts_schema
from checker.connector.schema import followed_source
from checker.database.engine import open_engine
from checker.database.metadata import metadata
from checker.database.upgrade import upgrade
from checker.registry import schema as registry_schema

pytestmark = pytest.mark.anyio

UPGRADE = """
import asyncio, sys
from checker.database.engine import open_engine
from checker.database.upgrade import upgrade

async def main():
    async with open_engine(sys.argv[1], timeout_s=None) as engine:
        await upgrade(engine)

asyncio.run(main())
"""


def upgrading(url):
    return subprocess.Popen([sys.executable, "-c", UPGRADE, url])


def differences(connection):
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(context, metadata)


async def test_the_migrated_schema_is_the_declared_one(database_url):
    declared = {accounts_schema.account.name, registry_schema.listing.name, followed_source.name}
    assert declared < set(metadata.tables)
    async with open_engine(database_url) as engine, engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_upgrade_of_what_is_new_already_changes_nothing(database_url):
    async with open_engine(database_url) as engine:
        await upgrade(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []


async def test_several_processes_may_upgrade_one_database_at_once(bare_database_url):
    processes = [upgrading(bare_database_url) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    async with open_engine(bare_database_url) as engine, engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert set(tables) == {*metadata.tables, "alembic_version"}
