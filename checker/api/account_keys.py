"""`/v1/accounts/{account_id}/keys`: the keys of an account, for operators alone.

A key itself is shown once, in the answer that creates it.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from checker.accounts.account_keys import OVERLAP_S, OVERLAP_S_MAX, NewKey
from checker.accounts.key_states import KeyState
from checker.accounts.keys import Action
from checker.accounts.scope import Scope
from checker.accounts.views import KeyView, MadeKey, key_view, made_key
from checker.api.account_bodies import Items, Services, place_of
from checker.api.accounts import ACCOUNTS
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import CHECK_BYTES_MAX, Reply, json_reply
from checker.api.operation import RequestBody, Success
from checker.api.paging import AFTER, LIMIT, PAGING, cut_page
from checker.checks.request import Place
from checker.domain.clock import Clock, Instant
from checker.errors import Conflict, Fault, InvalidRequest, NotFound
from checker.node.runtime import Runtime
from checker.operators.action import ActionAuthor, OperatorAction

Overlap = Annotated[int, msgspec.Meta(ge=0, le=OVERLAP_S_MAX)]

_KEY: Final = {
    "id": "5a6c1f9e-8f60-4b8f-8f0b-2b1f6c1d9e01",
    "prefix": "ck_Xq3v9T",
    "services": ["lodging"],
    "jurisdiction": None,
    "items_per_minute": 0,
    "items_per_day": 0,
    "created_at": "2026-11-23T01:02:03.456Z",
    "expires_at": "2027-12-31T16:00:00.000Z",
    "rotated_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
# RFC 9111, section 5.2.2.5: no cache on the way may keep the key.
_NO_STORE: Final = {"cache-control": "no-store"}
_CREATED: Final = Success(
    status=201,
    kinds=(MadeKey,),
    example=_KEY | {"key": "ck_Xq3v9T…"},
    headers={"Cache-Control": "`no-store`: no cache may keep the key"},
    description="The key, shown this once",
)


class KeyToMake(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to create. An absent field is as the account has it; a key may only be narrower.

    Without `expires_at` the key does not expire.
    """

    expires_at: Instant | None = None
    services: Services | None = None
    jurisdiction: Place | None = None
    items_per_minute: Items = 0
    items_per_day: Items = 0


class KeyRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds the old key stays in force, and when the new key expires.

    Without `expires_at` the new key lives as long as the old key was created to live.
    """

    overlap_seconds: Overlap = OVERLAP_S
    expires_at: Instant | None = None


class KeysPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of keys, oldest first. Send `next` as `after`; null means the last page."""

    keys: tuple[KeyView, ...]
    next: int | None


@endpoint(
    "POST",
    "/v1/accounts/{account_id}/keys",
    may=(Action.MANAGE_ACCOUNTS,),
    logs=OperatorAction.CREATE_KEY,
    tag=ACCOUNTS,
    body=RequestBody(
        kinds=(KeyToMake,),
        bytes_max=CHECK_BYTES_MAX,
        example={"services": ["lodging"], "expires_at": "2027-12-31T16:00:00.000Z"},
        required=False,
    ),
    answers=(_CREATED,),
    raises=(NotFound, Conflict),
)
async def create_account_key(call: Call) -> Reply:
    """Create a key for an account, and show the key this once.

    Without a body the key has the whole scope of its account.
    """
    asked, account_id = await call.body(KeyToMake), call.path("account_id")
    return _made(await account_key_made(call.runtime, account_id, asked, call.author))


async def account_key_made(
    runtime: Runtime, account_id: str, asked: KeyToMake, author: ActionAuthor
) -> NewKey:
    """Create a key, and return it. Raises as `AccountKeys.create`."""
    scope = Scope(
        services=None if asked.services is None else frozenset(asked.services),
        jurisdiction=place_of(asked.jurisdiction),
        items_per_minute=asked.items_per_minute,
        items_per_day=asked.items_per_day,
    )
    _refuse_past(asked.expires_at, runtime.clock)
    return await runtime.account_keys.create(account_id, scope, asked.expires_at, by=author)


@endpoint(
    "GET",
    "/v1/accounts/{account_id}/keys",
    may=(Action.MANAGE_ACCOUNTS,),
    tag=ACCOUNTS,
    query=PAGING,
    answers=(Success(kinds=(KeysPage,), example={"keys": [_KEY], "next": None}),),
    raises=(NotFound,),
)
async def list_account_keys(call: Call) -> Reply:
    """List the keys of an account, oldest first.

    Keys that are revoked or expired are listed too. A key itself is never shown.
    """
    limit = call.query(LIMIT)
    found, last = cut_page(
        await call.runtime.account_keys.page(
            call.path("account_id"), after=call.query(AFTER), limit=limit + 1
        ),
        limit,
    )
    following = None if last is None else last.number
    return json_reply(KeysPage(keys=tuple(map(key_view, found)), next=following))


@endpoint(
    "POST",
    "/v1/accounts/{account_id}/keys/{key_id}/rotate",
    may=(Action.MANAGE_ACCOUNTS,),
    logs=OperatorAction.ROTATE_KEY,
    tag=ACCOUNTS,
    body=RequestBody(
        kinds=(KeyRotation,),
        bytes_max=CHECK_BYTES_MAX,
        example={"overlap_seconds": 86_400},
        required=False,
    ),
    answers=(_CREATED,),
    raises=(NotFound, Conflict),
)
async def rotate_account_key(call: Call) -> Reply:
    """Create the successor of a key, with the same scope.

    The old key ends after the overlap. A key that is revoked, has expired or has a successor cannot
    be rotated.
    """
    asked = await call.body(KeyRotation)
    _refuse_past(asked.expires_at, call.runtime.clock)
    key_id = call.path("key_id")
    made = await call.runtime.account_keys.rotate(
        call.path("account_id"),
        key_id,
        by=call.author,
        overlap=timedelta(seconds=asked.overlap_seconds),
        expires_at=asked.expires_at,
    )
    return _made(made)


@endpoint(
    "DELETE",
    "/v1/accounts/{account_id}/keys/{key_id}",
    may=(Action.MANAGE_ACCOUNTS,),
    logs=OperatorAction.REVOKE_KEY,
    tag=ACCOUNTS,
    answers=(Success(kinds=(KeyView,), example=_KEY | {"revoked_at": "2026-11-24T01:02:03.456Z"}),),
    raises=(NotFound, Conflict),
)
async def revoke_account_key(call: Call) -> Reply:
    """Revoke a key, on every node within a second.

    A key cannot revoke itself.
    """
    account_id, key_id = call.path("account_id"), call.path("key_id")
    revoked = await account_key_revoked(call.runtime, account_id, key_id, call.author)
    return json_reply(key_view(revoked))


async def account_key_revoked(
    runtime: Runtime, account_id: str, key_id: str, author: ActionAuthor
) -> KeyState:
    """Revoke a key that is not the author's own, and return it. Raises as `AccountKeys.revoke`."""
    keys = runtime.account_keys
    if (await keys.find(key_id)).number == author.key_pk:
        raise Conflict("this is the key that calls: revoke it with another one")
    return await keys.revoke(account_id, key_id, by=author)


def _refuse_past(expires_at: datetime | None, clock: Clock) -> None:
    if expires_at is not None and expires_at <= clock.now():
        fault = Fault("/expires_at", "is in the past")
        raise InvalidRequest("a field is not as it must be", [fault])


def _made(made: NewKey) -> Reply:
    return json_reply(made_key(made), status=201, headers=_NO_STORE)
