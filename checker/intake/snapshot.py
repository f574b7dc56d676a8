"""The snapshot feed: replaces the whole list in one step, or changes nothing.

1. One transaction stages the lines beside the list in force, and writes the difference, the
   numbered change and the outlines. It builds the next generation of the cache from them.
2. The transaction is committed, and the cache's pointer is switched.
3. The feed is answered when no node can answer from the list before.

A failure before the commit leaves the list as it was. A cache that fails delays nothing: the list
is committed without a generation, checks ask the registry, and the publisher builds a generation.
The publisher does the same for a process that dies between commit and switch.

A sender that speaks for some courts replaces the part of these courts alone. Two snapshots at once
are read beside each other and written one after the other.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.errors import BuildRejected, CacheError
from cache.generation import Generation
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.errors import Conflict, InvalidRequest, Unavailable
from checker.formats.feed_format import ListFormat
from checker.formats.listing import LISTING
from checker.intake.feed_requests import (
    NO_TERMS,
    AnsweredBefore,
    FeedRequests,
    FeedTerms,
    KeptRequest,
)
from checker.intake.part_of_list import court_names
from checker.intake.quarantine_rows import trim
from checker.intake.report import FeedReport
from checker.intake.snapshot_limits import (
    REJECTED_SHARE_MAX,
    SnapshotConsent,
    refuse_empty,
    refuse_rejected,
    refuse_shrunk,
)
from checker.intake.snapshot_reader import SnapshotReader
from checker.publication.generation_build import build_generation
from checker.registry.endings import write_listing_endings
from checker.registry.journaling import ChangeRow, journal_snapshot
from checker.registry.projection import refresh_after_snapshot
from checker.registry.schema import listing
from checker.registry.sealing import Sealer
from checker.registry.versions import ChangeKind, ListVersion, list_origin, put_change

AT_ONCE_MAX = 2
"""Snapshots that one process reads at once. Each holds a connection, and changes need some too."""

_log = logging.getLogger(__name__)


class SnapshotFeed:
    """Takes snapshots into the registry and puts them in force.

    `in_force` waits until no node can answer from a state before a version. A snapshot is refused
    if a larger share of its lines than `rejected_share_max` was rejected.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        sealer: Sealer,
        token_keys: TokenKeys,
        clock: Clock,
        in_force: Callable[[ListVersion], Awaitable[None]],
        rejected_share_max: float = REJECTED_SHARE_MAX,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._sealer = sealer
        self._token_keys = token_keys
        self._clock = clock
        self._in_force = in_force
        self._rejected_share_max = rejected_share_max
        self._requests = FeedRequests(engine=engine, vault=sealer.vault, clock=clock)
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)

    async def replace(
        self,
        chunks: AsyncIterable[bytes],
        *,
        feed_format: ListFormat = LISTING,
        allow_empty: bool = False,
        allow_shrink: bool = False,
        allow_rejected: bool = False,
        kind: ChangeKind = ChangeKind.SNAPSHOT,
        progress: Callable[[int], None] = lambda _lines: None,
        terms: FeedTerms = NO_TERMS,
    ) -> FeedReport:
        """Replace the list by the lines of a feed, bytes that are cut anywhere, and return the
        report.

        The list is durable and in force when this returns. `progress` gets the number of lines read
        so far. The bytes must not come from a slow sender, because a transaction is open while they
        are read.

        Raises:
            InvalidRequest: no line, or too few lines, could be accepted (`snapshot_limits`).
            Conflict: the list would shrink too much (`snapshot_limits`), or has moved on from
                `If-Match`.
            IdempotencyKeyReused: the key was used for another request; nothing changed.
            Unavailable: the registry cannot be reached, or the caller is gone; send it again later.
        """
        consent = SnapshotConsent(
            allow_empty=allow_empty, allow_shrink=allow_shrink, allow_rejected=allow_rejected
        )
        try:
            await self._requests.begin(terms)
            async with self._turns:
                terms.require_wanted()
                reader, change, generation = await self._take_in(
                    chunks, feed_format, consent, kind, progress, terms
                )
        except AnsweredBefore as before:
            report, newest = before.report(), await self._requests.version_of(before)
            if newest is not None:
                await self._in_force(newest)
            return report
        except (InvalidRequest, Conflict):
            await self._trim(terms)
            raise
        if generation is not None:
            await self._switch(generation)
        await self._in_force(change)
        # Generations that cannot be swept now go with the next snapshot.
        with suppress(CacheError):
            await self._cache.sweep()
        if reader.rejected_count:
            await self._trim(terms)
        return reader.report(change.version)

    async def _take_in(
        self,
        chunks: AsyncIterable[bytes],
        feed_format: ListFormat,
        consent: SnapshotConsent,
        kind: ChangeKind,
        progress: Callable[[int], None],
        terms: FeedTerms,
    ) -> tuple[SnapshotReader, ListVersion, Generation | None]:
        """Do the whole transaction."""
        with driver_errors():
            async with self._engine.connect() as connection:
                reader = SnapshotReader(connection, self._sealer, feed_format, progress, terms)
                await reader.read(chunks, shanghai_day(self._clock.now()))
                try:
                    refuse_empty(reader.counts, consent, reader.rejected)
                except InvalidRequest:
                    await connection.commit()  # the quarantine, and nothing else
                    raise
                # Not before: no writer waits for the list while lines are read.
                terms.waits()
                await hold_to_commit(connection, Lock.LIST_WRITER)
                await self._requests.admit(connection, terms)
                courts = None
                if terms.courts is not None:
                    kind, courts = ChangeKind.PART, await court_names(connection, terms.courts)
                await self._refuse(connection, reader, courts, consent, terms)
                change = await self._write(connection, reader, kind, courts)
                kept = KeptRequest(lines=0, is_whole=True, report=reader.report(change.version))
                await self._requests.keep(connection, terms, kept)
                generation = await self._build(connection, change)
                await connection.commit()
        return reader, change, generation

    async def _refuse(
        self,
        connection: AsyncConnection,
        reader: SnapshotReader,
        courts: Sequence[str] | None,
        consent: SnapshotConsent,
        terms: FeedTerms,
    ) -> None:
        """Raise for a list that must not replace the list in force. Keep the rejected lines."""
        counting = select(func.count()).where(listing.c.until_version.is_(None))
        if courts is not None:
            counting = counting.where(listing.c.court.in_(courts))
        listed = 0
        if await list_origin(connection) is not ChangeKind.DEMO:
            listed = (await connection.execute(counting)).scalar_one()
        try:
            refuse_shrunk(reader.counts, consent, listed)
            refuse_rejected(reader.counts, consent, reader.rejected, self._rejected_share_max)
        except (Conflict, InvalidRequest) as refusal:
            if isinstance(refusal, Conflict) and terms.keeps_refusals:
                kept = KeptRequest(lines=0, is_whole=True, refused=str(refusal))
                await self._requests.keep(connection, terms, kept)
            await connection.commit()  # the quarantine, the answer, and nothing else
            raise

    async def _trim(self, terms: FeedTerms) -> None:
        with suppress(Unavailable):  # the next transfer trims quarantine then
            await trim(self._engine, terms.account_id)

    async def _write(
        self,
        connection: AsyncConnection,
        reader: SnapshotReader,
        kind: ChangeKind,
        courts: Sequence[str] | None,
    ) -> ListVersion:
        """Write the changes of the snapshot in the registry. The caller holds
        `Lock.LIST_WRITER`.
        """
        now = self._clock.now()
        change = await put_change(
            connection,
            kind=kind,
            at=now,
            accepted=reader.stage.accepted,
            rejected=reader.rejected_count,
        )
        await reader.put_in_force(change.version, shanghai_day(now), courts)
        await write_listing_endings(connection, change)
        row = ChangeRow.of(change, reader.stage.accepted, reader.rejected_count)
        await journal_snapshot(connection, self._sealer.vault, row)
        await refresh_after_snapshot(connection, change.version)
        return change

    async def _build(self, connection: AsyncConnection, change: ListVersion) -> Generation | None:
        """Return the cache's next generation, or None if the cache fails, which delays nothing."""
        try:
            return await build_generation(connection, self._cache, change, self._token_keys)
        except CacheError as error:
            _log.warning("version %d goes without a generation: %s", change.version, error)
            return None

    async def _switch(self, generation: Generation) -> None:
        """Switch to the generation. If that fails, the publisher sees it and builds another one."""
        with suppress(CacheError):
            try:
                await self._cache.switch(generation)
            except BuildRejected:
                await self._cache.give_up(generation)
