"""Stages the next list beside the list in force, in temporary tables that end with the transaction.

`COPY` fills the tables in slices, so that memory does not grow with the list. `put_in_force` then
compares them with the list in force and writes only the difference. An unchanged listing keeps its
row.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.copying import copy_rows
from checker.database.token_column import keys_of
from checker.errors import Conflict
from checker.registry.sealed_rows import DocumentRow, OfficerRow, SealedEntry, SealedListingRow

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
        kind text NOT NULL,
        items text[],
        starts_on date,
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
        name_token bytea NOT NULL,
        shape text,
        derived boolean NOT NULL,
        issuer text
    ) ON COMMIT DROP
    """,
)

_PUT_IN_FORCE = (
    "ANALYZE stage_listing",
    """
    UPDATE listing SET until_version = :version
    WHERE until_version IS NULL AND (:is_whole OR court = ANY(CAST(:courts AS text[])))
    AND NOT EXISTS (
        SELECT FROM stage_listing s WHERE s.id = listing.id AND s.digest = listing.digest
    )
    """,
    """
    DELETE FROM stage_listing s USING listing l
    WHERE l.until_version IS NULL AND l.id = s.id AND l.digest = s.digest
    """,
    """
    INSERT INTO listing (pk, id, digest, case_number, court, filed_on, published_on, expires_on,
                         public, party_type, party_name, kind, items, starts_on, from_version)
    SELECT pk, id, digest, case_number, court, filed_on, published_on, expires_on,
           public, party_type, party_name, kind, items, starts_on, :version
    FROM stage_listing
    """,
    """
    INSERT INTO officer_link (pk, listing_pk, role, name, resolved)
    SELECT o.pk, l.pk, o.role, o.name, o.resolved
    FROM stage_officer o JOIN stage_listing l USING (line)
    """,
    """
    INSERT INTO document (listing_pk, officer_pk, role, type, number, masked, token, name_token,
                          shape, derived, issuer)
    SELECT l.pk, o.pk, d.role, d.type, d.number, d.masked, d.token, d.name_token, d.shape,
           d.derived, d.issuer
    FROM stage_document d
    JOIN stage_listing l USING (line)
    LEFT JOIN stage_officer o ON o.line = d.line AND o.ordinal = d.ordinal
    """,
    # The directives of a listing end with it, and do not bind a new listing under the same id. A
    # retention stays, because it is about measures after the end. A distinction stays, because it
    # is about a document, whatever becomes of the listing.
    """
    UPDATE directive SET until_version = :version
    WHERE until_version IS NULL AND from_version < :version
    AND kind NOT IN ('retention', 'distinction')
    AND EXISTS (
        SELECT FROM listing l WHERE l.id = directive.listing_id
        GROUP BY l.id
        HAVING coalesce(bool_or(l.until_version = :version), false)
            <> bool_or(l.from_version = :version)
    )
    """,
    # A delisting has ended a listing, and the snapshot still holds the listing: it begins anew. So
    # the delisting ends, and so do the directives before it.
    """
    UPDATE directive SET until_version = :version
    WHERE until_version IS NULL AND from_version < :version
    AND kind NOT IN ('retention', 'distinction')
    AND EXISTS (
        SELECT FROM directive d JOIN listing l ON l.id = d.listing_id
        WHERE d.listing_id = directive.listing_id AND d.kind = 'delisting' AND d."on" <= :today
        AND d.until_version IS NULL AND l.until_version IS NULL
        AND (:is_whole OR l.court = ANY(CAST(:courts AS text[])))
    )
    """,
    # The same transaction reads these tables next, and autovacuum has not seen the new rows yet.
    "ANALYZE listing, document, directive",
)


_TAKEN = text(
    """
    SELECT s.id FROM stage_listing s JOIN listing l ON l.id = s.id AND l.until_version IS NULL
    WHERE NOT l.court = ANY(CAST(:courts AS text[])) LIMIT 1
    """
)


class Stage:
    """Collects sealed entries and writes them to PostgreSQL slice by slice."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._listings: list[SealedListingRow] = []
        self._officers: list[OfficerRow] = []
        self._documents: list[DocumentRow] = []
        self.accepted = 0

    async def open(self) -> None:
        """Create the tables, inside the caller's transaction."""
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

    async def put_in_force(
        self, version: int, today: date, courts: Sequence[str] | None = None
    ) -> None:
        """Make the staged listings the list in force from `version` on.

        All other listings of `courts`, as they are spelled in the list, end with it; None: all
        other listings. `today` is the day in Shanghai.

        Raises Conflict if a staged id is that of a listing of none of `courts`.
        """
        await self._flush()
        parameters = {
            "version": version,
            "today": today,
            "is_whole": courts is None,
            "courts": list(courts or ()),
        }
        if (
            courts is not None
            and (await self._connection.execute(_TAKEN, {"courts": list(courts)})).first()
        ):
            # Since the lines were read: the same snapshot again rejects those lines.
            raise Conflict("another court has taken the id of a listing: send the snapshot again")
        for statement in map(text, _PUT_IN_FORCE):
            used = {name: parameters[name] for name in statement.compile().params}
            await self._connection.execute(statement, used)

    async def _flush(self) -> None:
        for table, rows, kind in (
            ("stage_listing", self._listings, SealedListingRow),
            ("stage_officer", self._officers, OfficerRow),
            ("stage_document", self._stored_documents(), DocumentRow),
        ):
            await copy_rows(self._connection, table, rows, kind._fields)
        for staged in (self._listings, self._officers, self._documents):
            staged.clear()

    def _stored_documents(self) -> list[DocumentRow]:
        """Return the documents with stored tokens. The key stays while the transaction runs."""
        key = keys_of(self._connection).current
        tokens = key.each_stored([Token(row.token) for row in self._documents])
        names = key.each_stored([Token(row.name_token) for row in self._documents])
        return [
            row._replace(token=token, name_token=name)
            for row, token, name in zip(self._documents, tokens, names, strict=True)
        ]
