"""What the benchmark writes as kept decisions is exported as the service's own are."""

import asyncpg
import msgspec
import pytest

from checker.audit.export import ExportedRange, ExportFormat, export
from loadtest.kept_decisions import write_decisions
from tests.integration.audit.audit_grounds import decision

pytestmark = pytest.mark.anyio

MANY = 1_500


async def test_written_decisions_are_exported_beside_kept_ones(ground, database_url):
    [kept] = await ground.decided(decision())
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET session_replication_role = replica")
        await write_decisions(connection, MANY)
    finally:
        await connection.close()
    wanted = ExportedRange(since=None, until=None, account_id=None)
    pages = [page async for page in export(ground.engine, wanted, ExportFormat.NDJSON)]
    rows = [msgspec.json.decode(line) for page in pages for line in page.splitlines()]
    assert len({row["id"] for row in rows}) == MANY + 1
    assert all(row["number"] and row["measures"] == ["cn-2016-64/2.7.1"] for row in rows)
    [past, *_] = [row for row in rows if row["id"] != kept.id]
    told = await ground.audit.explanations.explain(past["id"], account_id=None)
    assert told.reasons[0].section == "二（七）1"
