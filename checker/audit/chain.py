"""The chain over decisions and reported outcomes: nobody changes or drops a row without a fault.

    digest(n) = SHA-256( digest(n-1) | content(n) )        digest(0) = 32 zero bytes

`content` is `{kind: {field: value}}` as JSON with sorted keys, of the fields in `CHAINED`. Instants
are written in UTC to the microsecond, bytes in hexadecimal. The statement that writes a row puts
the row into the queue `unchained`.

The digests have no key, so everybody who has the rows and the links can verify them. The price: a
person who may write all tables can make the whole chain anew. An auditor who has noted a head
before finds that (`checker audit verify --head`, the export). A note that a rotation of the
encryption key has sealed again is the exception: the bytes of its first sealing need the key.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, DateTime, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.schema import (
    NOTE_PLACE,
    chain_link,
    decision,
    removal,
    reported_outcome,
    unchained,
)
from checker.errors import ConfigurationError
from checker.journal.chained_table import BATCH_LINKS, ChainedTable, ChainHead, extend_chain
from checker.vault import Vault

DECISION_CHAIN = ChainedTable(number=chain_link.c.number, digest=chain_link.c.digest)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one link: the kind of its row, and the row as read from its table."""

    kind: str
    row: Mapping[str, Any]


GONE: Final = Content(kind="gone", row={})

_Queued = tuple[Any, Content | None]
"""A row of the queue, and its content; None if the content is gone."""

# Years of digests rest on these lists: a new column goes into a new kind of content.
CHAINED: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": (
        "id",
        "at",
        "account_id",
        "service",
        "jurisdiction",
        "outcome",
        "reasons",
        "permit_id",
        "list_version",
        "listings",
        "policy",
    ),
    "reported_outcome": ("pk", "decision_id", "decision_at", "at", "outcome", "note"),
    "removal": (
        "pk",
        "month",
        "at",
        "decisions",
        "reported_outcomes",
        "kept_since",
        "first_link",
        "digest_before",
    ),
    GONE.kind: (),
}
"""The digested fields of each kind."""


def link_digest(before: bytes, content: Content) -> bytes:
    """Return the digest of a row's content together with the link before it."""
    plain = {name: _plain(content.row[name]) for name in CHAINED[content.kind]}
    encoded = msgspec.json.encode({content.kind: plain}, order="deterministic")
    return hashlib.sha256(before + encoded).digest()


# Arrays, because PostgreSQL would compare each row with each pair of a list.
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


async def extend_decisions(engine: AsyncEngine) -> int:
    """Make links for all decisions and outcomes that wait, and return the number of links.

    `engine` is one without a bound on statements. Raises Unavailable.
    """
    return await extend_chain(
        engine, DECISION_CHAIN, take=_take, digest_of=_digest_of_queued, put=_put
    )


async def put_link(connection: AsyncConnection, content: Content, of: Mapping[str, Any]) -> None:
    """Chain one row that does not queue. The caller's transaction holds `Lock.CHAIN`."""
    head = await DECISION_CHAIN.read_head(connection)
    digest = link_digest(head.digest, content)
    await connection.execute(insert(chain_link).values(number=head.number + 1, digest=digest, **of))


async def read_contents(
    connection: AsyncConnection, links: Sequence[Any], vault: Vault | None = None
) -> list[Content | None]:
    """Return the contents of links, or of queued rows, in their order; None where it is gone.

    A rotation of the encryption key seals a linked note again. Then only the `vault` shows the
    bytes that the link covers. A queued note is as it was sealed first.
    """
    decisions = await _decisions(
        connection, [link for link in links if link.decision_id and link.reported_pk is None]
    )
    reports = await _by_key(
        connection, reported_outcome, [link.reported_pk for link in links if link.reported_pk]
    )
    if vault is not None:
        reports = {pk: _as_chained(content, vault) for pk, content in reports.items()}
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


async def _take(connection: AsyncConnection) -> Sequence[_Queued]:
    """Take rows from the queue, with their contents."""
    first = select(unchained.c.pk).order_by(unchained.c.pk).limit(BATCH_LINKS)
    taken = delete(unchained).where(unchained.c.pk.in_(first)).returning(unchained)
    queued = sorted((await connection.execute(taken)).all(), key=lambda row: row.pk)
    return [*zip(queued, await read_contents(connection, queued), strict=True)]


def _digest_of_queued(before: bytes, queued: _Queued) -> bytes:
    # Somebody removed a row that is gone before it is chained: its link shows that.
    _, content = queued
    return link_digest(before, content or GONE)


async def _put(
    connection: AsyncConnection, queued: Sequence[_Queued], links: Sequence[ChainHead]
) -> None:
    rows = [
        {
            "number": link.number,
            "digest": link.digest,
            "decision_id": row.decision_id,
            "decision_at": row.decision_at,
            "reported_pk": row.reported_pk,
        }
        for (row, _), link in zip(queued, links, strict=True)
    ]
    await connection.execute(insert(chain_link), rows)


async def _decisions(connection: AsyncConnection, links: Iterable[Any]) -> dict[str, Content]:
    keys = [(link.decision_id, link.decision_at) for link in links]
    if not keys:
        return {}
    ids, instants = zip(*keys, strict=True)
    parameters = {"ids": list(ids), "instants": list(instants)}
    # By the instants PostgreSQL leaves out the partitions that cannot hold any of them.
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


def _as_chained(report: Content, vault: Vault) -> Content:
    """Return a report with the note as the chain covers it; a note that does not open stays."""
    sealed = report.row["note"]
    if sealed is None:
        return report
    try:
        first = vault.first_sealed(sealed, NOTE_PLACE, report.row["decision_id"])
    except ConfigurationError:
        return report
    return Content(kind=report.kind, row={**report.row, "note": first})


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
