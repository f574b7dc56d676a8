"""Puts a million kept decisions into an embedded service, for the benchmark alone.

PostgreSQL itself writes the rows, as `loadtest.large_list` does. The digests are random, so the
decisions can be exported, and cannot be verified.
"""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any

from loadtest.large_list import filling

DECISIONS = """
INSERT INTO decision (id, at, account_id, service, jurisdiction, outcome, reasons, list_version,
  listings, policy)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5('past' || n), 1, 3) || '8' || substr(md5('past' || n), 4, 15))::uuid,
  at, account_id, 'air', 'CN', 'deny', jsonb_build_array(jsonb_build_object(
    'code', 'restricted', 'measure', 'cn-2016-64/2.7.1', 'role', 'debtor', 'is_public', true,
    'listing', jsonb_build_object('id', 'past-' || n % 1000, 'case_number', '（2016）粤0882执123号',
      'court', '雷州市人民法院', 'published_on', '2016-07-07'),
    'remedy', jsonb_build_object('court', '雷州市人民法院', 'apply_within_days', 10,
      'review_within_days', 3))),
  version, ARRAY['past-' || n % 1000], digest
FROM (SELECT n, now() - ($1::bigint - n + 1) * interval '1 second' AS at,
    (SELECT min(id) FROM account WHERE role = 'institution') AS account_id,
    (SELECT max(version) FROM change) AS version, (SELECT min(digest) FROM policy) AS digest
  FROM generate_series(1, $1::bigint) AS each(n)) AS past"""

_LINKS = """
INSERT INTO chain_link (number, digest, decision_id, decision_at)
SELECT coalesce((SELECT max(number) FROM chain_link), 0) + row_number() OVER (ORDER BY id),
  sha256(id::text::bytea), id, at
FROM decision WHERE NOT EXISTS (SELECT FROM chain_link WHERE decision_id = decision.id)"""


def keep_many(socket_folder: Path, decisions: int) -> float:
    """Write so many decisions, and return the seconds. A list and an institution are needed."""
    began_at = perf_counter()
    asyncio.run(_write(socket_folder, decisions))
    return perf_counter() - began_at


async def write_decisions(connection: Any, decisions: int) -> None:
    """Write decisions over a connection without triggers and foreign keys."""
    await connection.execute(DECISIONS, decisions)
    await connection.execute(_LINKS)


async def _write(socket_folder: Path, decisions: int) -> None:
    async with filling(socket_folder) as connection:
        async with connection.transaction():
            await write_decisions(connection, decisions)
        await connection.execute("VACUUM (ANALYZE) decision, chain_link")
