"""What an account or a key may ask about: services, a place, and how many items.

A key's scope narrows its account's. A wider one is refused where it is given; and since an account
may be narrowed after its keys were made, what holds is worked out from both whenever keys are read.
"""

from collections.abc import Sequence

import msgspec

from cache.counting.quota import MINUTE, Limit, Window
from checker.domain.jurisdiction import Jurisdiction, path
from checker.domain.service import ServiceType
from checker.errors import Fault

ITEMS_MAX = 2**31 - 1
"""PostgreSQL's `integer`; no limit of that size is ever reached."""


DAY = Window(name="day", length_s=24 * 3600, offset_s=8 * 3600)
"""A day in Asia/Shanghai, as all days here are."""

SLOWED = Window(name="slowed", length_s=60)
"""A minute of an account that seems to fish."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What an account or a key may ask about.

    `services` None: all types. `jurisdiction`: where checks are placed that do not say; None: CN.
    Items of 0: no limit of its own.
    """

    services: frozenset[ServiceType] | None = None
    jurisdiction: Jurisdiction | None = None
    items_per_minute: int = 0
    items_per_day: int = 0

    def within(self, account: "Scope") -> "Scope":
        """Give what is left of a key's scope in its account's.

        Items are the key's own: those of the account are counted beside them, over all its keys.
        """
        return Scope(
            services=_both(self.services, account.services),
            jurisdiction=_narrower(self.jurisdiction, account.jurisdiction),
            items_per_minute=self.items_per_minute,
            items_per_day=self.items_per_day,
        )

    def beyond(self, account: "Scope") -> Sequence[Fault]:
        """Name the fields in which a key's scope is wider than its account's."""
        faults = []
        if self.services is not None and _both(self.services, account.services) != self.services:
            faults.append(Fault("/services", "holds a service that the account's scope does not"))
        if _narrower(self.jurisdiction, account.jurisdiction) != (
            self.jurisdiction or account.jurisdiction
        ):
            faults.append(Fault("/jurisdiction", "lies outside of the account's"))
        for field in ("items_per_minute", "items_per_day"):
            own, bound = getattr(self, field), getattr(account, field)
            if bound and own > bound:
                faults.append(Fault(f"/{field}", "is more than the account's"))
        return faults


def limits_of(key_pk: int, key: Scope, account_id: str, account: Scope) -> tuple[Limit, ...]:
    """Give what bounds the items of a key: its own limits, and those of its account beside them.

    Shorter windows come first; () where there is no limit.
    """
    holders = ((f"key:{key_pk}", key), (f"account:{account_id}", account))
    asked = [
        *(Limit(name=name, items=each.items_per_minute, window=MINUTE) for name, each in holders),
        *(Limit(name=name, items=each.items_per_day, window=DAY) for name, each in holders),
    ]
    return tuple(limit for limit in asked if limit.items)


def kind_of(account: Scope) -> str:
    """Name the accounts that sell the same, by their scope: what is usual differs with it."""
    return "any" if account.services is None else ",".join(sorted(account.services))


def slowed_limit(account_id: str, items_per_minute: int) -> Limit:
    """Bound an account that seems to fish."""
    return Limit(name=f"account:{account_id}", items=items_per_minute, window=SLOWED)


def services_of(names: Sequence[str] | None) -> frozenset[ServiceType] | None:
    """Read the services of a row."""
    return None if names is None else frozenset(ServiceType(name) for name in names)


def jurisdiction_of(code: str | None) -> Jurisdiction | None:
    """Read the place of a row."""
    return None if code is None else Jurisdiction(code)


def _both(
    key: frozenset[ServiceType] | None, account: frozenset[ServiceType] | None
) -> frozenset[ServiceType] | None:
    if key is None or account is None:
        return account if key is None else key
    return key & account


def _narrower(key: Jurisdiction | None, account: Jurisdiction | None) -> Jurisdiction | None:
    if key is None or account is None:
        return account if key is None else key
    return key if account in path(key) else account
