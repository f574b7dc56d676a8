"""A correction: who is on the list by mistake says so, and the court rules once.

中办发〔2016〕64号, section 四（二）3, and the same section of the Leizhou plan: the person may
apply within ten days, the court reviews within three. Pure; days are those of Asia/Shanghai, and a
period of days begins on the day after the one from which it is counted.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.clock import instant_text
from checker.domain.decision import APPLY_DAYS, REVIEW_DAYS
from checker.errors import Conflict, Fault, InvalidRequest, Resolution


class Ruling(StrEnum):
    """What the court says of a correction."""

    UPHELD = "upheld"
    REJECTED = "rejected"


MOVES: Final[Mapping[Ruling | None, frozenset[Ruling]]] = {
    None: frozenset({Ruling.UPHELD, Ruling.REJECTED}),
    Ruling.UPHELD: frozenset(),
    Ruling.REJECTED: frozenset(),
}
"""Which ruling may follow which; None: there is none yet.

Who is not content with a rejection goes to the higher court (same section); what that one decides
comes as a delisting of the feed, or is asked for anew.
"""


class CorrectionState(StrEnum):
    """How a correction stands: `overdue` is open past the court's days."""

    OPEN = "open"
    OVERDUE = "overdue"
    RULED = "ruled"


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """A listing that a correction is about; `delisted` where the ruling has ended it."""

    id: str
    case_number: str
    court: str
    published_on: date | None
    delisted: bool = False


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A correction without what the person wrote; `number` grows in the order of receipt.

    `account_id` None: filed without a key. `decision_id` None: filed about a listing.
    """

    number: int
    id: str
    received_on: date
    due_on: date
    late: bool
    account_id: str | None
    decision_id: str | None
    ruling: Ruling | None
    ruled_at: datetime | None
    version: int | None
    listings: tuple[Concerned, ...]

    def status(self, today: date) -> CorrectionState:
        """Tell how it stands on a day."""
        if self.ruling is not None:
            return CorrectionState.RULED
        return CorrectionState.OVERDUE if self.due_on < today else CorrectionState.OPEN


def due_on(received_on: date) -> date:
    """Give the last day on which a ruling is in time."""
    return received_on + timedelta(days=REVIEW_DAYS)


def is_late(received_on: date, learnt_on: Iterable[date | None]) -> bool:
    """Whether the days for applying are over since the last of the days that are known.

    The law counts from the day on which the person received the court's decision, which nobody
    tells the service. It knows when the listing was published and when somebody was refused, and
    takes what is best for the person; of neither known, nothing is late.
    """
    known = [day for day in learnt_on if day is not None]
    return bool(known) and max(known) + timedelta(days=APPLY_DAYS) < received_on


def delisted_by(correction: Correction, named: Iterable[str] | None) -> tuple[str, ...]:
    """Give the ids of the listings that an upheld correction ends.

    All that it is about, or those that are `named`. Where they are of several courts they must be
    named, so that no court ends another one's listing without meaning it.

    Raises:
        InvalidRequest: a listing is named that the correction is not about, or none where one must.
    """
    known = tuple(each.id for each in correction.listings)
    if named is None:
        if len({each.court for each in correction.listings}) > 1:
            fault = Fault("/listing_ids", "is required: the listings are of several courts")
            raise InvalidRequest("it is not said which listings end", [fault])
        return known
    wanted = set(named)
    if not wanted <= set(known):
        fault = Fault("/listing_ids", "names a listing that the correction is not about")
        raise InvalidRequest("a listing is not one of the correction's", [fault])
    return tuple(each for each in known if each in wanted)


def require_move(correction: Correction, ruling: Ruling) -> None:
    """Refuse a ruling that may not follow.

    Raises:
        Conflict: there is one already, which `resolution` names.
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
