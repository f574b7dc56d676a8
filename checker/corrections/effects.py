"""The operations on the list that an upheld ruling brings: pure.

| effect | operation on each listing of the ruling |
|---|---|
| `delist` | the listing ends |
| `distinguish` | the listing never again reaches the documents that the decision held up |
| `remove_officer` | the officer whose document the decision held up leaves the listing |
| `none` | nothing |

A correction about a listing names no decision, so no document is known. The court then chooses
another effect, or sends a `distinguish` or `officers` operation in the feed.
"""

from collections.abc import Sequence
from datetime import date

from checker.corrections.correction import Correction, RulingEffect
from checker.errors import Fault, InvalidRequest
from checker.registry.document_key import DocumentKey
from checker.registry.found_document import Trace
from checker.registry.operations import (
    Delist,
    DelistingGround,
    Distinguish,
    Operation,
    RemoveOfficer,
)


def operations_of(
    effect: RulingEffect,
    found: Correction,
    listing_ids: Sequence[str],
    traces: Sequence[Trace],
    on: date,
) -> list[Operation]:
    """Return the operations of an upheld ruling; `traces` are the ways that the decision kept.

    Raises:
        InvalidRequest: it is not known whose document a listing held up.
    """
    if effect is RulingEffect.NONE:
        return []
    if effect is RulingEffect.DELIST:
        ground = DelistingGround.CORRECTED
        return [Delist(listing_id=each, ground=ground, on=on) for each in listing_ids]
    courts = {each.id: each.court for each in found.listings}
    operations: list[Operation] = []
    for listing_id in listing_ids:
        ways = [each for each in traces if each.listing_id == listing_id]
        if not ways:
            raise _unknown_document()
        if effect is RulingEffect.REMOVE_OFFICER:
            listed = frozenset(map(_listed, ways))
            operations.append(RemoveOfficer(listing_id=listing_id, documents=listed))
            continue
        operations += [
            Distinguish(listing_id=listing_id, document=key, court=courts[listing_id], on=on)
            for key in dict.fromkeys(each.document for each in ways)
        ]
    return operations


def _listed(way: Trace) -> DocumentKey:
    """Return the listed document of a way. Of a bound document the issuer is not kept."""
    is_own = way.listed_token == way.document.token
    return DocumentKey(way.listed_token, way.document.issuer if is_own else None)


def _unknown_document() -> InvalidRequest:
    text = (
        "is required, as delist or none: no decision shows whose document the listing held up."
        " Distinguish the document by the feed"
    )
    return InvalidRequest("it is not known which document is meant", [Fault("/effect", text)])
