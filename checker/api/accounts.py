"""`/v1/accounts`: the accounts and their scopes, for operators alone."""

import logging
from typing import Annotated, Any, Final

import msgspec

from checker.accounts.accounts import AccountChanges
from checker.accounts.keys import AccountRole, Action
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
from checker.accounts.views import AccountView, account_view
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import CHECK_BYTES_MAX, Reply, json_reply
from checker.api.operation import RequestBody, Success, Tag
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.api.parameters import flag
from checker.checks.request import Place
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service import ServiceType
from checker.errors import Conflict, Fault, InvalidRequest, NotFound

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

ACCOUNTS: Final = Tag(name="accounts", description="Accounts and their keys, for operators.")
ACCOUNT_ID: Final = "ab8f1a06-5f0a-4b56-9d3c-3f6e1c0f7a11"
_FLAGGED: Final = flag("flagged", "Only the accounts that are flagged")
_ACCOUNT: Final = {
    "id": ACCOUNT_ID,
    "name": "湛江某酒店",
    "role": "institution",
    "services": ["lodging", "venue"],
    "jurisdiction": "4408",
    "items_per_minute": 600,
    "items_per_day": 100_000,
    "networks": ["203.0.113.0/24"],
    "courts": None,
    "created_at": "2026-11-23T01:02:03.456Z",
    "disabled_at": None,
    "flag": None,
}

_log = logging.getLogger(__name__)


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


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accounts, oldest first. Send `next` as `after`; null means the last page."""

    accounts: tuple[AccountView, ...]
    next: int | None


@endpoint(
    "POST",
    "/v1/accounts",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    body=RequestBody(
        kinds=(NewAccount,),
        bytes_max=CHECK_BYTES_MAX,
        example={
            "name": "湛江某酒店",
            "role": "institution",
            "services": ["lodging", "venue"],
            "jurisdiction": "4408",
            "items_per_minute": 600,
            "items_per_day": 100_000,
            "networks": ["203.0.113.0/24"],
        },
    ),
    answers=(
        Success(
            status=201,
            kinds=(AccountView,),
            example=_ACCOUNT,
            headers={"Location": "The address of the account"},
        ),
    ),
    raises=(Conflict,),
)
async def create_account(call: Call) -> Reply:
    """Create an account.

    The account has no key yet: create one at `/v1/accounts/{account_id}/keys`. The name of an
    account is unique.
    """
    asked = await call.body(NewAccount)
    scope = AccountScope(
        services=None if asked.services is None else frozenset(asked.services),
        jurisdiction=place_of(asked.jurisdiction),
        items_per_minute=asked.items_per_minute,
        items_per_day=asked.items_per_day,
        networks=_networks(asked.networks),
        courts=None if asked.courts is None else read_courts(asked.courts),
    )
    accounts = call.runtime.accounts
    made = await accounts.create(name=_name(asked.name), role=asked.role, scope=scope)
    _log.info("account %s made by account %s", made.id, call.caller.account_id)
    headers = {"location": f"/v1/accounts/{made.id}"}
    return json_reply(account_view(made), status=201, headers=headers)


@endpoint(
    "GET",
    "/v1/accounts",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    query=(*PAGING, _FLAGGED),
    answers=(Success(kinds=(AccountsPage,), example={"accounts": [_ACCOUNT], "next": None}),),
)
async def list_accounts(call: Call) -> Reply:
    """List accounts, oldest first.

    `flagged=true` lists only the accounts that an operator should look at.
    """
    limit = call.query(LIMIT)
    found, last = cut_page(
        await call.runtime.accounts.page(
            after=call.query(AFTER), limit=limit + 1, flagged=call.query(_FLAGGED)
        ),
        limit,
    )
    return json_reply(
        AccountsPage(
            accounts=tuple(map(account_view, found)), next=None if last is None else last.number
        )
    )


@endpoint(
    "GET",
    "/v1/accounts/{account_id}",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    answers=(Success(kinds=(AccountView,), example=_ACCOUNT),),
    raises=(NotFound,),
)
async def show_account(call: Call) -> Reply:
    """Show an account.

    `flag` holds the figures of an account that seems to search for listed persons.
    """
    return json_reply(account_view(await call.runtime.accounts.find(call.path("account_id"))))


@endpoint(
    "PATCH",
    "/v1/accounts/{account_id}",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    body=RequestBody(
        kinds=(ChangedAccount,), bytes_max=CHECK_BYTES_MAX, example={"items_per_day": 200_000}
    ),
    answers=(Success(kinds=(AccountView,), example=_ACCOUNT | {"items_per_day": 200_000}),),
    raises=(NotFound, Conflict),
)
async def change_account(call: Call) -> Reply:
    """Change the name, scope or quotas of an account, or disable the account.

    A change holds for all keys of the account, on every node within a second. An account cannot
    disable itself.
    """
    asked = await call.body(ChangedAccount)
    account_id, caller = call.path("account_id"), call.caller
    if asked.disabled is True and account_id == caller.account_id:
        raise Conflict("this is the account that calls: let another one disable it")
    changes = _changes(asked)
    networks = changes.scope.get("networks")
    is_own = account_id == caller.account_id
    if is_own and networks and not is_within(call.origin.address, networks):
        raise Conflict("this is the account that calls: its `networks` must hold this address")
    changed = await call.runtime.accounts.change(account_id, changes)
    _log.info("account %s changed by account %s", changed.id, caller.account_id)
    return json_reply(account_view(changed))


@endpoint(
    "POST",
    "/v1/accounts/{account_id}/clear_flag",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    answers=(Success(kinds=(AccountView,), example=_ACCOUNT),),
    raises=(NotFound,),
)
async def clear_flag(call: Call) -> Reply:
    """Clear the flag of an account, after an operator has looked.

    The account is no longer slowed. Without a flag nothing happens.
    """
    runtime, cleared_by = call.runtime, call.caller.account_id
    found = await runtime.accounts.find(call.path("account_id"))
    await runtime.flags.clear(found.id, by=cleared_by)
    _log.info("flag of account %s cleared by account %s", found.id, cleared_by)
    return json_reply(account_view(await runtime.accounts.find(found.id)))


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
