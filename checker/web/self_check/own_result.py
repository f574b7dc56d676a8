"""The answer of the self-check: what the list says of the person who asks. Pure.

| link of the person | the page shows |
|---|---|
| whole number and name agree, public | the entry, its measures, and the ways out |
| whole number and name agree, not public | the court to ask, and nothing else |
| masked number and name agree, public | an entry that may be about somebody else: no certainty |
| masked number, not public | nothing |
| whole number, another name | nothing |

The first two are `is_listed`. Two people whose page shows nothing get the same page.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from checker.domain.deadlines import Deadlines
from checker.domain.decision import APPLY_DAYS
from checker.domain.jurisdiction import NATION
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import Clause, Effect, Measure
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.standing import Link, ListingRef, Match, Standing, removal_due
from checker.policy.book import PolicyBook

_BINDING: Final = frozenset({Effect.RESTRICT, Effect.CAP, Effect.REFERENCE})


class OwnEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A public entry of the person. `until` is None if no end is known.

    `apply_by`: ten days after publication; None: the day of publication is not known, or the ten
    days are over. `removal_due_on` is set if the court knows that the duty is fulfilled.
    """

    listing: ListingRef
    kind: ListingKind
    roles: tuple[Role, ...]
    since: date | None
    until: date | None
    apply_by: date | None
    removal_due_on: date | None
    is_overdue: bool


class OwnMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that binds the person, with the clauses that reach them."""

    measure: Measure
    clauses: tuple[Clause, ...]


class OwnResult(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of the page. All parts are empty for a person of whom the page shows nothing.

    `consumption` and `matters` are national measures on purchases, and on applications and
    appointments. `local` are the measures of smaller places. `courts_to_ask` are the courts of
    entries that are not public. `possible` are entries with a masked number.
    """

    entries: tuple[OwnEntry, ...] = ()
    courts_to_ask: tuple[str, ...] = ()
    possible: tuple[ListingRef, ...] = ()
    consumption: tuple[OwnMeasure, ...] = ()
    matters: tuple[OwnMeasure, ...] = ()
    local: tuple[OwnMeasure, ...] = ()
    permits: tuple[Permit, ...] = ()

    @property
    def is_listed(self) -> bool:
        """Whether the list has the person for certain."""
        return bool(self.entries or self.courts_to_ask)

    @property
    def courts(self) -> tuple[str, ...]:
        """The courts of the public entries, each once."""
        return tuple(dict.fromkeys(each.listing.court for each in self.entries))


def own_result(
    standing: Standing, policies: PolicyBook, today: date, *, is_organization: bool
) -> OwnResult:
    """Return the answer to a person with this standing, on `today`."""
    links = [link for link in standing.in_force(today) if link.listing is not None]
    sure = [link for link in links if link.match is Match.DOCUMENT]
    public = [link for link in sure if _listing(link).public]
    bound = _bound(public, policies, today, is_organization=is_organization)
    national = [each for each in bound if each.measure.jurisdiction == NATION]
    return OwnResult(
        entries=_entries(public, policies.deadlines, today),
        courts_to_ask=tuple(
            dict.fromkeys(_listing(link).court for link in sure if not _listing(link).public)
        ),
        possible=tuple(
            dict.fromkeys(
                _listing(link)
                for link in links
                if link.match is Match.MASKED and _listing(link).public
            )
        ),
        consumption=_part(national, are_matters=False),
        matters=_part(national, are_matters=True),
        local=tuple(each for each in bound if each.measure.jurisdiction != NATION),
        permits=standing.permits if public else (),
    )


def _listing(link: Link) -> ListingRef:
    assert link.listing is not None, "the registry knows every listing"
    return link.listing


def _entries(links: Sequence[Link], deadlines: Deadlines, today: date) -> tuple[OwnEntry, ...]:
    by_listing: dict[str, list[Link]] = {}
    for link in links:
        by_listing.setdefault(_listing(link).id, []).append(link)
    return tuple(_entry(group, deadlines, today) for group in by_listing.values())


def _entry(links: Sequence[Link], deadlines: Deadlines, today: date) -> OwnEntry:
    first = links[0]
    listing = _listing(first)
    fulfilled_on = first.fulfilled_on if first.measures is None else None
    published_on = listing.published_on
    apply_by = None if published_on is None else published_on + timedelta(days=APPLY_DAYS)
    return OwnEntry(
        listing=listing,
        kind=first.kind,
        roles=tuple(role for role in Role if any(link.role is role for link in links)),
        since=first.starts_on or published_on,
        until=first.ends_on,
        apply_by=apply_by if apply_by is not None and apply_by >= today else None,
        removal_due_on=None if fulfilled_on is None else removal_due(fulfilled_on, deadlines).on,
        is_overdue=all(link.is_overdue(today, deadlines) for link in links),
    )


def _bound(
    links: Sequence[Link], policies: PolicyBook, today: date, *, is_organization: bool
) -> list[OwnMeasure]:
    """Return the measures that bind somebody with these links, as printed."""
    # An overdue entry refuses nobody: institutions look at the person instead.
    binding = [link for link in links if not link.is_overdue(today, policies.deadlines)]
    found = []
    for measure in policies.measures:
        clauses = tuple(
            clause
            for clause in measure.clauses
            if clause.effect in _BINDING
            and not (is_organization and clause.persons_only)
            and any(_binds(measure, clause, link) for link in binding)
        )
        if clauses:
            found.append(OwnMeasure(measure=measure, clauses=clauses))
    return found


def _binds(measure: Measure, clause: Clause, link: Link) -> bool:
    return (
        link.kind in measure.listing_kinds
        and link.role in clause.roles
        and link.restricts(measure.id)
        and link.reaches(clause.service)
    )


def _part(measures: Iterable[OwnMeasure], *, are_matters: bool) -> tuple[OwnMeasure, ...]:
    """Return the measures on matters, or the others, each with its clauses of this part."""
    parts = (
        msgspec.structs.replace(
            each,
            clauses=tuple(
                clause
                for clause in each.clauses
                if (clause.service is ServiceType.MATTER) is are_matters
            ),
        )
        for each in measures
    )
    return tuple(each for each in parts if each.clauses)
