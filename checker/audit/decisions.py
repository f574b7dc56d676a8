"""Keeps what was decided: every answer but a plain `allow`, before it is given.

Of whom it was about nothing is kept: an institution finds its decision by the id in its answer.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec
import uuid_utils
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import decision
from checker.domain.decision import Outcome, Reason
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType

_AS_IS = (datetime,)


class KeptDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `account_id` None: asked on the command line.

    `reasons` name their listing even where the answer may not.
    """

    id: str
    at: datetime
    account_id: str | None
    service: ServiceType
    jurisdiction: Jurisdiction
    outcome: Outcome
    reasons: tuple[Reason, ...]
    permit_id: str | None
    list_version: int


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids sort by the time they were given out."""
    return str(uuid_utils.uuid7())


async def keep(connection: AsyncConnection, decisions: Collection[KeptDecision]) -> None:
    """Write decisions within the connection's transaction: they are kept once it is committed."""
    if decisions:
        rows = [msgspec.to_builtins(each, builtin_types=_AS_IS) for each in decisions]
        await connection.execute(insert(decision), rows)
