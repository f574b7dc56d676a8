"""The record of spending in PostgreSQL.

One transaction serves the orders that came together, by a fixed number of statements:

1. Lock all persons concerned and all idempotency keys. A person is locked by every document that is
   bound to the person. A transaction that waits takes the locks in the same order as all others. A
   transaction that does not wait takes the free locks, and sets the other orders aside.
2. Read the rows, by statements that begin after the locks were given.
3. If a person's documents were bound anew in between, lock that person again.
4. Write all rows by one statement.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token import Token
from checker.audit.decisions import log_kept, rows_of
from checker.database.engine import attempt, driver_errors
from checker.database.token_column import keys_of
from checker.domain.clock import Clock, shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.group_commit import CommitAlone
from checker.journal.entries import Area, entry_row
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.registry.permit_uses import PermitUses
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.registry.standings import find_standings
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.journaled import steps_of
from checker.spending.locks import LockedOrders, Regrouped, lock_orders
from checker.spending.persons import counted_documents, subject_of
from checker.spending.rows import authorizations_of, open_of, row_of, stored_row, totals_of
from checker.spending.statements import (
    FORGET_ANSWERS,
    PUT,
    READ_COUNTED,
    READ_STEPS,
)
from checker.spending.store import (
    AnswerKey,
    LoadedSpending,
    WantedSpending,
    WrittenSpending,
)

ANSWER: Final = "idempotency_key.answer"
GROUPS_TRIES_MAX: Final = 5
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeptAnswer).decode


class PostgresSpendingStore:
    """Keeps authorizations in PostgreSQL; `engine` is one of `opening.open_spending`."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._vault = sealer.vault
        self._clock = clock

    async def transact(
        self,
        wanted: WantedSpending,
        judge: Callable[[LoadedSpending], WrittenSpending],
        *,
        waits: bool,
    ) -> None:
        """Keep the contract of `SpendingStore.transact`."""

        async def work(connection: AsyncConnection) -> None:
            for _ in range(GROUPS_TRIES_MAX):
                try:
                    return await self._transact(connection, wanted, judge, waits)
                except Regrouped:
                    await connection.rollback()
            raise Unavailable("the person's documents change faster than they can be locked")

        with driver_errors():
            await attempt(self._engine, work)

    async def find(self, authorization_id: str) -> Authorization | None:
        """Return an authorization, or None. Raises Unavailable."""

        async def read(connection: AsyncConnection) -> dict[str, Authorization]:
            return await self._authorizations(connection, [authorization_id])

        with driver_errors():
            return (await attempt(self._engine, read)).get(authorization_id)

    async def forget_answers(self, before: datetime) -> None:
        """Delete the answers that were kept before an instant. Raises Unavailable."""
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(FORGET_ANSWERS, {"before": before})

    async def _transact(
        self,
        connection: AsyncConnection,
        wanted: WantedSpending,
        judge: Callable[[LoadedSpending], WrittenSpending],
        waits: bool,
    ) -> None:
        locked = await lock_orders(connection, wanted, self._vault, waits)
        loaded, uses = await self._load(connection, locked, waits)
        written = judge(loaded)
        if not (written.moved or written.decisions or written.answers or written.uses):
            return
        for use in written.uses:
            assert uses is not None, "only a permit that was loaded is used"
            uses.claim(use.permit, use.claim)
        if uses is not None:
            await uses.write(connection, self._vault, loaded.now)
        stored = keys_of(connection).current.stored
        await connection.execute(PUT, self._put_parameters(written, loaded.now, stored))
        await connection.commit()
        log_kept(written.decisions)

    def _put_parameters(
        self, written: WrittenSpending, now: datetime, stored: Callable[[bytes], bytes]
    ) -> dict[str, Any]:
        moved = written.moved
        steps = [row_of(each, self._vault) for each in moved]
        entry = entry_row(self._vault, Area.SPENDING, steps_of(moved, steps, self._vault))
        return {
            "decisions": rows_of(written.decisions),
            "steps": _encode([stored_row(row, stored) for row in steps]).decode(),
            "answer_accounts": [account_id for account_id, _ in written.answers],
            "answer_keys": [key for _, key in written.answers],
            "answers": [self._sealed(*each) for each in written.answers.items()],
            "answered_at": now,
            **totals_of(moved),
            **open_of(moved),
            **entry,
        }

    async def _load(
        self, connection: AsyncConnection, locked: LockedOrders, waits: bool
    ) -> tuple[LoadedSpending, PermitUses | None]:
        now = self._clock.now()
        wanted = locked.wanted
        authorizations = await self._authorizations(connection, {*wanted.ids.values()})
        sought = {
            place: (authorize.check.subject, authorize.claim)
            for place, authorize in wanted.authorizes.items()
        } | {
            place: (
                subject_of(authorizations[increment.id]),
                increment.claim,
            )
            for place, increment in wanted.increments.items()
            if increment.id in authorizations
        }
        version, standings, traces = await self._standings(connection, sought)
        uses, together = await self._uses(connection, wanted, sought, standings, waits)
        persons = {
            place: locked.bindings.person(counted_documents(subject, traces[place]).values())
            for place, (subject, _) in sought.items()
        }
        tokens = {document.token for person in persons.values() for document in person}
        counters = wanted.counters | {
            authorizations[each.id].opening.counter
            for each in wanted.increments.values()
            if each.id in authorizations
        }
        since = shanghai_day(wanted.since(now, authorizations))
        totals, lapsed = await self._totals(connection, tokens, counters, since, now)
        loaded = LoadedSpending(
            now=now,
            list_version=version,
            standings=standings,
            persons=persons,
            authorizations=authorizations | lapsed,
            lapsed=tuple(lapsed.values()),
            totals=totals,
            answers={
                (row.account_id, Token(row.key_digest)): self._opened(row) for row in locked.answers
            },
            set_aside=locked.set_aside | together,
            traces=traces,
        )
        return loaded, uses

    async def _authorizations(
        self, connection: AsyncConnection, ids: Collection[str]
    ) -> dict[str, Authorization]:
        if not ids:
            return {}
        rows = (await connection.execute(READ_STEPS, {"ids": list(ids)})).all()
        return authorizations_of(rows, self._vault)

    async def _standings(
        self, connection: AsyncConnection, sought: Mapping[int, tuple[PreparedSubject, bytes]]
    ) -> tuple[int | None, dict[int, Standing], dict[int, Sequence[Trace]]]:
        if not sought:
            return None, {}, {}
        subjects = [subject for subject, _ in sought.values()]
        claims = [claim for _, claim in sought.values()]
        findings = await find_standings(connection, self._sealer, subjects, claims=claims)
        version = None if findings.version is None else findings.version.version
        standings = dict(zip(sought, findings.standings, strict=True))
        return version, standings, dict(zip(sought, findings.traces, strict=True))

    async def _uses(
        self,
        connection: AsyncConnection,
        wanted: WantedSpending,
        sought: Mapping[int, tuple[PreparedSubject, bytes]],
        standings: dict[int, Standing],
        waits: bool,
    ) -> tuple[PermitUses | None, frozenset[int]]:
        """Lock the counted permits of an order that is alone, and count their uses.

        Return the places of such orders if they have company: the lock of a permit may have to be
        waited for, and one order changes what is left for the next.
        """
        counted = {
            place: {permit.id for permit in standing.permits if permit.is_counted}
            for place, standing in standings.items()
        }
        counted = {place: ids for place, ids in counted.items() if ids}
        if counted and len(wanted.keys) > 1:
            if waits:
                raise CommitAlone
            return None, frozenset(counted)
        uses = None
        for place, ids in counted.items():
            _, claim = sought[place]
            uses = await PermitUses.lock(connection, ids, {claim})
            standings[place] = uses.left_in(standings[place], claim)
        return uses, frozenset()

    async def _totals(
        self,
        connection: AsyncConnection,
        tokens: Collection[Token],
        counters: Collection[Jurisdiction],
        since: date,
        now: datetime,
    ) -> tuple[list[DayTotal], dict[str, Authorization]]:
        if not tokens or not counters:
            return [], {}
        parameters: dict[str, Any] = {"tokens": list(tokens), "counters": list(counters)}
        parameters |= {"since": since, "now": now}
        rows = (await connection.execute(READ_COUNTED, parameters)).all()
        totals = [
            DayTotal(
                document=DocumentKey(Token(row.token), row.issuer),
                counter=Jurisdiction(row.counter),
                day=row.day,
                held_fen=row.held_fen,
                captured_fen=row.captured_fen,
            )
            for row in rows
            if row.lapsed_id is None
        ]
        lapsed = [str(row.lapsed_id) for row in rows if row.lapsed_id is not None]
        return totals, await self._authorizations(connection, lapsed)

    def _opened(self, row: Row[Any]) -> KeptAnswer:
        place = (row.account_id, row.key_digest.hex())
        return _decode(self._vault.open(row.answer, ANSWER, *place).encode())

    def _sealed(self, key: AnswerKey, answer: KeptAnswer) -> bytes:
        account_id, digest = key
        return self._vault.seal(_encode(answer).decode(), ANSWER, account_id, digest.hex())
