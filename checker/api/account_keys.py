"""`/v1/accounts/{id}/keys`: an account's keys. For operators alone; a key itself is told once."""

import logging
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath

from checker.accounts.account_keys import OVERLAP_S, OVERLAP_S_MAX, AccountKeys, NewKey
from checker.accounts.keys import Action
from checker.accounts.scope import Scope
from checker.accounts.views import KeyView, key_view, made_key
from checker.api.access import require
from checker.api.accounts import (
    NUMBER_MAX,
    PAGE_SIZE,
    PAGE_SIZE_MAX,
    Items,
    Place,
    Services,
    place_of,
)
from checker.api.exchange import CHECK_BYTES_MAX, Reply, encode, read_body
from checker.api.parameters import number, refuse_unknown
from checker.api.responses import respond, respond_json
from checker.decoding import decode
from checker.domain.clock import Clock
from checker.errors import Conflict, Fault, InvalidRequest
from checker.node.runtime import Runtime

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Overlap = Annotated[int, msgspec.Meta(ge=0, le=OVERLAP_S_MAX)]

_Asked = TypeVar("_Asked")
_log = logging.getLogger(__name__)


class KeyToMake(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make: what is left out is as the account has it; it may only be narrower.

    Without `expires_at` it does not end by itself.
    """

    expires_at: Instant | None = None
    services: Services | None = None
    jurisdiction: Place | None = None
    items_per_minute: Items = 0
    items_per_day: Items = 0


class KeyRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds the old key is in force beside the new one, and when that one expires.

    Without `expires_at` the new one lives as long as the old one was made to live.
    """

    overlap_seconds: Overlap = OVERLAP_S
    expires_at: Instant | None = None


class KeysPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of keys, oldest first; `next` goes into `after`, null: there are no more."""

    keys: tuple[KeyView, ...]
    next: int | None


_key_to_make = msgspec.json.Decoder(KeyToMake)
_key_rotation = msgspec.json.Decoder(KeyRotation)


@post("/v1/accounts/{account_id:str}/keys", status_code=201)
async def create_account_key(
    request: Request[Any, Any, Any], account_id: FromPath[str]
) -> Response[bytes]:
    """Make a key for an account, and show it this once."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    asked = await _read(request, _key_to_make, KeyToMake())
    scope = Scope(
        services=None if asked.services is None else frozenset(asked.services),
        jurisdiction=place_of(asked.jurisdiction),
        items_per_minute=asked.items_per_minute,
        items_per_day=asked.items_per_day,
    )
    _refuse_past(asked.expires_at, _runtime(request).clock)
    made = await _keys(request).create(account_id, scope, asked.expires_at)
    _log.info("key %s made by account %s", made.state.id, caller.account_id)
    return _made(made)


@get("/v1/accounts/{account_id:str}/keys")
async def list_account_keys(
    request: Request[Any, Any, Any], account_id: FromPath[str]
) -> Response[bytes]:
    """Tell which keys an account has and had; never a key itself."""
    await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ("after", "limit"))
    after = number(request, "after", default=0, low=0, high=NUMBER_MAX)
    limit = number(request, "limit", default=PAGE_SIZE, low=1, high=PAGE_SIZE_MAX)
    # One more than is shown tells whether there are more.
    found = await _keys(request).page(account_id, after=after, limit=limit + 1)
    return respond_json(
        KeysPage(
            keys=tuple(map(key_view, found[:limit])),
            next=found[limit - 1].number if len(found) > limit else None,
        )
    )


@post("/v1/accounts/{account_id:str}/keys/{key_id:str}/rotate", status_code=201)
async def rotate_account_key(
    request: Request[Any, Any, Any], account_id: FromPath[str], key_id: FromPath[str]
) -> Response[bytes]:
    """Make a successor of a key; the old one ends after the overlap."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    asked = await _read(request, _key_rotation, KeyRotation())
    _refuse_past(asked.expires_at, _runtime(request).clock)
    overlap = timedelta(seconds=asked.overlap_seconds)
    made = await _keys(request).rotate(
        account_id, key_id, overlap=overlap, expires_at=asked.expires_at
    )
    _log.info("key %s rotated by account %s", key_id, caller.account_id)
    return _made(made)


@delete("/v1/accounts/{account_id:str}/keys/{key_id:str}", status_code=200)
async def revoke_account_key(
    request: Request[Any, Any, Any], account_id: FromPath[str], key_id: FromPath[str]
) -> Response[bytes]:
    """End a key, on every node within a second."""
    caller = await require(request, Action.MANAGE_ACCOUNTS)
    refuse_unknown(request, ())
    keys = _keys(request)
    if (await keys.find(key_id)).number == caller.key_pk:
        raise Conflict("this is the key that calls: revoke it with another one")
    revoked = await keys.revoke(account_id, key_id)
    _log.info("key %s revoked by account %s", revoked.id, caller.account_id)
    return respond_json(key_view(revoked))


async def _read(
    request: Request[Any, Any, Any], decoder: msgspec.json.Decoder[_Asked], without_body: _Asked
) -> _Asked:
    refuse_unknown(request, ())
    body = await read_body(request.receive, CHECK_BYTES_MAX)
    return decode(decoder, body) if body else without_body


def _refuse_past(expires_at: datetime | None, clock: Clock) -> None:
    if expires_at is not None and expires_at <= clock.now():
        fault = Fault("/expires_at", "is in the past")
        raise InvalidRequest("a field is not as it must be", [fault])


def _made(made: NewKey) -> Response[bytes]:
    body = encode(made_key(made))
    # RFC 9111, section 5.2.2.5: nothing on the way may keep the key.
    return respond(Reply(status=201, body=body, headers={"cache-control": "no-store"}))


def _runtime(request: Request[Any, Any, Any]) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def _keys(request: Request[Any, Any, Any]) -> AccountKeys:
    return _runtime(request).account_keys
