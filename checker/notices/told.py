"""Finds the decisions that endings lift, and writes the notices of their institutions.

The caller holds `Lock.NOTICE_WRITER`. So the numbers of notices grow in the order of their commits,
and a reader who has read up to a number misses no notice before the number.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.decisions import new_id
from checker.audit.held_up import open_traces
from checker.domain.service import ServiceType
from checker.notices.ending import (
    DecisionOnListing,
    Ending,
    Heard,
    ReasonOfDecision,
    is_news,
    lifts,
)
from checker.notices.event import DECISIONS_MAX, event_text
from checker.notices.schema import notice
from checker.vault import Vault

ENDINGS_AT_ONCE: Final = 200
"""Endings whose decisions are held in memory together."""

_DECISIONS: Final = text(
    """
SELECT e.place, d.id, d.account_id, d.service, d.permit_id, d.reasons,
       CASE WHEN e.is_of_document THEN d.subject END AS subject
FROM unnest(CAST(:listings AS text[]), CAST(:versions AS bigint[]),
            CAST(:instants AS timestamptz[]), CAST(:of_document AS boolean[]))
    WITH ORDINALITY AS e(listing_id, before_version, before_at, is_of_document, place)
JOIN decision d ON d.listings @> ARRAY[e.listing_id]
WHERE d.account_id IS NOT NULL AND (d.list_version < e.before_version OR d.at < e.before_at)
ORDER BY e.place, d.account_id, d.id
"""
)

_HEARD: Final = text(
    """
SELECT account_id, listing_id, ending, is_final, decision_ids FROM notice
WHERE listing_id = ANY(CAST(:listings AS text[]))
"""
)

# An account without an endpoint reads the feed. The endpoint's row is locked, because it could be
# removed before the commit.
_SEND: Final = text(
    """
INSERT INTO delivery (notice_pk, account_id, listing_id, next_at)
SELECT n.pk, n.account_id, n.listing_id, :now
FROM notice n JOIN webhook w ON w.account_id = n.account_id
WHERE n.id = ANY(CAST(:ids AS uuid[]))
FOR KEY SHARE OF w
"""
)


async def write_notices(
    connection: AsyncConnection, endings: Sequence[Ending], now: datetime, vault: Vault
) -> int:
    """Write the notices of endings, in the order of the endings; return their number.

    A decision that has a notice of an ending, or of an earlier final ending, gets no further one.
    """
    written = 0
    for start in range(0, len(endings), ENDINGS_AT_ONCE):
        some = endings[start : start + ENDINGS_AT_ONCE]
        decisions = await _decisions(connection, some, vault)
        heard = await _heard(connection, some)
        rows = list(_notices(some, decisions, heard, now))
        if rows:
            await connection.execute(insert(notice), rows)
            await connection.execute(_SEND, {"now": now, "ids": [row["id"] for row in rows]})
        written += len(rows)
    return written


async def _decisions(
    connection: AsyncConnection, endings: Sequence[Ending], vault: Vault
) -> dict[int, list[DecisionOnListing]]:
    """Return the decisions that name each ending's listing, by the place of the ending.

    Decisions stand in the order of account and id.
    """
    parameters = {
        "listings": [ending.listing_id for ending in endings],
        "versions": [ending.before_version for ending in endings],
        "instants": [ending.before_at for ending in endings],
        "of_document": [ending.documents is not None for ending in endings],
    }
    found: dict[int, list[DecisionOnListing]] = {}
    for row in await connection.execute(_DECISIONS, parameters):
        place = row.place - 1
        found.setdefault(place, []).append(_read(row, endings[place].listing_id, vault))
    return found


def _read(row: Any, listing_id: str, vault: Vault) -> DecisionOnListing:
    about = [
        reason
        for reason in row.reasons
        if reason["listing"] is not None and reason["listing"]["id"] == listing_id
    ]
    return DecisionOnListing(
        decision_id=str(row.id),
        account_id=row.account_id,
        service=ServiceType(row.service),
        permitted=row.permit_id is not None,
        reasons=msgspec.convert(about, list[ReasonOfDecision]),
        documents=frozenset(
            each.document
            for each in open_traces(vault, str(row.id), row.subject)
            if each.listing_id == listing_id
        ),
    )


async def _heard(
    connection: AsyncConnection, endings: Sequence[Ending]
) -> dict[tuple[str, str], list[Heard]]:
    """Return the notices that were written already, by account and listing."""
    listings = sorted({ending.listing_id for ending in endings})
    found: dict[tuple[str, str], list[Heard]] = {}
    for row in await connection.execute(_HEARD, {"listings": listings}):
        one = Heard(
            key=row.ending,
            is_final=row.is_final,
            decision_ids=frozenset(map(str, row.decision_ids)),
        )
        found.setdefault((row.account_id, row.listing_id), []).append(one)
    return found


def _notices(
    endings: Sequence[Ending],
    decisions: dict[int, list[DecisionOnListing]],
    heard: dict[tuple[str, str], list[Heard]],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """Return the rows of notices; each row counts as heard for the endings after it."""
    for place, ending in enumerate(endings):
        of_ending = decisions.get(place, ())
        for account_id, of_account in groupby(of_ending, lambda each: each.account_id):
            known = heard.setdefault((account_id, ending.listing_id), [])
            news = [
                each
                for each in of_account
                if lifts(ending, each) and is_news(ending, each.decision_id, known)
            ]
            for shows_listing in (True, False):
                ids = [each.decision_id for each in news if each.showed_listing is shows_listing]
                for start in range(0, len(ids), DECISIONS_MAX):
                    part = ids[start : start + DECISIONS_MAX]
                    known.append(_hears(ending, part))
                    yield _row(ending, account_id, part, now, shows_listing=shows_listing)


def _hears(ending: Ending, decision_ids: list[str]) -> Heard:
    return Heard(key=ending.key, is_final=ending.is_final, decision_ids=frozenset(decision_ids))


def _row(
    ending: Ending,
    account_id: str,
    decision_ids: list[str],
    now: datetime,
    *,
    shows_listing: bool,
) -> dict[str, Any]:
    notice_id = new_id()
    return {
        "id": notice_id,
        "account_id": account_id,
        "listing_id": ending.listing_id,
        "ending": ending.key,
        "is_final": ending.is_final,
        "decision_ids": decision_ids,
        "event": event_text(
            ending, decision_ids, event_id=notice_id, now=now, shows_listing=shows_listing
        ),
        "at": now,
    }
