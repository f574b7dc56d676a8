"""What changes of the list ended, read from the rows that they ended and began.

A listing ends by a delisting whose day has come, or when no row of it is left in force. While it
goes on, somebody may have left it: a holder of whom neither document nor, where either is known
only in part, name is in the new row. A person's role may change: who is still in the listing in
another one has not left it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.role import Role
from checker.notices.ending import Ending, Ground

# Everywhere: a day of Shanghai, as `checker.domain.clock` says it; at least the one that the clock
# was told of, for a change may be committed later than its instant.
_DELISTED: Final = text(
    """
SELECT s.version, s.day, d.listing_id, d."on", d.ground
FROM (
    SELECT version, greatest((at AT TIME ZONE INTERVAL '+08:00')::date, CAST(:today AS date)) AS day
    FROM change WHERE version > :after AND version <= :upto
) s
JOIN directive d ON d.from_version = s.version AND d.kind = 'delisting' AND d."on" <= s.day
ORDER BY s.version, d.listing_id
"""
)

# Without those of a delisting; and only what anybody was told of: a snapshot may end a million.
_ENDED_ROWS: Final = text(
    """
SELECT s.version, s.at, s.day, o.id AS listing_id, o.pk AS old_pk, n.pk AS new_pk, n.expires_on,
       n.pk IS NOT NULL AND (n.expires_on IS NULL OR n.expires_on > s.day) AS goes_on
FROM (
    SELECT version, at,
           greatest((at AT TIME ZONE INTERVAL '+08:00')::date, CAST(:today AS date)) AS day
    FROM change WHERE version > :after AND version <= :upto
) s
JOIN listing o ON o.until_version = s.version
LEFT JOIN listing n ON n.id = o.id AND n.from_version = s.version
WHERE EXISTS (SELECT FROM decision d WHERE d.listings @> ARRAY[o.id])
AND NOT EXISTS (
    SELECT FROM directive d WHERE d.listing_id = o.id AND d.kind = 'delisting'
    AND d.from_version = s.version AND d."on" <= s.day
)
ORDER BY s.version, o.id
"""
)

_LEFT: Final = text(
    """
SELECT e.place, array_agg(DISTINCT o.role) AS roles
FROM unnest(CAST(:old_pks AS bigint[]), CAST(:new_pks AS bigint[]), CAST(:versions AS bigint[]))
    WITH ORDINALITY AS e(old_pk, new_pk, version, place)
JOIN document o ON o.listing_pk = e.old_pk
WHERE NOT EXISTS (
    SELECT FROM document h
    JOIN document n ON n.listing_pk = e.new_pk AND (
        n.token = h.token
        OR ((n.masked OR h.masked) AND n.name_token = h.name_token)
        OR EXISTS (
            SELECT FROM bound_document own
            JOIN bound_document other ON other.person = own.person
            WHERE own.token = h.token AND other.token = n.token
            AND own.from_version <= e.version AND other.from_version <= e.version
            AND (own.until_version IS NULL OR own.until_version > e.version)
            AND (other.until_version IS NULL OR other.until_version > e.version)
        )
    )
    WHERE h.listing_pk = e.old_pk AND h.officer_pk IS NOT DISTINCT FROM o.officer_pk
)
GROUP BY e.place
ORDER BY e.place
"""
)

_SHIELDED: Final = text(
    """
SELECT s.version, s.at, d.listing_id
FROM change s JOIN directive d ON d.from_version = s.version AND d.kind = 'shielding'
WHERE s.version > :after AND s.version <= :upto
ORDER BY s.version, d.listing_id
"""
)

_RETENTIONS: Final = text(
    """
SELECT listing_id, measures, "on", from_version, until_version FROM directive
WHERE kind = 'retention' AND listing_id = ANY(CAST(:listings AS text[]))
"""
)


class Retentions:
    """The measures that courts kept of some listings."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows: dict[str, list[Any]] = {}
        for row in rows:
            self._rows.setdefault(row.listing_id, []).append(row)

    @classmethod
    async def read(cls, connection: AsyncConnection, listing_ids: Sequence[str]) -> "Retentions":
        """Read them for these listings."""
        rows = await connection.execute(_RETENTIONS, {"listings": listing_ids})
        return cls(rows.all())

    def of(self, listing_id: str, *, version: int, day: date) -> frozenset[str]:
        """Give the measures of a listing that were kept on a day, by the list of a version."""
        return frozenset(
            measure
            for row in self._rows.get(listing_id, ())
            if row.on > day and row.from_version <= version
            if row.until_version is None or row.until_version > version
            for measure in row.measures
        )


async def endings_by_changes(
    connection: AsyncConnection, *, after: int, upto: int, today: date | None
) -> Sequence[Ending]:
    """Tell what the changes after a version, up to another, ended.

    `today` is the day that the clock was told of. What begins with permits is not among them.
    """
    changes = {"after": after, "upto": upto}
    known = changes | {"today": today or date.min}
    shielded = (await connection.execute(_SHIELDED, changes)).all()
    delisted = (await connection.execute(_DELISTED, known)).all()
    ended = (await connection.execute(_ENDED_ROWS, known)).all()
    dropped = [row for row in ended if not row.goes_on]
    retentions = await Retentions.read(
        connection, sorted({row.listing_id for row in (*dropped, *delisted)})
    )
    return [
        *map(_shielded, shielded),
        *await _left(connection, [row for row in ended if row.goes_on]),
        *(_dropped(row, retentions) for row in dropped),
        *(_delisted(row, retentions) for row in delisted),
    ]


def _delisted(row: Any, retentions: Retentions) -> Ending:
    return Ending(
        listing_id=row.listing_id,
        key=f"{row.version}:end",
        ground=row.ground,
        ended_on=row.on,
        before_version=row.version,
        kept=retentions.of(row.listing_id, version=row.version, day=row.day),
        is_final=True,
    )


def _dropped(row: Any, retentions: Retentions) -> Ending:
    expired = row.expires_on is not None
    return Ending(
        listing_id=row.listing_id,
        key=f"{row.version}:end",
        ground=Ground.EXPIRED if expired else Ground.REMOVED,
        ended_on=row.expires_on,
        ended_at=None if expired else row.at,
        before_version=row.version,
        kept=retentions.of(row.listing_id, version=row.version, day=row.day),
        is_final=True,
    )


def _shielded(row: Any) -> Ending:
    return Ending(
        listing_id=row.listing_id,
        key=f"{row.version}:shielding",
        ground=Ground.SHIELDED,
        ended_at=row.at,
        before_version=row.version,
    )


async def _left(connection: AsyncConnection, replaced: Sequence[Any]) -> list[Ending]:
    """Whoever was told of the party hears that it is another one, and of officers that one left."""
    found = await connection.execute(
        _LEFT,
        {
            "old_pks": [row.old_pk for row in replaced],
            "new_pks": [row.new_pk for row in replaced],
            "versions": [row.version for row in replaced],
        },
    )
    endings = []
    for place, roles in found:
        row = replaced[place - 1]
        left = frozenset(map(Role, roles))
        party = left & {Role.DEBTOR}
        endings += [
            Ending(
                listing_id=row.listing_id,
                key=f"{row.version}:{ground}",
                ground=ground,
                ended_at=row.at,
                before_version=row.version,
                roles=those,
            )
            for ground, those in (
                (Ground.PARTY_REPLACED, party),
                (Ground.OFFICER_LEFT, left - party),
            )
            if those
        ]
    return endings
