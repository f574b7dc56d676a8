"""Fishing: asking about people to learn who is listed, not to sell them anything.

Whoever sells asks about those who come, of whom one or two in a hundred are listed, with names that
match. Whoever fishes asks about those they suspect, or tries numbers: the share of adverse answers,
or of names that do not match, is then far above that of others who sell the same. The rule is pure;
what is counted, and how nothing of an innocent is kept for it, is in `checker.accounts.watch`.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

_Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class FishingGround(StrEnum):
    """What was far above its kind's."""

    ADVERSE_SHARE = "adverse_share"
    MISMATCH_SHARE = "mismatch_share"


class FishingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an account seems to fish, and what follows (`[fishing]` in the config file).

    An account is judged by what it asked within an hour of the clock, from `items_min` items on, if
    `kind_accounts_min` others of its kind asked `kind_items_min` each: without them nobody knows
    what is usual, and one account alone would be judged by its own town. 0 of them: by the two
    shares alone. It seems to fish above the share set here and above `times_kind` times its kind's.

    The defaults rest on the shares of `loadtest.population`'s crowds: of a hotel with 2 % listed
    guests, one hour of 200 items in 10^9 has more than 10 % adverse answers.
    """

    items_min: _Count = 200
    adverse_share: _Share = 0.10
    mismatch_share: _Share = 0.05
    times_kind: Annotated[float, msgspec.Meta(ge=1)] = 5.0
    kind_accounts_min: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 5
    kind_items_min: _Count = 100
    slowed_items_per_minute: _Count = 10
    slowed_minutes: Annotated[int, msgspec.Meta(ge=1, le=7 * 24 * 60)] = 60


class AskedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked within an hour: items, distinct persons with adverse answers, mismatches.

    Mismatched names are counted by answer: who tries many names on one number asks about one
    person. `accounts` that asked enough to be compared with; of one account it is not looked at.
    """

    items: int
    adverse_persons: int
    mismatches: int
    accounts: int = 1


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account seems to fish: so many of its items, where its kind has that share."""

    ground: FishingGround
    items: int
    marked: int
    kind_share: float


def suspect(own: AskedCounts, others: AskedCounts, settings: FishingSettings) -> Suspicion | None:
    """Judge an account beside the others of its kind; adverse answers go before mismatches."""
    if own.items < settings.items_min or others.accounts < settings.kind_accounts_min:
        return None
    marks = (
        (
            FishingGround.ADVERSE_SHARE,
            own.adverse_persons,
            others.adverse_persons,
            settings.adverse_share,
        ),
        (
            FishingGround.MISMATCH_SHARE,
            own.mismatches,
            others.mismatches,
            settings.mismatch_share,
        ),
    )
    for ground, marked, marked_of_others, share in marks:
        kind_share = marked_of_others / others.items if others.items else 0.0
        if marked / own.items > max(share, settings.times_kind * kind_share):
            return Suspicion(ground=ground, items=own.items, marked=marked, kind_share=kind_share)
    return None
