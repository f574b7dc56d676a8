"""The bodies of `/v1/accounts`, and the changes that they ask for.

The console makes the same changes by the same functions.
"""

from typing import Annotated, Any, Final

import msgspec

from checker.accounts.accounts import Account, AccountChanges
from checker.accounts.keys import AccountRole
from checker.accounts.scope import (
    COURT_LENGTH_MAX,
    COURTS_MAX,
    ITEMS_MAX,
    NETWORKS_MAX,
    AccountScope,
    Network,
    is_within,
    read_courts,
    read_networks,
)
from checker.checks.request import Place
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict, Fault, InvalidRequest
from checker.node.runtime import Runtime
from checker.operators.action import ActionAuthor

NAME_LENGTH_MAX = 200
NETWORK_LENGTH_MAX = 43
"""The longest text of an IPv6 network."""

_PRINTABLE: Final = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$"
"""For the OpenAPI document. A handler also refuses rarer characters that cannot be printed."""

AccountName = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=NAME_LENGTH_MAX, extra_json_schema={"pattern": _PRINTABLE}
    ),
]
Services = Annotated[tuple[ServiceType, ...], msgspec.Meta(min_length=1)]
Items = Annotated[int, msgspec.Meta(ge=0, le=ITEMS_MAX)]
"""0: no limit."""

Networks = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=NETWORK_LENGTH_MAX)], ...],
    msgspec.Meta(min_length=1, max_length=NETWORKS_MAX),
]

CourtNames = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=COURT_LENGTH_MAX)], ...],
    msgspec.Meta(min_length=1, max_length=COURTS_MAX),
]


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to create. Without `services` it may ask about all; items of 0 are no limit.

    A court's account with `courts` changes only the listings of these courts, and its snapshot
    replaces only their part of the list.
    """

    name: AccountName
    role: AccountRole
    services: Services | None = None
    jurisdiction: Place | None = None
    items_per_minute: Items = 0
    items_per_day: Items = 0
    networks: Networks | None = None
    courts: CourtNames | None = None


class ChangedAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The changes of an account; an absent field stays as it is."""

    name: AccountName | msgspec.UnsetType = msgspec.UNSET
    services: Services | msgspec.UnsetType | None = msgspec.UNSET
    jurisdiction: Place | msgspec.UnsetType | None = msgspec.UNSET
    items_per_minute: Items | msgspec.UnsetType = msgspec.UNSET
    items_per_day: Items | msgspec.UnsetType = msgspec.UNSET
    networks: Networks | msgspec.UnsetType | None = msgspec.UNSET
    courts: CourtNames | msgspec.UnsetType | None = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


async def account_made(runtime: Runtime, asked: NewAccount, author: ActionAuthor) -> Account:
    """Create an account, and return it. Raises as `Accounts.create`."""
    scope = AccountScope(
        services=None if asked.services is None else frozenset(asked.services),
        jurisdiction=place_of(asked.jurisdiction),
        items_per_minute=asked.items_per_minute,
        items_per_day=asked.items_per_day,
        networks=_networks(asked.networks),
        courts=None if asked.courts is None else read_courts(asked.courts),
    )
    name = _name(asked.name)
    return await runtime.accounts.create(name=name, role=asked.role, scope=scope, by=author)


async def account_changed(
    runtime: Runtime, account_id: str, asked: ChangedAccount, address: str, author: ActionAuthor
) -> Account:
    """Change an account for a caller at `address`, and return it. Raises as `Accounts.change`."""
    is_own = account_id == author.account_id
    if asked.disabled is True and is_own:
        raise Conflict("this is the account that calls: let another one disable it")
    changes = _changes(asked)
    networks = changes.scope.get("networks")
    if is_own and networks and not is_within(address, networks):
        raise Conflict("this is the account that calls: its `networks` must hold this address")
    return await runtime.accounts.change(account_id, changes, by=author)


def place_of(text: str | None) -> Jurisdiction | None:
    """Return the jurisdiction of a scope; None if none is sent. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        return parse_jurisdiction(text)
    except InvalidJurisdiction as error:
        raise InvalidRequest(str(error), [Fault("/jurisdiction", str(error))]) from None


def _changes(asked: ChangedAccount) -> AccountChanges:
    scope: dict[str, Any] = {
        field: getattr(asked, field)
        for field in AccountScope.__struct_fields__
        if getattr(asked, field) is not msgspec.UNSET
    }
    if "jurisdiction" in scope:
        scope["jurisdiction"] = place_of(scope["jurisdiction"])
    if "networks" in scope:
        scope["networks"] = _networks(scope["networks"])
    if scope.get("courts") is not None:
        scope["courts"] = read_courts(scope["courts"])
    name = asked.name if isinstance(asked.name, msgspec.UnsetType) else _name(asked.name)
    return AccountChanges(name=name, scope=scope, disabled=asked.disabled)


def _networks(texts: tuple[str, ...] | None) -> tuple[Network, ...] | None:
    return None if texts is None else read_networks(texts)


def _name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable():
        fault = Fault("/name", "is blank or holds what cannot be printed")
        raise InvalidRequest("a field is not as it must be", [fault])
    return name
