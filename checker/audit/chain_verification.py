"""Verifies the chain: every row is as it was chained, none is missing, and none is unchained.

The links of months that were removed in their time are followed too, without their rows. The link
of a month's removal proves that nothing else is missing.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Text, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.chain import DECISION_CHAIN, Content, link_digest, read_contents
from checker.audit.kept import Kept, what_is_kept
from checker.audit.schema import chain_link, decision, removal, reported_outcome, unchained
from checker.database.engine import driver_errors
from checker.journal.chained_table import ChainHead, ChainWalk
from checker.journal.faults import Faults
from checker.vault import Vault

PAGE_LINKS: Final = 5_000

_link = chain_link.c


class ChainVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The number of verified rows, the newest link, the number of faults, and the first in words.

    `waiting` rows have no link yet; the keeper makes it a moment later.
    """

    links: int
    head_number: int
    head_digest: str
    waiting: int
    fault_count: int
    faults: tuple[str, ...]


async def verify_chain(
    engine: AsyncEngine, vault: Vault | None = None, *, noted: ChainHead | None = None
) -> ChainVerification:
    """Verify the whole chain as it stands at one instant, and return the result.

    `noted` is a head that somebody wrote down earlier: it must still be a link, unless its month
    has been removed since. `engine` is one without a bound on statements. Without a `vault`, notes
    that were sealed again count as changed.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    faults = Faults()
    with driver_errors():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            kept = await what_is_kept(connection)
            walk = await _follow(connection, vault, kept, faults)
            if noted is not None and not await _still_holds(connection, noted, kept):
                faults.add(f"link {noted.number}: its digest is not the one that was noted")
            async for row in await connection.stream(_UNCHAINED_DECISIONS):
                faults.add(f"decision {row.id}: no link of the chain holds it")
            async for row in await connection.stream(_UNCHAINED_REPORTS):
                faults.add(f"an outcome of decision {row.decision_id}: no link holds it")
            for row in await connection.execute(_UNCHAINED_REMOVALS):
                faults.add(f"the removal {row.pk} of a month: no link of the chain holds it")
            counting = select(func.count()).select_from(unchained)
            waiting = (await connection.execute(counting)).scalar_one()
    return ChainVerification(
        links=walk.links,
        head_number=walk.head.number,
        head_digest=walk.head.digest.hex(),
        waiting=waiting,
        fault_count=faults.count,
        faults=tuple(faults.first),
    )


async def _follow(
    connection: AsyncConnection, vault: Vault | None, kept: Kept, faults: Faults
) -> ChainWalk:
    walk = ChainWalk(ChainHead(number=kept.first_link - 1, digest=kept.digest_before), faults)
    while page := await _page(connection, walk.head.number):
        contents = await read_contents(connection, page, vault)
        for link, content in zip(page, contents, strict=True):
            walk.follow(
                ChainHead(number=link.number, digest=link.digest),
                functools.partial(_fault, link, content, kept.since),
            )
    return walk


async def _page(connection: AsyncConnection, after: int) -> Sequence[Any]:
    wanted = select(chain_link).where(_link.number > after).order_by(_link.number).limit(PAGE_LINKS)
    return (await connection.execute(wanted)).all()


def _fault(link: Any, content: Content | None, since: datetime | None, before: bytes) -> str | None:
    if link.decision_id is None:
        of = f"the removal {link.removal_pk} of a month"
    elif link.reported_pk is None:
        of = f"decision {link.decision_id}"
    else:
        of = f"an outcome of decision {link.decision_id}"
    if content is None:
        is_over = since is not None and link.decision_at is not None and link.decision_at < since
        return None if is_over else f"link {link.number}: {of} is missing"
    if link_digest(before, content) == link.digest:
        return None
    return f"link {link.number}: {of}, or the link itself, was changed"


async def _still_holds(connection: AsyncConnection, noted: ChainHead, kept: Kept) -> bool:
    if noted.number < kept.first_link:
        return True  # it went with its month
    return await DECISION_CHAIN.holds(connection, noted)


def _without(link_is_of: ColumnElement[bool], queued_is_of: ColumnElement[bool]) -> Any:
    return ~exists(select(literal(1)).where(link_is_of)) & ~exists(
        select(literal(1)).where(queued_is_of)
    )


_UNCHAINED_DECISIONS = select(cast(decision.c.id, Text).label("id")).where(
    _without(
        (_link.decision_id == decision.c.id) & _link.reported_pk.is_(None),
        (unchained.c.decision_id == decision.c.id) & unchained.c.reported_pk.is_(None),
    )
)
_UNCHAINED_REPORTS = select(cast(reported_outcome.c.decision_id, Text).label("decision_id")).where(
    _without(
        _link.reported_pk == reported_outcome.c.pk,
        unchained.c.reported_pk == reported_outcome.c.pk,
    )
)
# The newest removal names the months that are not verified any more. Its link always stays.
_UNCHAINED_REMOVALS = select(removal.c.pk).where(
    removal.c.pk == select(func.max(removal.c.pk)).scalar_subquery(),
    ~exists(select(literal(1)).where(_link.removal_pk == removal.c.pk)),
)
