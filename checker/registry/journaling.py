"""The journal's entries of the list: each change, the rows that it begins and the rows it ends."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.entries import NAMED_MAX, NOTHING, Area, Named, write_entries
from checker.registry.contents import CHANGE, DIRECTIVE, LISTING, change_digest
from checker.registry.versions import ListVersion
from checker.vault import Vault

_END: Final = " end"


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a change that the journal digests."""

    version: int
    change_id: str
    history: str
    kind: str
    at: Any
    accepted: int
    rejected: int

    @classmethod
    def of(cls, change: ListVersion, accepted: int, rejected: int) -> "ChangeRow":
        """Put it together as it was written."""
        return cls(
            version=change.version,
            change_id=change.change_id,
            history=change.history,
            kind=change.kind,
            at=change.at,
            accepted=accepted,
            rejected=rejected,
        )


def ends(kind: str, keys: Iterable[str]) -> list[Named]:
    """Name rows of a kind that a change ends."""
    return [Named(end_of(kind), key, NOTHING) for key in keys]


def end_of(kind: str) -> str:
    """Name the kind of an end."""
    return kind.replace("_", "-") + "-end"


def purge_of(kind: str) -> str:
    """Name the kind of a purge (`checker.registry.purge`)."""
    return kind.replace("_", "-") + "-purge"


def row_key(known_by: str, pk: int) -> str:
    """Name a row by what people know and by its number: of one listing there are several rows."""
    return f"{known_by}#{pk}"


async def journal_change(
    connection: AsyncConnection, vault: Vault, row: ChangeRow, named: Sequence[Named]
) -> None:
    """Enter a change with all rows that it begins and ends."""
    own = Named(CHANGE, str(row.version), change_digest(vault.digest, row))
    await write_entries(connection, vault, Area.LIST, [own, *named], version=row.version)


async def journal_snapshot(connection: AsyncConnection, vault: Vault, row: ChangeRow) -> None:
    """Enter a snapshot, of which the new listings are still staged."""
    version = row.version
    await journal_change(connection, vault, row, ())
    parameters = {"version": version, "slice": NAMED_MAX}
    for kind, statement in _OF_SNAPSHOT:
        used = {name: parameters[name] for name in statement.compile().params}
        stream = await connection.stream(statement, used, execution_options={"yield_per": 8})
        async for slices in stream.partitions():
            for each in slices:
                digests = each.digests if each.digests is not None else [NOTHING] * len(each.keys)
                named = [Named(kind, *one) for one in zip(each.keys, digests, strict=True)]
                await write_entries(connection, vault, Area.LIST, named, version=version)


def _slices(rows: str, digests: str) -> Any:
    return text(
        f"""
        SELECT array_agg(key ORDER BY place) AS keys, {digests} AS digests
        FROM (SELECT *, row_number() OVER () - 1 AS place FROM ({rows}) AS unsliced) AS placed
        GROUP BY place / :slice
        """  # noqa: S608 - our own texts
    )


_ENDED = "SELECT {known_by} || '#' || pk AS key FROM {table} WHERE until_version = :version"
_OF_SNAPSHOT = (
    (
        LISTING,
        _slices(
            "SELECT id || '#' || pk AS key, content FROM stage_listing",
            "array_agg(content ORDER BY place)",
        ),
    ),
    (
        end_of(LISTING),
        _slices(_ENDED.format(known_by="id", table="listing"), "CAST(NULL AS bytea[])"),
    ),
    (
        end_of(DIRECTIVE),
        _slices(_ENDED.format(known_by="listing_id", table="directive"), "CAST(NULL AS bytea[])"),
    ),
)
