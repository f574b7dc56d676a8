"""Turns authorizations into rows of steps, and rows into authorizations; references are sealed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from cache.token import TOKEN_BYTES, Token
from checker.domain.clock import shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service_terms import ResortVenue
from checker.registry.document_key import DocumentKey
from checker.spending.authorization import (
    Authorization,
    CountedRoom,
    Opening,
    SpendingStep,
    SpendingStepKind,
)
from checker.vault import Vault

REFERENCE: Final = "authorization_step.reference"

_COUNTED = (
    "limit_fen",
    "counts_from",
    "counts_until",
    "counted_tokens",
    "counted_issuers",
    "held_after_fen",
    "captured_after_fen",
)
_OPENING = ("account_id", "jurisdiction", "venue", "reference", "decision_id")


def row_of(moved: Authorization, vault: Vault) -> dict[str, Any]:
    """Return the row of an authorization's newest step."""
    opening, step = moved.opening, moved.steps[-1]
    row: dict[str, Any] = {
        "authorization_id": opening.id,
        "number": step.number,
        "kind": step.kind.value,
        "amount_fen": step.amount_fen,
        "at": step.at,
        "token": opening.document.token,
        "issuer": opening.document.issuer,
        "counter": opening.counter,
        "counted_at": opening.counted_at,
        "held_delta": step.held_delta,
        "captured_delta": step.captured_delta,
        "expires_at": step.expires_at,
        **dict.fromkeys((*_COUNTED, *_OPENING)),
    }
    if step.counted is not None:
        row |= dict(zip(_COUNTED, _counted_values(step.counted), strict=True))
    if step.number == 1:
        reference = opening.reference
        row |= {
            "account_id": opening.account_id,
            "jurisdiction": opening.jurisdiction,
            "venue": opening.venue.value,
            "reference": None
            if reference is None
            else vault.seal(reference, REFERENCE, opening.id),
            "decision_id": opening.decision_id,
        }
    return row


def stored_row(row: Mapping[str, Any], stored: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Return a row of `row_of` as PostgreSQL holds the row: with stored tokens."""
    counted = row["counted_tokens"]
    tokens = {
        "token": stored(row["token"]),
        "counted_tokens": None if counted is None else stored(counted),
    }
    return {**row, **tokens}


def totals_of(moved: Iterable[Authorization]) -> dict[str, list[Any]]:
    """Return the changes of the newest steps by document, counter and day, as parallel columns."""
    sums: dict[tuple[DocumentKey, Jurisdiction, date], tuple[int, int]] = {}
    for each in moved:
        opening, step = each.opening, each.steps[-1]
        place = (opening.document, opening.counter, shanghai_day(opening.counted_at))
        held, captured = sums.get(place, (0, 0))
        sums[place] = (held + step.held_delta, captured + step.captured_delta)
    return {
        "tokens": [document.token for document, _, _ in sums],
        "issuers": [document.issuer or "" for document, _, _ in sums],
        "counters": [counter for _, counter, _ in sums],
        "days": [day for _, _, day in sums],
        "held": [held for held, _ in sums.values()],
        "captured": [captured for _, captured in sums.values()],
    }


def open_of(moved: Iterable[Authorization]) -> dict[str, list[Any]]:
    """Return the open holds and the ended holds, as parallel columns."""
    newest = {each.opening.id: each for each in moved}.values()
    still_open = [each for each in newest if each.is_open]
    openings = [each.opening for each in still_open]
    return {
        "open_ids": [opening.id for opening in openings],
        "open_tokens": [opening.document.token for opening in openings],
        "open_issuers": [opening.document.issuer for opening in openings],
        "open_counters": [opening.counter for opening in openings],
        "open_days": [shanghai_day(opening.counted_at) for opening in openings],
        "open_held": [each.held_fen for each in still_open],
        "open_until": [each.expires_at for each in still_open],
        "ended": [each.opening.id for each in newest if not each.is_open],
    }


def authorizations_of(rows: Iterable[Any], vault: Vault) -> dict[str, Authorization]:
    """Return authorizations from all their rows, which come by authorization and number."""
    found = {}
    for authorization_id, group in groupby(rows, key=lambda row: str(row.authorization_id)):
        of_one = list(group)
        found[authorization_id] = Authorization(
            opening=_opening(of_one[0], vault), steps=tuple([_step(row) for row in of_one])
        )
    return found


def _opening(row: Any, vault: Vault) -> Opening:
    return Opening(
        id=str(row.authorization_id),
        account_id=row.account_id,
        document=DocumentKey(Token(row.token), row.issuer),
        counter=Jurisdiction(row.counter),
        counted_at=row.counted_at,
        jurisdiction=Jurisdiction(row.jurisdiction),
        venue=ResortVenue(row.venue),
        reference=None
        if row.reference is None
        else vault.open(row.reference, REFERENCE, str(row.authorization_id)),
        decision_id=str(row.decision_id),
    )


def _step(row: Any) -> SpendingStep:
    counted = None
    if row.limit_fen is not None:
        counted = CountedRoom(
            limit_fen=row.limit_fen,
            since=row.counts_from,
            until=row.counts_until,
            documents=counted_of(row),
            held_fen=row.held_after_fen,
            captured_fen=row.captured_after_fen,
        )
    return SpendingStep(
        number=row.number,
        kind=SpendingStepKind(row.kind),
        amount_fen=row.amount_fen,
        at=row.at,
        held_delta=row.held_delta,
        captured_delta=row.captured_delta,
        expires_at=row.expires_at,
        counted=counted,
    )


def _counted_values(counted: CountedRoom) -> tuple[Any, ...]:
    return (
        counted.limit_fen,
        counted.since,
        counted.until,
        b"".join(each.token for each in counted.documents),
        _packed_issuers(counted.documents),
        counted.held_fen,
        counted.captured_fen,
    )


def counted_of(row: Any) -> tuple[DocumentKey, ...]:
    """Return the documents whose amounts a step has counted."""
    tokens = tokens_of(row.counted_tokens)
    if row.counted_issuers is None:
        return tuple([DocumentKey(token) for token in tokens])
    issuers = row.counted_issuers.split(",")
    return tuple(
        [DocumentKey(token, issuer or None) for token, issuer in zip(tokens, issuers, strict=True)]
    )


def _packed_issuers(documents: Sequence[DocumentKey]) -> str | None:
    """Return the issuers behind one another, with a comma between two; None: none is known."""
    if all(each.issuer is None for each in documents):
        return None
    return ",".join(each.issuer or "" for each in documents)


def tokens_of(packed: bytes) -> tuple[Token, ...]:
    """Return the tokens in a value that holds one behind the other."""
    starts = range(0, len(packed), TOKEN_BYTES)
    return tuple(Token(packed[start : start + TOKEN_BYTES]) for start in starts)
