"""The endings of changes: each row names a restriction that a change of the list lifts.

The transaction of a change writes the rows, so an ending and its change are committed together.
`checker.notices` reads the rows. A row is never changed.

| ground | a change writes the row for |
|---|---|
| the ground of a delisting | a listing that the change delists, on a day that has come |
| `removed` | a listing that a snapshot no longer holds |
| `expired` | a listing that the change replaces by an expired one |
| `shielded` | a listing that the change shields |
| `officer_left` | a listing that goes on without some of its officers |
| `party_replaced` | a listing that goes on with another party |
| `items_dropped` | an order that goes on and restricts fewer services |
| `distinguished` | a listing in force that never again reaches a document, by the change |
| `permit` | what `checker.registry.permit_endings` describes |

A day or an instant that comes later lifts a restriction without a change. Such endings have no row:
`checker.notices.due` finds them on their day.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.metadata import metadata
from checker.database.token_column import TokenColumn
from checker.domain.clock import shanghai_day
from checker.domain.service import ServiceType
from checker.registry.versions import ListVersion


class EndingGround(StrEnum):
    """Why a restriction ends, besides the grounds of a delisting (contract, section 5)."""

    REMOVED = "removed"
    """A snapshot no longer holds the listing."""
    EXPIRED = "expired"
    SHIELDED = "shielded"
    OFFICER_LEFT = "officer_left"
    PARTY_REPLACED = "party_replaced"
    """The listing names another party now."""
    ITEMS_DROPPED = "items_dropped"
    """The order goes on and restricts these services no longer."""
    PERMIT = "permit"
    DISTINGUISHED = "distinguished"
    """The holder of a document is found not to be the person of the listing."""
    RETENTION_OVER = "retention_over"
    """The court kept some measures after the end of the listing, and their time is over."""


ending = Table(
    "ending",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("listing_id", Text, nullable=False),
    Column("ground", Text, nullable=False),
    # The day of a delisting or of an expiry. Not set: the instant of the change counts.
    Column("on", Date),
    # The ending lifts the restriction for these roles only; not set: for all roles.
    Column("roles", ARRAY(Text)),
    # The permit; and the services that a permit permits, or that an order restricts no longer.
    Column("permit_id", Text),
    Column("services", ARRAY(Text)),
    # Measures that a court keeps after the end of the listing.
    Column("kept", ARRAY(Text)),
    # The document that is distinguished, or that a permit reaches by a binding; not set: the ending
    # is neither.
    Column("token", TokenColumn),
    Column("issuer", Text),
)
Index("ix_ending_version", ending.c.version)


async def write_listing_endings(connection: AsyncConnection, change_made: ListVersion) -> None:
    """Write the endings that a change of listings and directives brings.

    The caller has written all rows of the change, in the same transaction.
    """
    parameters = {
        "version": change_made.version,
        "day": shanghai_day(change_made.at),
        "services": _EVERY_SERVICE,
    }
    await connection.execute(_WRITE_OF_LISTINGS, parameters)


_EVERY_SERVICE: Final = sorted(each.value for each in ServiceType)
"""The services that an order without items restricts."""

# `left_holder`: the old row of a listing that goes on names a holder, and the new row does not. The
# new row names the holder if it has one of the holder's documents, a document that is bound to one
# of them, or the holder's name where one of the two numbers is masked. A passport is one document
# with the same issuer, or with the same name where one issuer is unknown. `unmatched` sorts out the
# documents that stand in the new row unchanged: of a large snapshot, nearly all do. A decision
# keeps the role of its day, so `left_role` has the roles of the holder's documents in earlier rows.
_WRITE_OF_LISTINGS: Final = text(
    """
WITH ended AS MATERIALIZED (
    SELECT o.id AS listing_id, o.pk AS old_pk, n.pk AS new_pk, n.expires_on,
           n.pk IS NOT NULL AND (n.expires_on IS NULL OR n.expires_on > :day) AS goes_on
    FROM listing o LEFT JOIN listing n ON n.id = o.id AND n.from_version = :version
    WHERE o.until_version = :version
), delisted AS (
    SELECT listing_id, ground, "on" FROM directive
    WHERE from_version = :version AND kind = 'delisting' AND "on" <= :day
), unmatched AS MATERIALIZED (
    SELECT e.listing_id, e.old_pk, e.new_pk, o.officer_pk, o.role, o.token, o.issuer
    FROM ended e JOIN document o ON o.listing_pk = e.old_pk
    WHERE e.goes_on AND NOT EXISTS (
        SELECT FROM document n WHERE n.listing_pk = e.new_pk AND n.token = o.token
        AND (n.issuer IS NOT DISTINCT FROM o.issuer
            OR (n.name_token = o.name_token AND (n.issuer IS NULL OR o.issuer IS NULL)))
    )
), left_holder AS (
    SELECT u.listing_id, u.role, u.token, u.issuer FROM unmatched u
    WHERE NOT EXISTS (
        SELECT FROM document h
        JOIN document n ON n.listing_pk = u.new_pk AND (
            (n.token = h.token AND (n.issuer IS NOT DISTINCT FROM h.issuer
                OR (n.name_token = h.name_token AND (n.issuer IS NULL OR h.issuer IS NULL))))
            OR ((n.masked OR h.masked) AND n.name_token = h.name_token)
            OR EXISTS (
                SELECT FROM bound_document own
                JOIN bound_document other ON other.person = own.person
                WHERE own.token = h.token AND other.token = n.token
                AND own.until_version IS NULL AND other.until_version IS NULL
                AND (own.issuer IS NULL OR h.issuer IS NULL OR own.issuer = h.issuer)
                AND (other.issuer IS NULL OR n.issuer IS NULL OR other.issuer = n.issuer)
            )
        )
        WHERE h.listing_pk = u.old_pk AND h.officer_pk IS NOT DISTINCT FROM u.officer_pk
    )
), left_role AS (
    SELECT listing_id, role FROM left_holder
    UNION
    SELECT g.listing_id, d.role
    FROM left_holder g JOIN listing l ON l.id = g.listing_id
    JOIN document d ON d.listing_pk = l.pk AND d.token = g.token
        AND (d.issuer IS NULL OR g.issuer IS NULL OR d.issuer = g.issuer)
    WHERE g.role <> 'debtor' AND d.role <> 'debtor'
), dropped AS (
    SELECT e.listing_id, ARRAY(
        SELECT item FROM unnest(coalesce(o.items, CAST(:services AS text[]))) AS item
        WHERE item <> ALL (n.items) ORDER BY item
    ) AS services
    FROM ended e JOIN listing o ON o.pk = e.old_pk JOIN listing n ON n.pk = e.new_pk
    WHERE e.goes_on AND n.items IS NOT NULL
), lifted AS (
    SELECT listing_id, 'shielded' AS ground, CAST(NULL AS text[]) AS roles,
           CAST(NULL AS bytea) AS token, CAST(NULL AS text) AS issuer,
           CAST(NULL AS text[]) AS services FROM directive
    WHERE from_version = :version AND kind = 'shielding'
    UNION ALL
    SELECT listing_id, 'items_dropped', NULL, NULL, NULL, services FROM dropped
    WHERE cardinality(services) > 0
    UNION ALL
    SELECT listing_id, 'distinguished', NULL, token, issuer, NULL FROM directive d
    WHERE from_version = :version AND kind = 'distinction' AND EXISTS (
        SELECT FROM listing l WHERE l.id = d.listing_id AND l.until_version IS NULL
    )
    UNION ALL
    SELECT listing_id, 'party_replaced', ARRAY[role], NULL, NULL, NULL FROM left_role
    WHERE role = 'debtor' GROUP BY listing_id, role
    UNION ALL
    SELECT listing_id, 'officer_left', array_agg(DISTINCT role), NULL, NULL, NULL FROM left_role
    WHERE role <> 'debtor' GROUP BY listing_id
), final AS (
    SELECT listing_id, CASE WHEN expires_on IS NULL THEN 'removed' ELSE 'expired' END AS ground,
           expires_on AS "on"
    FROM ended e
    WHERE NOT goes_on AND NOT EXISTS (SELECT FROM delisted d WHERE d.listing_id = e.listing_id)
    UNION ALL
    SELECT listing_id, ground, "on" FROM delisted
)
INSERT INTO ending (version, listing_id, ground, "on", roles, token, issuer, services, kept)
SELECT :version, listing_id, ground, "on", roles, token, issuer, services, kept FROM (
    SELECT listing_id, ground, CAST(NULL AS date) AS "on", roles, token, issuer, services,
           CAST(NULL AS text[]) AS kept
    FROM lifted
    UNION ALL
    SELECT listing_id, ground, "on", NULL, NULL, NULL, NULL, (
        SELECT array_agg(DISTINCT measure)
        FROM directive t CROSS JOIN unnest(t.measures) AS measure
        WHERE t.listing_id = f.listing_id AND t.kind = 'retention' AND t."on" > :day
        AND t.until_version IS NULL
    )
    FROM final f
) AS found
ORDER BY ground, listing_id
"""
).bindparams(bindparam("version", type_=BigInteger), bindparam("day", type_=Date))
