"""Fishing: asking about people to learn who is listed, not to sell them anything.

A seller asks about its customers: one or two in a hundred are listed, and their names match. An
account that fishes asks about suspected persons, or tries numbers. Its share of adverse answers, or
of names that do not match, is then far above the share of accounts that sell the same. The rule is
pure; `checker.accounts.watch` counts, and stores nothing about an innocent person.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

_Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class FishingGround(StrEnum):
    """The share that was far above the share of the account's kind."""

    ADVERSE_SHARE = "adverse_share"
    MISMATCH_SHARE = "mismatch_share"


class FishingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an account seems to fish, and what follows (`[fishing]` in the config file).

    An account is judged by its items within an hour of the clock, from `items_min` items on. It is
    judged only if `kind_accounts_min` other accounts of its kind asked `kind_items_min` items each:
    fewer accounts do not show the usual share. With `kind_accounts_min` 0 the two shares alone
    count. An account seems to fish if its share is above the share set here, and also above
    `times_kind` times the share of its kind.

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
    """Counts of one hour: items, distinct persons with adverse answers, and mismatched names.

    Mismatches are counted by answer: a caller that tries many names on one number asks about one
    person. `accounts` is the number of accounts that asked enough to be compared with; the rule
    ignores it for the account that is judged.
    """

    items: int
    adverse_persons: int
    mismatches: int
    accounts: int = 1


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account seems to fish: `marked` of its `items`, and the share of its kind."""

    ground: FishingGround
    items: int
    marked: int
    kind_share: float


def suspect(own: AskedCounts, others: AskedCounts, settings: FishingSettings) -> Suspicion | None:
    """Return why an account seems to fish, beside the others of its kind; None: it does not.

    Adverse answers are judged before mismatches.
    """
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
