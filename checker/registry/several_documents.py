"""Puts together what the list says of several documents that are presented as one person's: pure.

- Each listing counts once in each role, by its surest hit.
- A permit lifts what reaches the documents that it covers, and nothing else.
- Two documents are two persons' if no name and no binding joins them, and both are listed, or both
  are bound. Then nobody knows who the subject is. Every sure hit becomes a doubt, and no permit
  lifts it.
- A document of a kind that no list can know is a doubt under every measure.
"""

from collections.abc import Sequence
from itertools import combinations

import msgspec

from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.standing import Link, Match, Standing
from checker.registry.found_document import FoundDocument

UNRESOLVABLE = tuple(
    [Link(role=Role.DEBTOR, match=Match.UNRESOLVABLE, kind=kind) for kind in ListingKind]
)
"""Every measure restricts the debtor by a listing of some kind, so these links meet every measure.
"""


def one_standing(found: Sequence[FoundDocument], *, is_unknowable: bool) -> Standing:
    """Return the standing of a person by the documents of the person.

    `is_unknowable`: one of the documents is of a kind that no list can know.
    """
    permits: dict[str, Permit] = {}
    for each in found:
        permits.update((permit.id, permit) for permit in each.permits)
    links = _each_once(found, frozenset(permits))
    if any(_are_two_persons(one, other) for one, other in combinations(found, 2)):
        links, permits = [_doubted(link) for link in links], {}
    if is_unknowable:
        links += [
            msgspec.structs.replace(link, not_covered_by=frozenset(permits))
            for link in UNRESOLVABLE
        ]
    return Standing(links=tuple(links), permits=tuple(permits.values()))


def _are_two_persons(one: FoundDocument, other: FoundDocument) -> bool:
    if one.persons & other.persons or one.names & other.names:
        return False
    return bool((one.persons and other.persons) or (one.names and other.names))


def _each_once(found: Sequence[FoundDocument], permit_ids: frozenset[str]) -> list[Link]:
    once: dict[Link, Link] = {}
    for each in found:
        not_covered = permit_ids - {permit.id for permit in each.permits}
        for link in each.links:
            # The same way by another document differs in the hit alone.
            way = msgspec.structs.replace(link, match=Match.DOCUMENT)
            known = once.get(way)
            once[way] = msgspec.structs.replace(
                link,
                match=link.match if known is None else _surest(known.match, link.match),
                not_covered_by=not_covered if known is None else known.not_covered_by & not_covered,
            )
    return list(once.values())


def _surest(one: Match, other: Match) -> Match:
    return Match.DOCUMENT if Match.DOCUMENT in (one, other) else one


def _doubted(link: Link) -> Link:
    if link.match not in (Match.DOCUMENT, Match.NAME_DIFFERS):
        return link
    return msgspec.structs.replace(link, match=Match.DOCUMENTS_DISAGREE)
