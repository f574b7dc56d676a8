"""Runs of the PostgreSQL server, each with a random name: the `history` of the list's answers.

A run is one start of the server. A standby that is promoted, and a backup that is restored, are
other starts than that of the server before them, so each begins another run with its first write.
All changes of one run have one history. After a failover to an older state the same version number
may mean another list, and the history differs. An ordinary restart begins another history too: the
service does not claim that nothing was lost where nobody can prove it.

A run matters to the barrier as well. A node that lives on the registry's word writes a row before
it asks. A standby that takes over may lack that row, while the node's lease still lasts. So the
rows prove something only once the run is older than such a lease (`checker.publication.barrier`).
"""

from typing import Any, Final

from sqlalchemy import DateTime, Select, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.lease import SETTLED_S
from checker.registry.schema import server_run

_STARTED_AT: Final = func.pg_postmaster_start_time(type_=DateTime(timezone=True))
_known = select(server_run.c.history).where(server_run.c.started_at == _STARTED_AT).cte("known")
_new_run = select(func.gen_random_uuid(), _STARTED_AT, func.clock_timestamp()).where(
    ~select(_known.c.history).exists()
)
_inserted = insert(server_run).from_select(["history", "started_at", "begun_at"], _new_run)
_begun = (
    # An update and not "do nothing": whoever loses the race must read the name, too.
    _inserted.on_conflict_do_update(
        index_elements=["started_at"], set_={"started_at": _inserted.excluded.started_at}
    )
    .returning(server_run.c.history)
    .cte("begun")
)
_either = select(_known.c.history).union_all(select(_begun.c.history)).subquery()

CURRENT_HISTORY: Final[Select[Any]] = select(_either.c.history)
"""The query of the current run's name; a run that has none yet gets one."""


async def begin_run(connection: AsyncConnection) -> None:
    """Name the current run, unless it has a name; the caller commits."""
    await connection.execute(CURRENT_HISTORY)


async def is_settled(connection: AsyncConnection) -> bool:
    """Return whether no lease lasts that a server before this run has given."""
    age = func.clock_timestamp() - server_run.c.begun_at
    settled = select(func.extract("epoch", age) > literal(SETTLED_S)).where(
        server_run.c.started_at == _STARTED_AT
    )
    return bool((await connection.execute(settled)).scalar_one_or_none())
