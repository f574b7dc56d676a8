"""Endings as the notices read them, and the decisions that each ending lifts: pure.

A decision rests on the list as it stood. An ending lifts a decision that read a version before the
change that ended the restriction, or was made before the instant that ended it. The instant of the
decision's commit does not matter.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from cache.token import Token
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.registry.document_key import DocumentKey
from checker.registry.endings import EndingGround

_LIFTING: Final[dict[str, str]] = {
    EndingGround.SHIELDED: "shielding",
    EndingGround.OFFICER_LEFT: "officer_left",
    EndingGround.PARTY_REPLACED: "party_replaced",
    EndingGround.ITEMS_DROPPED: "items_dropped",
    EndingGround.PERMIT: "permit",
    EndingGround.DISTINGUISHED: "distinguished",
}
"""Grounds after which the listing goes on, with their names in keys. Kept notices have the keys."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A restriction of a listing that ends on a day or at an instant.

    | field | meaning |
    |---|---|
    | `key` | a different text for each ending of one listing |
    | `before_version` | decisions by earlier versions are lifted |
    | `before_at` | decisions that were made earlier are lifted |
    | `roles` | only decisions that rest on these roles alone are lifted |
    | `services` | only decisions about these services, made without a permit, are lifted |
    | `permit_id` | the permit that lifts them; None: the ending is no permit |
    | `documents` | only decisions that held up these documents alone are lifted |
    | `kept` | decisions that rest on one of these measures are not lifted |
    | `is_final` | the listing restricts nobody until it begins anew |
    """

    listing_id: str
    key: str
    ground: str
    ended_on: date | None = None
    ended_at: datetime | None = None
    before_version: int | None = None
    before_at: datetime | None = None
    roles: frozenset[Role] | None = None
    services: frozenset[ServiceType] | None = None
    permit_id: str | None = None
    kept: frozenset[str] = frozenset()
    documents: frozenset[DocumentKey] | None = None
    is_final: bool = False


def ending_of(
    row: Any,
    *,
    occasion: int | date,
    before_version: int | None = None,
    before_at: datetime | None = None,
    holder: frozenset[DocumentKey] | None = None,
) -> Ending:
    """Return the ending of a row that has the columns of `ending`, and `at`.

    `occasion` is the version or the day that brings the ending. `holder` has the documents of a
    permit's holder.
    """
    ground: str = row.ground
    kind = _LIFTING.get(ground)
    key = f"{occasion}:{kind or 'end'}"
    documents = holder
    if row.token is not None:
        documents = frozenset({DocumentKey(Token(row.token), row.issuer)})
    return Ending(
        listing_id=row.listing_id,
        key=key if row.permit_id is None else f"permit:{row.permit_id}",
        documents=documents,
        ground=ground,
        ended_on=row.on,
        ended_at=row.at if row.on is None else None,
        before_version=before_version,
        before_at=before_at,
        roles=None if row.roles is None else frozenset(map(Role, row.roles)),
        services=None if row.services is None else frozenset(map(ServiceType, row.services)),
        permit_id=row.permit_id,
        kept=frozenset(row.kept or ()),
        is_final=kind is None,
    )


def together(endings: Iterable[Ending]) -> Sequence[Ending]:
    """Return endings, with one for all documents that a change lifts from one listing.

    A decision may have held up several documents of one person.
    """
    others: list[Ending] = []
    of_documents: dict[tuple[str, str, int | None], Ending] = {}
    for each in endings:
        if each.documents is None:
            others.append(each)
            continue
        place = (each.listing_id, each.key, each.before_version)
        known = of_documents.get(place, each)
        documents = each.documents.union(known.documents or ())
        joined = msgspec.structs.replace(known, documents=documents)
        of_documents[place] = joined
    return [*of_documents.values(), *others]


class ReasonOfDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that a decision took from a listing, and whether the answer named the listing."""

    measure: str
    role: Role | None
    is_public: bool


class DecisionOnListing(msgspec.Struct, frozen=True, kw_only=True):
    """A kept decision that names a listing; `reasons` are its reasons about this listing.

    `documents` are the documents that the listing held up. They are read for an ending that lifts
    one document alone, and are not known of older decisions.
    """

    decision_id: str
    account_id: str
    service: ServiceType
    permitted: bool
    reasons: Sequence[ReasonOfDecision]
    documents: frozenset[DocumentKey] = frozenset()

    @property
    def showed_listing(self) -> bool:
        """Whether the answer named the listing; an answer hides listings that are not public."""
        return all(reason.is_public for reason in self.reasons)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of an account about which a notice was written, for the ending `key`."""

    key: str
    is_final: bool
    decision_ids: Collection[str]


def lifts(ending: Ending, decision: DecisionOnListing) -> bool:
    """Return whether an ending lifts the restriction of a decision."""
    if ending.roles is not None and not {each.role for each in decision.reasons} <= ending.roles:
        return False
    if ending.documents is not None and not _is_of(ending.documents, ending, decision):
        return False
    if ending.services is not None and (
        decision.permitted or decision.service not in ending.services
    ):
        return False
    return not any(reason.measure in ending.kept for reason in decision.reasons)


def _is_of(documents: Collection[DocumentKey], ending: Ending, decision: DecisionOnListing) -> bool:
    """Return whether a decision held up these documents alone.

    A distinction is about a very document. A permit reaches a passport of an unknown issuer too. A
    permit also lifts older decisions, of which the documents are not known.
    """
    if ending.permit_id is None:
        return bool(decision.documents) and decision.documents <= frozenset(documents)
    return all(any(own.may_be(other) for other in documents) for own in decision.documents)


def is_news(ending: Ending, decision_id: str, heard: Sequence[Heard]) -> bool:
    """Return whether no notice names the decision for this ending, or for an earlier final one."""
    return not any(
        (each.is_final or each.key == ending.key) and decision_id in each.decision_ids
        for each in heard
    )
