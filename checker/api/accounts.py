"""`/v1/accounts`: the accounts and their scopes, for operators alone."""

from typing import Final

import msgspec

from checker.accounts.keys import Action
from checker.accounts.views import AccountView, account_view
from checker.api.account_bodies import ChangedAccount, NewAccount, account_changed, account_made
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import CHECK_BYTES_MAX, Reply, json_reply
from checker.api.operation import RequestBody, Success, Tag
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.api.parameters import flag
from checker.errors import Conflict, NotFound
from checker.operators.action import OperatorAction

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


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accounts, oldest first. Send `next` as `after`; null means the last page."""

    accounts: tuple[AccountView, ...]
    next: int | None


@endpoint(
    "POST",
    "/v1/accounts",
    may=(Action.MANAGE_ACCOUNTS,),
    logs=OperatorAction.CREATE_ACCOUNT,
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
    made = await account_made(call.runtime, await call.body(NewAccount), call.author)
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
    logs=OperatorAction.CHANGE_ACCOUNT,
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
    asked, account_id = await call.body(ChangedAccount), call.path("account_id")
    address, author = call.origin.address, call.author
    return json_reply(
        account_view(await account_changed(call.runtime, account_id, asked, address, author))
    )


@endpoint(
    "POST",
    "/v1/accounts/{account_id}/clear_flag",
    may=(Action.MANAGE_ACCOUNTS,),
    logs=OperatorAction.CLEAR_FLAG,
    tag=ACCOUNTS,
    answers=(Success(kinds=(AccountView,), example=_ACCOUNT),),
    raises=(NotFound,),
)
async def clear_flag(call: Call) -> Reply:
    """Clear the flag of an account, after an operator has looked.

    The account is no longer slowed. Without a flag nothing happens.
    """
    runtime = call.runtime
    found = await runtime.accounts.find(call.path("account_id"))
    await runtime.flags.clear(found.id, by=call.author)
    return json_reply(account_view(await runtime.accounts.find(found.id)))
