"""The steps of a large batch, cut into slices. Between two slices the event loop serves others.

A step that reads the list reads the version with every slice, so all slices of one answer are of
one version. If the list moves on in between, the step begins again. Knows no HTTP.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from cache.changes import Position
from cache.leased_replica import Absence
from cache.replica_keeper import ReplicaKeeper
from cache.token import Token
from checker.audit.decisions import KeptDecision, keep
from checker.checks.turns import Pace, slices
from checker.domain.standing import Standing
from checker.registry.found_document import Trace
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings, find_standings

SLICE_CHECKS = 50
"""Items of a slice that are read or answered one by one: 1 ms, at 20 µs each."""

SLICE_LISTED = 20
"""Checks of a slice that finds, decides or keeps: 2 ms, at 0.1 ms a listed person."""

SLICE_TOKENS = 1_000
"""Tokens that the filter is asked about in one slice: 0.2 ms."""

TOGETHER_MAX = 200
"""Checks that one statement reads or keeps. A group of single checks is not cut."""

ATTEMPTS_MAX = 3
"""Attempts of a step while the list moves on. After them the caller takes another way."""

SoughtCheck: TypeAlias = tuple[PreparedCheck, str | None]
"""A check and the id of the account that asks; None: asked on the command line."""

_I = TypeVar("_I")
_T = TypeVar("_T")


def claim_of(sealer: Sealer, sought: SoughtCheck) -> Token | None:
    """Return the claim of a check on a counted permit; None: the check has no reference.

    The same order of the same account for one service has the same claim.
    """
    check, account_id = sought
    if check.reference is None:
        return None
    return sealer.sale_token(account_id, check.reference, check.service)


async def each_of(
    items: Sequence[_I], work: Callable[[_I], _T], pace: Pace, *, size: int = SLICE_LISTED
) -> list[_T]:
    """Return `work` of each item, in order; `size` items are one slice."""
    done: list[_T] = []
    for part in slices(items, size):
        if done:
            await pace()
        done += map(work, part)
    return done


async def ask_replica(
    replica: ReplicaKeeper, tokens: Sequence[Token], pace: Pace
) -> Absence | None:
    """Return the replica's answer about the tokens of a batch, on one version.

    Return None if the replica has no lease, or the list moved on in every attempt.
    """
    for _ in range(ATTEMPTS_MAX):
        position: Position | None = None
        maybes: list[int] = []
        # Without a token the position alone is asked for.
        for start in range(0, max(len(tokens), 1), SLICE_TOKENS):
            await pace()
            absence = replica.ask_about_many(tokens[start : start + SLICE_TOKENS])
            if absence is None:
                return None
            if position is not None and absence.position != position:
                break
            position = absence.position
            maybes += [start + index for index in absence.maybes]
        else:
            assert position is not None, "a batch has checks"
            return Absence(position, tuple(maybes))
    return None


async def find_in_slices(
    connection: AsyncConnection, sealer: Sealer, sought: Sequence[SoughtCheck], pace: Pace
) -> Findings:
    """Return the standings of a batch on one version, read in the connection's transaction.

    Up to `TOGETHER_MAX` checks are read by one statement.
    """
    if len(sought) <= TOGETHER_MAX:
        return await _find(connection, sealer, sought)
    for _ in range(ATTEMPTS_MAX):
        first: Findings | None = None
        standings: list[Standing] = []
        traces: list[Sequence[Trace]] = []
        for part in slices(sought, SLICE_LISTED):
            await pace()
            found = await _find(connection, sealer, part)
            first = first or found
            if found.version != first.version:
                break
            standings += found.standings
            traces += found.traces
        else:
            assert first is not None, "a batch has checks"
            return Findings(version=first.version, standings=tuple(standings), traces=tuple(traces))
    return await _find(connection, sealer, sought)


async def _find(
    connection: AsyncConnection, sealer: Sealer, sought: Sequence[SoughtCheck]
) -> Findings:
    subjects = [check.subject for check, _ in sought]
    claims = [claim_of(sealer, each) for each in sought]
    return await find_standings(connection, sealer, subjects, claims=claims)


async def keep_each(
    connection: AsyncConnection,
    places: Sequence[int],
    kept_at: Callable[[int], KeptDecision | None],
    pace: Pace,
) -> list[KeptDecision | None]:
    """Keep the decision that `kept_at` returns for each place, commit, and return them in order."""
    kept: list[KeptDecision | None] = []
    size = SLICE_LISTED if len(places) > TOGETHER_MAX else TOGETHER_MAX
    for part in slices(places, size):
        some = await each_of(part, kept_at, pace)
        await keep(connection, [each for each in some if each is not None])
        kept += some
        if len(kept) < len(places):
            await pace()
    if any(each is not None for each in kept):
        await connection.commit()
    return kept
