"""Proves that every balance follows from the steps: by making each of them again.

Two ways that must agree. Each authorization is led anew through its steps by the moves that are
legal, and has to come by the very same rows. And wherever something was held, the sums that were
reckoned with then are summed again from all rows before it, and must be within the limit of then.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.errors import Conflict
from checker.spending.authorization import Authorization, Step, StepKind
from checker.spending.rows import authorizations_of
from checker.spending.schema import authorization_step
from checker.vault import Vault

FAULTS_SHOWN_MAX: Final = 100
CHUNK_STEPS: Final = 10_000


class SpendingVerification(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified, and the faults: how many, and the first of them in words."""

    authorizations: int
    steps: int
    fault_count: int
    faults: tuple[str, ...]


async def verify_spending(engine: AsyncEngine, vault: Vault) -> SpendingVerification:
    """Verify all steps as they stand at one instant. `engine` is one without a bound on statements.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    authorizations = steps = 0
    faults: list[str] = []
    with driver_errors():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            async for authorization in _authorizations(connection, vault):
                authorizations += 1
                steps += len(authorization.steps)
                fault = fault_of(authorization)
                if fault is not None:
                    faults.append(f"authorization {authorization.opening.id}: {fault}")
            faults += await _false_sums(connection)
    return SpendingVerification(
        authorizations=authorizations,
        steps=steps,
        fault_count=len(faults),
        faults=tuple(faults[:FAULTS_SHOWN_MAX]),
    )


def fault_of(authorization: Authorization) -> str | None:
    """Say what is wrong with the steps of an authorization; None: every one had to be so."""
    opening, first = authorization.opening, authorization.steps[0]
    if first.kind is not StepKind.HELD or first.expires_at is None or first.counted is None:
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


def _led_on(so_far: Authorization, step: Step) -> Authorization:
    match step.kind:
        case StepKind.INCREMENTED if step.expires_at is not None and step.counted is not None:
            return so_far.increment(step.amount_fen, step.at, step.expires_at, step.counted)
        case StepKind.CAPTURED:
            return so_far.capture(step.amount_fen, step.at)
        case StepKind.VOIDED:
            return so_far.void(step.at)
        case StepKind.EXPIRED if so_far.has_lapsed(step.at):
            return so_far.expire(step.at)
        case StepKind.REFUNDED:
            return so_far.refund(step.amount_fen, step.at)
        case _:
            raise Conflict(f"{step.kind} may not stand here")


async def _authorizations(
    connection: AsyncConnection, vault: Vault
) -> AsyncIterator[Authorization]:
    """Read all authorizations, a step at a time."""
    ordered = select(authorization_step).order_by(
        authorization_step.c.authorization_id, authorization_step.c.number
    )
    rows: list[Any] = []
    async for row in await connection.stream(ordered):
        if rows and row.authorization_id != rows[0].authorization_id:
            yield _one(rows, vault)
            rows = []
        rows.append(row)
    if rows:
        yield _one(rows, vault)


def _one(rows: list[Any], vault: Vault) -> Authorization:
    [authorization] = authorizations_of(rows, vault).values()
    return authorization


async def _false_sums(connection: AsyncConnection) -> list[str]:
    newest = (await connection.execute(select(func.max(authorization_step.c.pk)))).scalar_one()
    faults = []
    for after in range(0, newest or 0, CHUNK_STEPS):
        chunk: Mapping[str, int] = {"after": after, "upto": after + CHUNK_STEPS}
        faults += [
            f"authorization {row.authorization_id}: step {row.number} was reckoned with"
            f" {row.held_after_fen} fen held and {row.captured_after_fen} fen captured of"
            f" {row.limit_fen}; the steps before it make {row.held_fen} and {row.captured_fen}"
            for row in await connection.execute(_FALSE_SUMS, chunk)
        ]
    return faults


_FALSE_SUMS = text(
    """
    SELECT counted.authorization_id, counted.number, counted.limit_fen,
           counted.held_after_fen, counted.captured_after_fen,
           derived.held_fen, derived.captured_fen
    FROM authorization_step AS counted
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(step.held_delta), 0)::bigint AS held_fen,
               coalesce(sum(step.captured_delta), 0)::bigint AS captured_fen
        FROM authorization_step AS step
        WHERE step.token IN (
            SELECT substr(counted.counted_tokens, 1 + 16 * place, 16)
            FROM generate_series(0, length(counted.counted_tokens) / 16 - 1) AS place
        )
          AND step.counter = counted.counter
          AND step.counted_at >= counted.counts_from
          AND step.counted_at < counted.counts_until
          AND step.pk <= counted.pk
    ) AS derived
    WHERE counted.pk > :after AND counted.pk <= :upto AND counted.limit_fen IS NOT NULL
      AND (
        derived.held_fen <> counted.held_after_fen
        OR derived.captured_fen <> counted.captured_after_fen
        OR counted.held_after_fen + counted.captured_after_fen > counted.limit_fen
        OR counted.counted_at < counted.counts_from
        OR counted.counted_at >= counted.counts_until
      )
    ORDER BY counted.pk
    """
)
"""Steps that held something by sums that the steps up to them do not make, or past the limit."""
