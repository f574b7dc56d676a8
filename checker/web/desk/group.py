"""A family or a group at the desk: one verdict for each guest, and one for the booking.

The page itself carries the verdicts that it has shown, masked, in a hidden field of its form. So
nothing is stored in the browser or here, and the group also works without a script.

The verdict of the booking is the strongest of its guests' verdicts. A guest who could not be
checked is not in the group: the clerk asks about the guest again.
"""

from typing import Annotated, Final

import msgspec

from checker.domain.decision import Outcome, strongest
from checker.web.desk.verdict import INVALID, DeskVerdict
from checker.web.visit import Form

IN_GROUP: Final = "in_group"
GROUP: Final = "group"
GUESTS_MAX: Final = 50
"""A coach: more guests come as a sheet."""

_Shown = Annotated[str, msgspec.Meta(max_length=300)]


class GroupGuest(msgspec.Struct, frozen=True, kw_only=True):
    """One guest of a group, masked."""

    decision: Outcome
    number: _Shown
    name: _Shown


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The guests of a booking, the strongest of their decisions, and the text that carries them.

    `is_waiting`: the last guest was not checked, so the booking is not complete.
    """

    guests: tuple[GroupGuest, ...]
    decision: Outcome
    text: str
    is_full: bool
    is_waiting: bool

    @property
    def state(self) -> str:
        """The word of `data-booking`: the decision, or `invalid` where a guest waits."""
        is_open = self.is_waiting and self.decision is not Outcome.DENY
        return INVALID if is_open else self.decision.value


_Guests = Annotated[tuple[GroupGuest, ...], msgspec.Meta(max_length=GUESTS_MAX)]
_decoder: msgspec.json.Decoder[tuple[GroupGuest, ...]] = msgspec.json.Decoder(_Guests)
_encode = msgspec.json.Encoder().encode


def group_with(form: Form, verdict: DeskVerdict | None) -> Group | None:
    """Return the group of a form with the guest of a verdict; None: the clerk serves no group."""
    if IN_GROUP not in form:
        return None
    guests = _carried(form.get(GROUP, ""))
    is_decided = verdict is None or verdict.decision in set(Outcome)
    if verdict is not None and is_decided and len(guests) < GUESTS_MAX:
        guest = GroupGuest(
            decision=Outcome(verdict.decision),
            number=verdict.guest_number,
            name=verdict.guest_name,
        )
        guests = (*guests, guest)
    return Group(
        guests=guests,
        decision=strongest(guest.decision for guest in guests),
        text=_encode(guests).decode(),
        is_full=len(guests) == GUESTS_MAX,
        is_waiting=not is_decided,
    )


def _carried(text: str) -> tuple[GroupGuest, ...]:
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError:
        return ()  # also a field that no page of ours has written
