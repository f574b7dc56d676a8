"""Accounts and keys as HTTP and the command line show them."""

from datetime import datetime
from typing import Any

import msgspec

from checker.accounts.account_keys import NewKey
from checker.accounts.accounts import Account
from checker.accounts.flags import Flag
from checker.accounts.key_states import KeyState
from checker.accounts.keys import AccountRole
from checker.accounts.scope import Scope
from checker.domain.clock import InstantText, instant_text
from checker.domain.fishing import FishingGround
from checker.domain.service import ServiceType


class FlagView(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account seems to fish: `marked` of `items` in an hour, a share far above its kind's.

    `adverse_share`: `marked` counts distinct persons with adverse answers; `mismatch_share`: those
    about names that do not match. The account is slowed until `slowed_until`, and flagged until an
    operator clears it.
    """

    ground: FishingGround
    at: InstantText
    slowed_until: InstantText
    items: int
    marked: int
    share: float
    kind_share: float


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `services` null: all; items are those of all its keys together, 0: no limit.

    `networks` are the networks from which it may call; null: it may call from any address.
    `courts` are the courts whose listings it may change; null: the whole list.
    """

    id: str
    name: str
    role: AccountRole
    services: tuple[ServiceType, ...] | None
    jurisdiction: str | None
    items_per_minute: int
    items_per_day: int
    networks: tuple[str, ...] | None
    courts: tuple[str, ...] | None
    created_at: InstantText
    disabled_at: InstantText | None
    flag: FlagView | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key by its id and first characters. `services` null and items of 0: as the account has it.

    `last_used_at` is right to about a minute; `rotated_at` is when it got a successor.
    """

    id: str
    prefix: str | None
    services: tuple[ServiceType, ...] | None
    jurisdiction: str | None
    items_per_minute: int
    items_per_day: int
    created_at: InstantText
    expires_at: InstantText | None
    rotated_at: InstantText | None
    revoked_at: InstantText | None
    last_used_at: InstantText | None


class MadeKey(KeyView, frozen=True, kw_only=True):
    """A key that was just made, with the key itself: it is shown this once."""

    key: str


def account_view(one: Account) -> AccountView:
    """Return an account as it is shown."""
    return AccountView(
        id=one.id,
        name=one.name,
        role=one.role,
        services=_services(one.scope),
        jurisdiction=one.scope.jurisdiction,
        items_per_minute=one.scope.items_per_minute,
        items_per_day=one.scope.items_per_day,
        networks=None if one.scope.networks is None else tuple(map(str, one.scope.networks)),
        courts=one.scope.courts,
        created_at=instant_text(one.created_at),
        disabled_at=_instant(one.disabled_at),
        flag=None if one.flag is None else _flag_view(one.flag),
    )


def _flag_view(one: Flag) -> FlagView:
    return FlagView(
        ground=one.ground,
        at=instant_text(one.at),
        slowed_until=instant_text(one.slowed_until),
        items=one.items,
        marked=one.marked,
        share=round(one.marked / one.items, 4),
        kind_share=round(one.kind_share, 4),
    )


def key_view(key: KeyState) -> KeyView:
    """Return a key as it is shown, without its secret."""
    return KeyView(**_fields(key))


def made_key(made: NewKey) -> MadeKey:
    """Return a key that was just made as it is shown, this once with its secret."""
    return MadeKey(**_fields(made.state), key=made.key)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _services(scope: Scope) -> tuple[ServiceType, ...] | None:
    # Sorted, so that the same scope is always shown in the same way.
    return None if scope.services is None else tuple(sorted(scope.services))


def _fields(key: KeyState) -> dict[str, Any]:
    return {
        "id": key.id,
        "prefix": key.prefix,
        "services": _services(key.scope),
        "jurisdiction": key.scope.jurisdiction,
        "items_per_minute": key.scope.items_per_minute,
        "items_per_day": key.scope.items_per_day,
        "created_at": instant_text(key.created_at),
        "expires_at": _instant(key.expires_at),
        "rotated_at": _instant(key.rotated_at),
        "revoked_at": _instant(key.revoked_at),
        "last_used_at": _instant(key.last_used_at),
    }
