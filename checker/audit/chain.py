"""The chain over decisions and reported outcomes: nobody changes or drops one unseen.

    digest(n) = SHA-256( digest(n-1) | content(n) )        digest(0) = 32 zero bytes

`content` is `{kind: {field: value}}` as JSON with sorted keys, of the fields that `CHAINED` names,
instants in UTC to the microsecond, bytes in hexadecimal. New rows queue in
`unchained`, in the statement that wrote them; a link is made for each a moment later, so that no
answer waits for it and writers never wait for each other. The order is that in which rows were
queued; it says nothing about time.

The digests have no key, so that whoever has rows and links can verify them. Somebody who may write
all tables can make the whole chain anew: against that helps whoever has noted a head before
(`checker audit verify --head`, the export).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, DateTime, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.schema import chain_link, decision, removal, reported_outcome, unchained
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit

BATCH_ROWS: Final = 1_000
"""Links made in one transaction."""

NO_LINK: Final = bytes(hashlib.sha256().digest_size)
"""The digest before the first link."""


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest link: its number, 0 where there is none, and its digest."""

    number: int
    digest: bytes


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What one link is of, as read from its table."""

    kind: str
    row: Mapping[str, Any]


GONE: Final = Content(kind="gone", row={})

# Digests of years rest on these lists: a column that comes later is of another kind of content.
CHAINED: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": (
        *("id", "at", "account_id", "service", "jurisdiction", "outcome", "reasons", "permit_id"),
        *("list_version", "listings", "policy"),
    ),
    "reported_outcome": ("pk", "decision_id", "decision_at", "at", "outcome", "note"),
    "removal": (
        *("pk", "month", "at", "decisions", "reported_outcomes", "kept_since", "first_link"),
        "digest_before",
    ),
    GONE.kind: (),
}
"""Which fields of each kind are digested."""


def link_digest(before: bytes, content: Content) -> bytes:
    """Digest a row together with the link before it."""
    plain = {name: _plain(content.row[name]) for name in CHAINED[content.kind]}
    told = msgspec.json.encode({content.kind: plain}, order="deterministic")
    return hashlib.sha256(before + told).digest()


# As arrays: PostgreSQL would compare each row with each pair of a list.
_links = (
    func.unnest(
        bindparam("ids", type_=ARRAY(UUID(as_uuid=False))),
        bindparam("instants", type_=ARRAY(DateTime(timezone=True))),
    )
    .table_valued("id", "at", name="links")
    .render_derived()
)
_DECISIONS = (
    select(decision)
    .join_from(_links, decision, (_links.c.id == decision.c.id) & (_links.c.at == decision.c.at))
    .where(decision.c.at.between(bindparam("since"), bindparam("until")))
)


class Chain:
    """Makes links. `engine` is one without a bound on statements."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def extend(self) -> int:
        """Make links for all rows that wait; give how many they were.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        made = 0
        with driver_errors():
            while True:
                async with self._engine.begin() as connection:
                    batch = await _extend_by_a_batch(connection)
                made += batch
                if batch < BATCH_ROWS:
                    return made


async def put_link(connection: AsyncConnection, content: Content, of: Mapping[str, Any]) -> None:
    """Chain one row that does not queue; its transaction holds `Lock.CHAIN`."""
    head = await read_head(connection)
    digest = link_digest(head.digest, content)
    await connection.execute(insert(chain_link).values(number=head.number + 1, digest=digest, **of))


async def read_head(connection: AsyncConnection) -> ChainHead:
    """Read the newest link."""
    newest = select(chain_link).order_by(chain_link.c.number.desc()).limit(1)
    row = (await connection.execute(newest)).one_or_none()
    if row is None:
        return ChainHead(number=0, digest=NO_LINK)
    return ChainHead(number=row.number, digest=row.digest)


async def read_contents(connection: AsyncConnection, links: Sequence[Any]) -> list[Content | None]:
    """Read the rows that links, or queued rows, are of, in their order; None: it is not there."""
    decisions = await _decisions(
        connection, [link for link in links if link.decision_id and link.reported_pk is None]
    )
    reports = await _by_key(
        connection, reported_outcome, [link.reported_pk for link in links if link.reported_pk]
    )
    removals = await _by_key(
        connection, removal, [removal_pk for link in links if (removal_pk := _removal_pk(link))]
    )
    return [
        removals.get(_removal_pk(link))
        if link.decision_id is None
        else decisions.get(str(link.decision_id))
        if link.reported_pk is None
        else reports.get(link.reported_pk)
        for link in links
    ]


async def _extend_by_a_batch(connection: AsyncConnection) -> int:
    await hold_to_commit(connection, Lock.CHAIN)
    first = select(unchained.c.pk).order_by(unchained.c.pk).limit(BATCH_ROWS)
    taken = delete(unchained).where(unchained.c.pk.in_(first)).returning(unchained)
    queued = sorted((await connection.execute(taken)).all(), key=lambda row: row.pk)
    if not queued:
        return 0
    head = await read_head(connection)
    number, digest = head.number, head.digest
    links = []
    for row, content in zip(queued, await read_contents(connection, queued), strict=True):
        # A row that is gone before it is chained was removed by somebody: its link will tell.
        number, digest = number + 1, link_digest(digest, content or GONE)
        links.append(
            {
                "number": number,
                "digest": digest,
                "decision_id": row.decision_id,
                "decision_at": row.decision_at,
                "reported_pk": row.reported_pk,
            }
        )
    await connection.execute(insert(chain_link), links)
    return len(queued)


async def _decisions(connection: AsyncConnection, links: Iterable[Any]) -> dict[str, Content]:
    keys = [(link.decision_id, link.decision_at) for link in links]
    if not keys:
        return {}
    ids, instants = zip(*keys, strict=True)
    parameters = {"ids": list(ids), "instants": list(instants)}
    # The instants let PostgreSQL leave out the partitions in which none of them can be.
    parameters |= {"since": min(instants), "until": max(instants)}
    wanted = _DECISIONS.params(**parameters)
    rows = (await connection.execute(wanted)).mappings()
    return {str(row["id"]): Content(kind="decision", row=dict(row)) for row in rows}


async def _by_key(
    connection: AsyncConnection, table: Any, keys: Sequence[Any]
) -> dict[Any, Content]:
    if not keys:
        return {}
    [key] = table.primary_key.columns
    rows = (await connection.execute(select(table).where(key.in_(keys)))).mappings()
    return {row[key.name]: Content(kind=table.name, row=dict(row)) for row in rows}


def _removal_pk(link: Any) -> int | None:
    return getattr(link, "removal_pk", None)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case bytes():
            return value.hex()
        case date():
            return value.isoformat()
        case _:
            return value
