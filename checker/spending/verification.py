"""Proves that every balance follows from the steps, by making each balance again.

Three comparisons must agree:

1. Each authorization is made again through its steps by the legal moves. The rows must be the same.
2. Wherever an amount was held, the sums of that time are summed again from all earlier rows. They
   must be the kept sums, and within the limit of that time.
3. The sums and open holds that every order reads must be those that all steps make together.

The steps are read by document, so that memory holds the steps of one person at a time.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token import TOKEN_BYTES, Token
from checker.database.engine import driver_errors
from checker.domain.clock import shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.errors import Conflict
from checker.journal.faults import FAULTS_SHOWN_MAX
from checker.registry.document_key import DocumentKey
from checker.spending.authorization import Authorization, SpendingStep, SpendingStepKind
from checker.spending.balance import DayTotal, SumsByDay
from checker.spending.rows import authorizations_of, counted_of, tokens_of
from checker.spending.schema import authorization_step
from checker.spending.statements import FALSE_OPEN, FALSE_TOTALS
from checker.vault import Vault

_step = authorization_step.c


class SpendingVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of verified rows, the number of faults, and the first faults in words."""

    authorizations: int
    steps: int
    fault_count: int
    faults: tuple[str, ...]


async def verify_spending(engine: AsyncEngine, vault: Vault) -> SpendingVerification:
    """Verify all steps as they stand at one instant, and return the result.

    `engine` is one without a bound on statements.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    authorizations = steps = 0
    faults: list[str] = []
    with driver_errors():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            bound = await _bound_tokens(connection)
            by_document = select(authorization_step).order_by(_step.token, _step.pk)
            async for rows in _by_token(connection, by_document):
                found = _verify_authorizations(rows, vault)
                authorizations += len(found)
                steps += len(rows)
                faults += [fault for fault in found.values() if fault is not None]
                if rows[0].token not in bound:
                    faults += false_sums(rows)
            faults += await _false_sums_of_bound(connection, bound)
            faults += await _false_projections(connection)
    return SpendingVerification(
        authorizations=authorizations,
        steps=steps,
        fault_count=len(faults),
        faults=tuple(faults[:FAULTS_SHOWN_MAX]),
    )


def fault_of(authorization: Authorization) -> str | None:
    """Return the first fault in the steps of an authorization, or None if there is no fault."""
    opening, first = authorization.opening, authorization.steps[0]
    if first.kind is not SpendingStepKind.HELD or first.expires_at is None or first.counted is None:
        return "step 1 holds nothing"
    so_far = Authorization.hold(opening, first.amount_fen, first.expires_at, first.counted)
    for step in authorization.steps:
        if step.number > 1:
            try:
                so_far = _led_on(so_far, step)
            except Conflict as error:
                return f"step {step.number} is no legal move: {error}"
        if so_far.steps[-1] != step:
            return f"step {step.number} is not what its move makes"
    return None


def _led_on(so_far: Authorization, step: SpendingStep) -> Authorization:
    match step.kind:
        case SpendingStepKind.INCREMENTED if (
            step.expires_at is not None and step.counted is not None
        ):
            return so_far.increment(step.amount_fen, step.at, step.expires_at, step.counted)
        case SpendingStepKind.CAPTURED:
            return so_far.capture(step.amount_fen, step.at)
        case SpendingStepKind.VOIDED:
            return so_far.void(step.at)
        case SpendingStepKind.EXPIRED if so_far.has_lapsed(step.at):
            return so_far.expire(step.at)
        case SpendingStepKind.REFUNDED:
            return so_far.refund(step.amount_fen, step.at)
        case _:
            raise Conflict(f"{step.kind} may not stand here")


class SpendingSums:
    """Sums rows in their order, and finds rows that were held by other sums."""

    def __init__(self) -> None:
        self._sums = SumsByDay()

    def fault_at(self, row: Any) -> str | None:
        """Add a row. Return its fault, or None if its kept sums are the sums of the rows so far."""
        day, counter = shanghai_day(row.counted_at), Jurisdiction(row.counter)
        self._sums.add(
            DayTotal(
                document=DocumentKey(Token(row.token), row.issuer),
                counter=counter,
                day=day,
                held_fen=row.held_delta,
                captured_fen=row.captured_delta,
            )
        )
        if row.limit_fen is None:
            return None
        since, until = shanghai_day(row.counts_from), shanghai_day(row.counts_until)
        sums = [
            total
            for each, total in self._sums.of(counted_of(row), counter)
            if since <= each < until
        ]
        held_fen = sum(held for held, _ in sums)
        captured_fen = sum(captured for _, captured in sums)
        is_true = (held_fen, captured_fen) == (row.held_after_fen, row.captured_after_fen)
        if is_true and held_fen + captured_fen <= row.limit_fen and since <= day < until:
            return None
        return (
            f"authorization {row.authorization_id}: step {row.number} was reckoned with"
            f" {row.held_after_fen} fen held and {row.captured_after_fen} fen captured of"
            f" {row.limit_fen}; the steps up to it make {held_fen} and {captured_fen}"
        )


def false_sums(rows: Iterable[Any]) -> list[str]:
    """Return the faults of rows, given in their order, whose kept sums differ from the sums so
    far.
    """
    sums = SpendingSums()
    return [fault for row in rows if (fault := sums.fault_at(row)) is not None]


def _verify_authorizations(rows: Sequence[Any], vault: Vault) -> dict[str, str | None]:
    """Return for each authorization of one document its fault, or None."""
    found: dict[str, str | None] = {}
    ordered = sorted(rows, key=lambda row: (str(row.authorization_id), row.number))
    for authorization_id, group in groupby(ordered, key=lambda row: str(row.authorization_id)):
        of_one = list(group)
        fault: str | None = "it has no first step"
        if of_one[0].number == 1:
            fault = fault_of(authorizations_of(of_one, vault)[authorization_id])
        named = None if fault is None else f"authorization {authorization_id}: {fault}"
        found[authorization_id] = named
    return found


async def _by_token(connection: AsyncConnection, ordered: Any) -> AsyncIterator[list[Any]]:
    """Yield the rows of one document at a time, from rows that come by document."""
    rows: list[Any] = []
    async for row in await connection.stream(ordered):
        if rows and row.token != rows[0].token:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


async def _bound_tokens(connection: AsyncConnection) -> set[Token]:
    """Return the documents that were ever counted together with others."""
    together = (
        select(_step.counted_tokens)
        .where(func.length(_step.counted_tokens) > TOKEN_BYTES)
        .distinct()
    )
    packed = (await connection.execute(together)).scalars()
    return {token for each in packed for token in tokens_of(each)}


async def _false_sums_of_bound(connection: AsyncConnection, bound: set[Token]) -> list[str]:
    """Sum all documents that were ever bound together, because their binding has changed in
    time.
    """
    if not bound:
        return []
    of_bound = select(authorization_step).where(_step.token.in_(bound)).order_by(_step.pk)
    sums = SpendingSums()
    stream = await connection.stream(of_bound)
    return [fault async for row in stream if (fault := sums.fault_at(row)) is not None]


async def _false_projections(connection: AsyncConnection) -> list[str]:
    totals = await connection.execute(FALSE_TOTALS)
    faults = [
        f"a sum on the counter {row.counter} of {row.day} is kept as {row.kept_held_fen} fen held"
        f" and {row.kept_captured_fen} captured; its steps make {row.held_fen} and"
        f" {row.captured_fen}"
        for row in totals
    ]
    holds = await connection.execute(FALSE_OPEN)
    return faults + [
        f"authorization {row.authorization_id}: its open hold is kept as {row.kept_held_fen} fen"
        f" until {row.kept_until}; its steps make {row.held_fen} until {row.until}"
        for row in holds
    ]
