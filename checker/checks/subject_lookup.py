"""Looks subjects up: in this node's replica, and in the cache of all nodes. It decides nothing.

A subject has a token of each document, and with a name one more for each shape of masked numbers
that the list may hold. A service that no measure can restrict at its place seeks no token.

No list can know some documents (`net_id`). Their subject is never proven absent, and stands among
the listed subjects without an outline.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cache.changes import Position
from cache.errors import CacheIncomplete, CacheUnavailable, CacheUnvouched
from cache.replica_keeper import Absence, ReplicaKeeper
from cache.store import StandingCache
from cache.token import Token
from checker.checks.in_slices import SLICE_CHECKS, ask_replica, each_of
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.sought import flat, outlines_by_place, places_of
from checker.checks.turns import Pace
from checker.domain.masking import EVERY_SHAPE
from checker.policy.book import PolicyBook
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.registry.shape_markers import MARKERS


class FoundOutlines(NamedTuple):
    """The outlines of each listed subject that was looked up, by place, and the list they show."""

    position: Position
    listed: Mapping[int, Sequence[bytes]]


class SubjectLookup:
    """Looks subjects up. `report_incomplete` is called when a part of the cache is missing."""

    def __init__(
        self,
        *,
        replica: ReplicaKeeper,
        cache: StandingCache,
        sealer: Sealer,
        policies: PolicyBook,
        report_incomplete: Callable[[], None],
    ) -> None:
        assert replica.markers == MARKERS, "a shape is left out only where its marker is absent"
        self._replica = replica
        self._cache = cache
        self._sealer = sealer
        self._policies = policies
        self._report_incomplete = report_incomplete

    def proves_absent(self, check: PreparedCheck) -> Position | None:
        """Return the list on which this node proves that the subject is not; None: it cannot."""
        absence = self._replica.ask(self._sought(check, self._replica.marked))
        if absence is None or absence.maybes:
            return None
        if check.subject.is_unknowable and self._can_restrict(check):
            return None
        return absence.position

    def ask_together(self, checks: Sequence[PreparedCheck]) -> Absence | None:
        """Return the replica's answer, in which `maybes` are places of checks; None: no lease.

        The tokens of a shape of masked numbers are made only if the list may hold the shape.
        """
        marked = self._replica.marked
        sought = [self._sought(check, marked) for check in checks]
        absence = self._replica.ask(flat(sought))
        if absence is None:
            return None
        unknowable = [at for at in _unknowable_in(checks) if self._can_restrict(checks[at])]
        if not absence.maybes and not unknowable:
            return absence
        maybes = places_of(sought, absence.maybes) if absence.maybes else ()
        return Absence(absence.position, tuple(sorted({*maybes, *unknowable})))

    async def ask_about_batch(self, checks: Sequence[PreparedCheck], pace: Pace) -> Absence | None:
        """Return the same about a batch, on one version.

        All shapes are asked for: the list may come to hold another one between two slices.
        """
        if isinstance(checks, PreparedBatch):
            sought: Sequence[Sequence[Token]] = checks.tokens
            tokens: Sequence[Token] = checks.tokens.flat
        else:
            sought = await each_of(checks, self._sought, pace, size=SLICE_CHECKS)
            tokens = flat(sought)
        absence = await ask_replica(self._replica, tokens, pace)
        unknowable = _unknowable_in(checks)
        if absence is None or not (absence.maybes or unknowable):
            return absence
        maybes = places_of(sought, absence.maybes) if absence.maybes else ()
        # The tokens of a batch are made before anybody knows which services can be restricted.
        places = [
            place for place in sorted({*maybes, *unknowable}) if self._can_restrict(checks[place])
        ]
        return Absence(absence.position, tuple(places))

    def _sought(self, check: PreparedCheck, shapes: Sequence[int] = EVERY_SHAPE) -> Sequence[Token]:
        """Return the tokens to look up; none if no measure can restrict the service there.

        Of the tokens of masked numbers, those of `shapes` are returned.
        """
        if self._can_restrict(check):
            return self._sealer.tokens_of(check.subject, shapes)
        return ()

    def _can_restrict(self, check: PreparedCheck) -> bool:
        return self._policies.can_restrict(check.service, check.jurisdiction)

    async def lookup(
        self, checks: Sequence[PreparedCheck], places: Sequence[int], pace: Pace
    ) -> FoundOutlines | None:
        """Look up all tokens of the checks at these places, on one list.

        Return None if the cache is away, or cannot be believed.
        """

        def sought_at(place: int) -> Sequence[Token]:
            return self._sought(checks[place])

        sought = await each_of(places, sought_at, pace, size=SLICE_CHECKS)
        try:
            lookup = await self._cache.lookup(flat(sought))
        except (CacheUnavailable, CacheUnvouched):
            return None
        except CacheIncomplete:
            self._report_incomplete()
            return None
        listed = outlines_by_place(places, sought, lookup)
        for place in places:
            check = checks[place]
            if check.subject.is_unknowable and self._can_restrict(check):
                listed.setdefault(place, [])
        return FoundOutlines(lookup.position, listed)


def _unknowable_in(checks: Sequence[PreparedCheck]) -> Sequence[int]:
    """Return the places of the subjects with a document that no list can know."""
    if isinstance(checks, PreparedBatch):
        return checks.unknowable
    return [at for at, check in enumerate(checks) if check.subject.is_unknowable]
