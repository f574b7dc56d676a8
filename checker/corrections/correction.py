"""A correction: a person who is listed by mistake files it, and the court rules on it once.

中办发〔2016〕64号, section 四（二）3, and the same section of the Leizhou plan: the person may
apply within ten days, and the court reviews within three. Pure. Days are those of Asia/Shanghai,
and a period of days begins on the day after the event.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.clock import instant_text
from checker.domain.court import Courts
from checker.domain.deadlines import Deadlines, DueBasis, DueDay
from checker.domain.decision import APPLY_DAYS, REVIEW_DAYS
from checker.errors import Conflict, Fault, InvalidRequest, OutOfScope, Resolution

UNKNOWN: Final = "there is no correction of this id"


class Ruling(StrEnum):
    """The court's answer to a correction."""

    UPHELD = "upheld"
    REJECTED = "rejected"


MOVES: Final[Mapping[Ruling | None, frozenset[Ruling]]] = {
    None: frozenset({Ruling.UPHELD, Ruling.REJECTED}),
    Ruling.UPHELD: frozenset(),
    Ruling.REJECTED: frozenset(),
}
"""The rulings that may follow a ruling. None: there is no ruling yet.

A person who does not accept a rejection applies to the higher court (same section). The decision of
the higher court reaches the service as a delisting in the feed, or as a new correction."""


class GroundCode(StrEnum):
    """The fault that a correction names, in one word of the contract."""

    PERFORMED = "performed"
    NAMESAKE = "namesake"
    """The person is another one of the same name, or of a similar number."""
    IMPOSTOR = "impostor"
    """Somebody else used the person's document."""
    LEFT_OFFICE = "left_office"
    HUMAN_REVIEW = "human_review"
    OTHER = "other"


class RulingEffect(StrEnum):
    """The change that an upheld ruling makes to the listings."""

    DELIST = "delist"
    DISTINGUISH = "distinguish"
    """The listings never again reach the document of the decision."""
    REMOVE_OFFICER = "remove_officer"
    """The officer of the decision leaves the listings."""
    NONE = "none"


EFFECTS: Final[Mapping[GroundCode | None, RulingEffect]] = {
    None: RulingEffect.DELIST,
    GroundCode.PERFORMED: RulingEffect.DELIST,
    GroundCode.NAMESAKE: RulingEffect.DISTINGUISH,
    GroundCode.IMPOSTOR: RulingEffect.DISTINGUISH,
    GroundCode.LEFT_OFFICE: RulingEffect.REMOVE_OFFICER,
    GroundCode.HUMAN_REVIEW: RulingEffect.DELIST,
    GroundCode.OTHER: RulingEffect.DELIST,
}
"""The effect of an upheld ruling that names none (contract, section 6)."""


class CorrectionState(StrEnum):
    """Where a correction stands. `overdue`: it is open, and the court's days are over."""

    OPEN = "open"
    OVERDUE = "overdue"
    RULED = "ruled"


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """A listing of a correction. `delisted`: the ruling has ended the listing."""

    id: str
    case_number: str
    court: str
    published_on: date | None
    delisted: bool = False


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A correction without the person's words. `number` grows in the order of receipt.

    `account_id` is None if it was filed without a key, `decision_id` is None if it names a listing.
    `due_basis` is None for corrections from before the calendar: their third day is due, whatever
    day it is. `provisional`: the calendar of that year was not announced at the filing.
    `effect` is set if the ruling is upheld.
    """

    number: int
    id: str
    received_on: date
    due_on: date
    due_basis: DueBasis | None
    provisional: bool
    late: bool
    account_id: str | None
    decision_id: str | None
    ground_code: GroundCode | None = None
    ruling: Ruling | None
    effect: RulingEffect | None = None
    ruled_at: datetime | None
    version: int | None
    listings: tuple[Concerned, ...]

    def status(self, today: date) -> CorrectionState:
        """Return where the correction stands on a day."""
        if self.ruling is not None:
            return CorrectionState.RULED
        return CorrectionState.OVERDUE if self.due_on < today else CorrectionState.OPEN


def ruling_due(received_on: date, deadlines: Deadlines) -> DueDay:
    """Return the last day on which a ruling is in time."""
    return deadlines.due(received_on, REVIEW_DAYS)


def is_late(received_on: date, learnt_on: Iterable[date | None]) -> bool:
    """Return whether the days for applying are over, counted from the last of the known days.

    The law counts from the day on which the person received the court's decision. The service never
    learns this day. It knows when the listing was published and when somebody was refused, and
    takes the day that is best for the person. If neither day is known, nothing is late.
    """
    known = [day for day in learnt_on if day is not None]
    return bool(known) and max(known) + timedelta(days=APPLY_DAYS) < received_on


def concerned_by(correction: Correction, named: Iterable[str] | None) -> tuple[str, ...]:
    """Return the ids of the listings that an upheld ruling changes.

    These are all listings of the correction, or those that are `named`. Listings of several courts
    must be named, so that no court ends another court's listing by accident.

    Raises:
        InvalidRequest: a named listing is not one of the correction's, or names are missing.
    """
    known = tuple(each.id for each in correction.listings)
    if named is None:
        if len({each.court for each in correction.listings}) > 1:
            fault = Fault("/listing_ids", "is required: the listings are of several courts")
            raise InvalidRequest("it is not said which listings the ruling is about", [fault])
        return known
    wanted = set(named)
    if not wanted <= set(known):
        fault = Fault("/listing_ids", "names a listing that the correction is not about")
        raise InvalidRequest("a listing is not one of the correction's", [fault])
    return tuple(each for each in known if each in wanted)


def is_about(correction: Correction, courts: Courts) -> bool:
    """Whether a correction is about a listing of one of `courts`."""
    return any(courts.holds(each.court) for each in correction.listings)


def require_own(correction: Correction, ended: Iterable[str], courts: Courts) -> None:
    """Refuse a ruling of `courts` about another court's listing.

    A ruling that ends listings is about those. Any other ruling is about all listings of the
    correction.

    Raises:
        OutOfScope: one of the listings is of another court.
    """
    own = {each.id for each in correction.listings if courts.holds(each.court)}
    if not (set(ended) or {each.id for each in correction.listings}) <= own:
        raise OutOfScope("one of the listings is of another court")


def require_move(correction: Correction, ruling: Ruling) -> None:
    """Refuse a ruling that may not follow.

    Raises:
        Conflict: there is a ruling already; `resolution` names it.
    """
    earlier = correction.ruling
    if ruling in MOVES[earlier]:
        return
    assert earlier is not None, "from the beginning every ruling is open"
    assert correction.ruled_at is not None, "a ruling has its instant"
    raise Conflict(
        f"the correction is {earlier} already",
        resolution=Resolution(status=earlier, at=instant_text(correction.ruled_at)),
    )


def effect_of(ruling: str | None, stored: str | None) -> RulingEffect | None:
    """Return the effect of an upheld ruling. Rulings from before the column delisted."""
    if ruling != Ruling.UPHELD:
        return None
    return RulingEffect.DELIST if stored is None else RulingEffect(stored)
