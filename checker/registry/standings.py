"""Asks the registry what the list says of somebody: the record itself, with listings and names.

One statement reads the version, the links and the permits, so that they belong to the same instant;
what stood at a past version is read in the same way (`checker.registry.standing_rows`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import attempt, driver_errors
from checker.database.token_column import KeyWatch
from checker.domain.standing import NOT_LISTED, Standing
from checker.errors import Unavailable
from checker.registry.found_document import FoundDocument, Trace, found_document
from checker.registry.lost_changes import SET_BACK
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.registry.several_documents import one_standing
from checker.registry.standing_rows import NOW, THEN
from checker.registry.versions import ListVersion

_FOREVER = datetime.max.replace(tzinfo=UTC)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """One standing a subject, and the version of the list that they were read from.

    `traces` has the ways of the listings to each subject. Without a version there was no list, and
    the standings say nothing.
    """

    version: ListVersion | None
    standings: tuple[Standing, ...]
    traces: tuple[Sequence[Trace], ...]


async def find_standings(
    registry: AsyncEngine | AsyncConnection,
    sealer: Sealer,
    subjects: Sequence[PreparedSubject],
    *,
    claims: Sequence[bytes | None] | None = None,
    version: int | None = None,
    used_until: datetime | None = None,
) -> Findings:
    """Return all links and permits of each subject, whatever day they hold on.

    `claims` has one claim for each subject, or None: uses of a permit under this claim do not count
    against the sale itself. With `version`, return the links and permits in force then, and count
    the uses of permits until `used_until`. A connection reads within its transaction, and its owner
    handles the errors. An engine reads in a transaction of its own.

    Raises:
        Unavailable: PostgreSQL is away or too slow (with an engine); or the present list is set
            back to an older state (`checker.registry.lost_changes`).
        TokenKeyReplaced: the connection has no transaction, and the token key was replaced
            meanwhile. So nobody would be found.
    """
    # Arrays: the protocol has room for 32 767 parameters, a batch for 50 000 tokens.
    tokens = {token for subject in subjects for token in sealer.tokens_of(subject)}
    parameters: dict[str, Any] = {
        "tokens": list(tokens),
        "claims": list({claim for claim in claims or () if claim is not None}),
    }
    statement = NOW
    if version is not None:
        statement = THEN
        parameters |= {"version": version, "used_until": used_until or _FOREVER}
    if isinstance(registry, AsyncEngine):
        with driver_errors():
            rows = await attempt(registry, partial(_read, statement, parameters))
    else:
        rows = await _read(statement, parameters, registry)
    if not rows:
        nothing = len(subjects)
        return Findings(version=None, standings=(NOT_LISTED,) * nothing, traces=((),) * nothing)
    if version is None and rows[0]["is_set_back"]:
        raise Unavailable(SET_BACK)
    by_token: dict[bytes, list[Any]] = {}
    for row in rows:
        if row["asked"] is not None:
            by_token.setdefault(row["asked"], []).append(row)
    found = [
        _found(subject, claim, by_token, sealer)
        for subject, claim in zip(subjects, claims or repeat(None), strict=False)
    ]
    return Findings(
        version=ListVersion.of(rows[0]),
        standings=tuple([standing for standing, _ in found]),
        traces=tuple([traces for _, traces in found]),
    )


async def _read(
    statement: Select[Any], parameters: Mapping[str, Any], connection: AsyncConnection
) -> Sequence[RowMapping]:
    watch = KeyWatch(connection)
    rows: Sequence[RowMapping] = (await connection.execute(statement, parameters)).mappings().all()
    if rows:
        watch.require(rows[0]["token_key"])
    return rows


def _found(
    subject: PreparedSubject,
    claim: bytes | None,
    by_token: dict[bytes, list[Any]],
    sealer: Sealer,
) -> tuple[Standing, Sequence[Trace]]:
    if not subject.also and not subject.is_unknowable:
        one = _found_document(subject, claim, by_token, sealer)
        return Standing(links=tuple(one.links), permits=tuple(one.permits)), one.traces
    found = [_found_document(each, claim, by_token, sealer) for each in subject.of_each_document]
    standing = one_standing(found, is_unknowable=subject.is_unknowable)
    return standing, tuple(trace for each in found for trace in each.traces)


def _found_document(
    subject: PreparedSubject,
    claim: bytes | None,
    by_token: dict[bytes, list[Any]],
    sealer: Sealer,
) -> FoundDocument:
    rows = [row for token in sealer.tokens_of(subject) for row in by_token.get(token, ())]
    return found_document(subject, claim, rows, sealer) if rows else FoundDocument()
