"""The next list, staged beside the one in force: temporary tables that end with their transaction.

`COPY` fills them in slices, so that memory does not grow with the list; `put_in_force` then
compares them with what is in force and writes the difference alone. An unchanged listing keeps its
row.
"""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.copying import copy_rows
from checker.registry.sealing import DocumentRow, OfficerRow, SealedEntry, SealedListingRow

SLICE_ROWS = 1_000

_STAGE = (
    """
    CREATE TEMPORARY TABLE stage_listing (
        line bigint NOT NULL,
        id text NOT NULL,
        digest bytea NOT NULL,
        case_number text NOT NULL,
        court text NOT NULL,
        filed_on date,
        published_on date,
        expires_on date,
        public boolean NOT NULL,
        party_type text NOT NULL,
        party_name bytea NOT NULL,
        content bytea NOT NULL,
        pk bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('listing', 'pk'))
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMPORARY TABLE stage_officer (
        line bigint NOT NULL,
        ordinal integer NOT NULL,
        role text,
        name bytea NOT NULL,
        resolved boolean NOT NULL,
        pk bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('officer_link', 'pk'))
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMPORARY TABLE stage_document (
        line bigint NOT NULL,
        ordinal integer,
        role text NOT NULL,
        type text NOT NULL,
        number bytea NOT NULL,
        masked boolean NOT NULL,
        token bytea NOT NULL,
        name_token bytea NOT NULL
    ) ON COMMIT DROP
    """,
)

_PUT_IN_FORCE = (
    "ANALYZE stage_listing",
    """
    UPDATE listing SET until_version = :version
    WHERE until_version IS NULL AND NOT EXISTS (
        SELECT FROM stage_listing s WHERE s.id = listing.id AND s.digest = listing.digest
    )
    """,
    """
    DELETE FROM stage_listing s USING listing l
    WHERE l.until_version IS NULL AND l.id = s.id AND l.digest = s.digest
    """,
    """
    INSERT INTO listing (pk, id, digest, case_number, court, filed_on, published_on, expires_on,
                         public, party_type, party_name, from_version)
    SELECT pk, id, digest, case_number, court, filed_on, published_on, expires_on,
           public, party_type, party_name, :version
    FROM stage_listing
    """,
    """
    INSERT INTO officer_link (pk, listing_pk, role, name, resolved)
    SELECT o.pk, l.pk, o.role, o.name, o.resolved
    FROM stage_officer o JOIN stage_listing l USING (line)
    """,
    """
    INSERT INTO document (listing_pk, officer_pk, role, type, number, masked, token, name_token)
    SELECT l.pk, o.pk, d.role, d.type, d.number, d.masked, d.token, d.name_token
    FROM stage_document d
    JOIN stage_listing l USING (line)
    LEFT JOIN stage_officer o ON o.line = d.line AND o.ordinal = d.ordinal
    """,
    # What was said of a listing goes with it, and does not bind one that begins anew under its id.
    # A retention stays: it is about what is kept after the end.
    """
    UPDATE directive SET until_version = :version
    WHERE until_version IS NULL AND from_version < :version AND kind <> 'retention'
    AND EXISTS (
        SELECT FROM listing l WHERE l.id = directive.listing_id
        GROUP BY l.id
        HAVING coalesce(bool_or(l.until_version = :version), false)
            <> bool_or(l.from_version = :version)
    )
    """,
    # What a delisting that has come ended begins anew where the snapshot still holds it: with the
    # delisting goes what was said before it.
    """
    UPDATE directive SET until_version = :version
    WHERE until_version IS NULL AND from_version < :version AND kind <> 'retention'
    AND EXISTS (
        SELECT FROM directive d JOIN listing l ON l.id = d.listing_id
        WHERE d.listing_id = directive.listing_id AND d.kind = 'delisting' AND d."on" <= :today
        AND d.until_version IS NULL AND l.until_version IS NULL
    )
    """,
    # The same transaction reads them next, and autovacuum has seen nothing of it yet.
    "ANALYZE listing, document, directive",
)


class Stage:
    """Collects sealed entries and hands them to PostgreSQL a slice at a time."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._listings: list[SealedListingRow] = []
        self._officers: list[OfficerRow] = []
        self._documents: list[DocumentRow] = []
        self.accepted = 0

    async def open(self) -> None:
        """Make the tables, inside the caller's transaction."""
        for statement in _STAGE:
            await self._connection.execute(text(statement))

    async def add(self, entry: SealedEntry) -> None:
        """Stage one listing."""
        self.accepted += 1
        self._listings.append(entry.listing)
        self._officers += entry.officers
        self._documents += entry.documents
        if len(self._listings) >= SLICE_ROWS:
            await self._flush()

    async def put_in_force(self, version: int, today: date) -> None:
        """Make what is staged the list in force from `version` on; everything else ends with it.

        `today` is the day in Shanghai.
        """
        await self._flush()
        parameters = {"version": version, "today": today}
        for statement in map(text, _PUT_IN_FORCE):
            used = {name: parameters[name] for name in statement.compile().params}
            await self._connection.execute(statement, used)

    async def _flush(self) -> None:
        for table, rows, kind in (
            ("stage_listing", self._listings, SealedListingRow),
            ("stage_officer", self._officers, OfficerRow),
            ("stage_document", self._documents, DocumentRow),
        ):
            await copy_rows(self._connection, table, rows, kind._fields)
            rows.clear()
