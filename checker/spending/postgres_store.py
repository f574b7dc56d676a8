"""The record of spending in PostgreSQL.

One transaction serves the orders that came together, by a fixed number of statements:

1. Lock all persons concerned and all idempotency keys, everywhere in the same order. A person is
   locked by every document that is bound to the person.
2. Read the rows, by statements that begin after the locks were given.
3. If a person's documents were bound anew in between, lock that person again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token import Token
from checker.audit.decisions import keep, log_kept
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import Clock, shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.journal.entries import Area, entry_row
from checker.registry.permit_uses import PermitUses
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.registry.standings import find_standings
from checker.spending.answers import KeptAnswer
from checker.spending.authorization import Authorization
from checker.spending.balance import DayTotal
from checker.spending.journaled import steps_of
from checker.spending.rows import authorizations_of, open_of, row_of, totals_of
from checker.spending.schema import authorization_step, idempotency_key
from checker.spending.statements import (
    BRING_UP,
    FORGET_ANSWERS,
    LOCK,
    READ_ANSWERS,
    READ_COUNTED,
    READ_GROUPS,
    READ_STEPS,
)
from checker.spending.store import AnswerKey, LoadedSpending, WantedSpending, WrittenSpending

ANSWER: Final = "idempotency_key.answer"
GROUPS_TRIES_MAX: Final = 5
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeptAnswer).decode


class CountedTogether(Exception):
    """Several of the orders may use permits with counted uses: they must be judged one by one."""


class _Regrouped(Exception):
    """Documents were bound to a person while the locks were taken."""


class PostgresSpendingStore:
    """Keeps authorizations in PostgreSQL; `engine` is one of `opening.open_spending`."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._vault = sealer.vault
        self._clock = clock

    async def transact(
        self, wanted: WantedSpending, judge: Callable[[LoadedSpending], WrittenSpending]
    ) -> None:
        """Keep the contract of `SpendingStore.transact`.

        Raises:
            Unavailable: PostgreSQL is away, or a lock is not released in time.
            CountedTogether: the orders must be judged one by one.
        """

        async def work(connection: AsyncConnection) -> None:
            for _ in range(GROUPS_TRIES_MAX):
                try:
                    return await self._transact(connection, wanted, judge)
                except _Regrouped:
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
    ) -> None:
        groups = await _lock(connection, wanted)
        loaded, uses = await self._load(connection, wanted, groups)
        written = judge(loaded)
        if not (written.moved or written.decisions or written.answers or written.uses):
            return
        for use in written.uses:
            assert uses is not None, "only a permit that was loaded is used"
            uses.claim(use.permit, use.claim)
        if uses is not None:
            await uses.write(connection, self._vault, loaded.now)
        await keep(connection, written.decisions)
        if written.moved:
            await self._put_steps(connection, written.moved)
        if written.answers:
            await connection.execute(insert(idempotency_key), self._answer_rows(written, loaded))
        await connection.commit()
        log_kept(written.decisions)

    async def _put_steps(self, connection: AsyncConnection, moved: Sequence[Authorization]) -> None:
        """Add the newest step of each, and bring up what follows from the steps."""
        rows = [row_of(each, self._vault) for each in moved]
        await connection.execute(insert(authorization_step), rows)
        entry = entry_row(self._vault, Area.SPENDING, steps_of(moved, rows, self._vault))
        await connection.execute(BRING_UP, totals_of(moved) | open_of(moved) | entry)

    async def _load(
        self,
        connection: AsyncConnection,
        wanted: WantedSpending,
        groups: Mapping[Token, frozenset[Token]],
    ) -> tuple[LoadedSpending, PermitUses | None]:
        now = self._clock.now()
        authorizations = await self._authorizations(connection, wanted.ids)
        sought = {
            place: (authorize.check.subject, authorize.claim)
            for place, authorize in wanted.authorizes.items()
        } | {
            place: (
                PreparedSubject(token=authorizations[increment.id].opening.token),
                increment.claim,
            )
            for place, increment in wanted.increments.items()
            if increment.id in authorizations
        }
        version, standings, uses = await self._standings(connection, sought)
        tokens = {each for subject, _ in sought.values() for each in groups[subject.token]}
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
            groups=groups,
            authorizations=authorizations | lapsed,
            lapsed=tuple(lapsed.values()),
            totals=totals,
            answers=await self._answers(connection, wanted.keys),
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
    ) -> tuple[int | None, dict[int, Standing], PermitUses | None]:
        if not sought:
            return None, {}, None
        subjects = [subject for subject, _ in sought.values()]
        claims = [claim for _, claim in sought.values()]
        findings = await find_standings(connection, self._sealer, subjects, claims=claims)
        version = None if findings.version is None else findings.version.version
        standings = dict(zip(sought, findings.standings, strict=True))
        counted = {
            place: {permit.id for permit in standing.permits if permit.is_counted}
            for place, standing in standings.items()
        }
        counted = {place: ids for place, ids in counted.items() if ids}
        if len(counted) > 1:
            raise CountedTogether
        uses = None
        for place, ids in counted.items():
            _, claim = sought[place]
            uses = await PermitUses.lock(connection, ids, {claim})
            standings[place] = uses.left_in(standings[place], claim)
        return version, standings, uses

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
                token=Token(row.token),
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

    async def _answers(
        self, connection: AsyncConnection, keys: Collection[AnswerKey]
    ) -> dict[AnswerKey, KeptAnswer]:
        parameters = {
            "accounts": [account_id for account_id, _ in keys],
            "keys": [key for _, key in keys],
        }
        rows = (await connection.execute(READ_ANSWERS, parameters)).all()
        return {(row.account_id, Token(row.key_digest)): self._opened(row) for row in rows}

    def _opened(self, row: Row[Any]) -> KeptAnswer:
        place = (row.account_id, row.key_digest.hex())
        return _decode(self._vault.open(row.answer, ANSWER, *place).encode())

    def _answer_rows(
        self, written: WrittenSpending, loaded: LoadedSpending
    ) -> list[dict[str, Any]]:
        return [
            {
                "account_id": account_id,
                "key_digest": key,
                "answer": self._vault.seal(_encode(answer).decode(), ANSWER, account_id, key.hex()),
                "at": loaded.now,
            }
            for (account_id, key), answer in written.answers.items()
        ]


async def _lock(
    connection: AsyncConnection, wanted: WantedSpending
) -> dict[Token, frozenset[Token]]:
    """Lock all persons and keys concerned. Return for each document's token those of its person."""
    before = await _groups(connection, wanted)
    locked = {token for group in before.values() for token in group}
    numbers = {_number(token) for token in locked}
    numbers |= {_number(key) for _, key in wanted.keys}
    await connection.execute(LOCK, {"numbers": sorted(numbers)})
    groups = await _groups(connection, wanted)
    if not locked.issuperset(token for group in groups.values() for token in group):
        raise _Regrouped
    return groups


async def _groups(
    connection: AsyncConnection, wanted: WantedSpending
) -> dict[Token, frozenset[Token]]:
    parameters = {
        "tokens": [each.check.subject.token for each in wanted.authorizes.values()],
        "ids": list(wanted.ids),
    }
    found: dict[Token, set[Token]] = {}
    for row in await connection.execute(READ_GROUPS, parameters):
        found.setdefault(Token(row.asked), set()).add(Token(row.source))
    return {token: frozenset(group) for token, group in found.items()}


def _number(token: bytes) -> int:
    """Return the number of a token's lock. Two tokens with one lock only wait for each other."""
    return int.from_bytes(token[:8], "big", signed=True)
