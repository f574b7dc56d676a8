"""`/v1/accounts`: who may call, and how widely. For operators alone."""

import logging
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.params import FromPath

from checker.accounts.accounts import AccountChanges, Accounts
from checker.accounts.keys import AccountRole, Action
from checker.accounts.scope import (
    ITEMS_MAX,
    NETWORKS_MAX,
    AccountScope,
    Network,
    is_within,
    read_networks,
)
from checker.accounts.views import AccountView, account_view
from checker.api.access import require
from checker.api.caller_address import caller_address
from checker.api.exchange import CHECK_BYTES_MAX, Reply, encode, read_body
from checker.api.parameters import flag, number, refuse_unknown
from checker.api.responses import respond, respond_json
from checker.decoding import decode
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict, Fault, InvalidRequest
from checker.node.runtime import Runtime

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
NUMBER_MAX = 10**18 - 1
NAME_LENGTH_MAX = 200
NETWORK_LENGTH_MAX = 43
"""An IPv6 network that is written out."""

AccountName = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Services = Annotated[tuple[ServiceType, ...], msgspec.Meta(min_length=1)]
Place = Annotated[str, msgspec.Meta(max_length=6)]
Items = Annotated[int, msgspec.Meta(ge=0, le=ITEMS_MAX)]
"""0: no limit."""
Networks = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=NETWORK_LENGTH_MAX)], ...],
    msgspec.Meta(min_length=1, max_length=NETWORKS_MAX),
]

_log = logging.getLogger(__name__)


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to make. Without `services` it may ask about all; items of 0 are no limit."""

    name: AccountName
    role: AccountRole
    services: Services | None = None
    jurisdiction: Place | None = None
    items_per_minute: Items = 0
    items_per_day: Items = 0
    networks: Networks | None = None


class ChangedAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become of an account; what is left out stays as it is."""

    name: AccountName | msgspec.UnsetType = msgspec.UNSET
    services: Services | msgspec.UnsetType | None = msgspec.UNSET
    jurisdiction: Place | msgspec.UnsetType | None = msgspec.UNSET
    items_per_minute: Items | msgspec.UnsetType = msgspec.UNSET
    items_per_day: Items | msgspec.UnsetType = msgspec.UNSET
    networks: Networks | msgspec.UnsetType | None = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accounts, oldest first; `next` goes into `after`, null: there are no more."""

    accounts: tuple[AccountView, ...]
    next: int | None


_new_account = msgspec.json.Decoder(NewAccount)
_changed_account = msgspec.json.Decoder(ChangedAccount)


@post("/v1/accounts", status_code=201)
async def create_account(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Make an account; it has no key yet."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ())
    asked = decode(_new_account, await read_body(request.receive, CHECK_BYTES_MAX))
    scope = AccountScope(
        services=None if asked.services is None else frozenset(asked.services),
        jurisdiction=place_of(asked.jurisdiction),
        items_per_minute=asked.items_per_minute,
        items_per_day=asked.items_per_day,
        networks=_networks(asked.networks),
    )
    made = await _accounts(request).create(name=_name(asked.name), role=asked.role, scope=scope)
    _log.info("account %s made by account %s", made.id, caller.account_id)
    headers = {"location": f"/v1/accounts/{made.id}"}
    return respond(Reply(status=201, body=encode(account_view(made)), headers=headers))


@get("/v1/accounts")
async def list_accounts(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell which accounts there are."""
    await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ("after", "limit", "flagged"))
    after = number(request, "after", default=0, low=0, high=NUMBER_MAX)
    limit = number(request, "limit", default=PAGE_SIZE, low=1, high=PAGE_SIZE_MAX)
    # One more than is shown tells whether there are more.
    found = await _accounts(request).page(
        after=after, limit=limit + 1, flagged=flag(request, "flagged")
    )
    return respond_json(
        AccountsPage(
            accounts=tuple(map(account_view, found[:limit])),
            next=found[limit - 1].number if len(found) > limit else None,
        )
    )


@get("/v1/accounts/{account_id:str}")
async def show_account(
    request: Request[Any, Any, Any], account_id: FromPath[str]
) -> Response[bytes]:
    """Tell of one account."""
    await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ())
    return respond_json(account_view(await _accounts(request).find(account_id)))


@patch("/v1/accounts/{account_id:str}", status_code=200)
async def change_account(
    request: Request[Any, Any, Any], account_id: FromPath[str]
) -> Response[bytes]:
    """Change an account's name, scope or quotas, or disable it."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ())
    asked = decode(_changed_account, await read_body(request.receive, CHECK_BYTES_MAX))
    if asked.disabled is True and account_id == caller.account_id:
        raise Conflict("this is the account that calls: let another one disable it")
    changes = _changes(asked)
    networks = changes.scope.get("networks")
    is_own = account_id == caller.account_id
    if is_own and networks and not is_within(caller_address(request.scope), networks):
        raise Conflict("this is the account that calls: its `networks` must hold this address")
    changed = await _accounts(request).change(account_id, changes)
    _log.info("account %s changed by account %s", changed.id, caller.account_id)
    return respond_json(account_view(changed))


@post("/v1/accounts/{account_id:str}/clear_flag", status_code=200)
async def clear_flag(request: Request[Any, Any, Any], account_id: FromPath[str]) -> Response[bytes]:
    """Let an account go on: an operator has looked. Where there is no flag nothing happens."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    found = await runtime.accounts.find(account_id)
    await runtime.flags.clear(found.id, by=caller.account_id)
    _log.info("flag of account %s cleared by account %s", found.id, caller.account_id)
    return respond_json(account_view(await runtime.accounts.find(found.id)))


def place_of(text: str | None) -> Jurisdiction | None:
    """Read the place of a scope. Raises InvalidRequest."""
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


def _accounts(request: Request[Any, Any, Any]) -> Accounts:
    runtime: Runtime = request.app.state.runtime
    return runtime.accounts
