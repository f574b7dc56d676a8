"""`GET /v1/list`: the state of the list, in numbers, for operators."""

import os
import socket
from typing import Any

import msgspec
from litestar import Request, Response, get

from cache.errors import CacheIncomplete, CacheUnavailable
from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.responses import respond_json
from checker.domain.clock import instant_text
from checker.registry.summary import summarize
from checker.runtime import Runtime


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A process that answers checks; `lag_ms` is how long it has been behind the registry."""

    id: str
    version: int
    lag_ms: int


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """The list as it stands; `version` 0 and no `as_of`: none was taken in yet."""

    version: int
    as_of: str | None
    persons: int
    organizations: int
    listings: int
    nodes: tuple[Node, ...]
    overdue_removals: int
    unresolved_officers: int
    masked: int


@get("/v1/list")
async def show_list(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell version, age and size of the list, and which version the answering node serves."""
    await require(request, Action.SEE_LIST)
    runtime: Runtime = request.app.state.runtime
    summary = await summarize(runtime.engine)
    newest = summary.version
    return respond_json(
        ListView(
            version=0 if newest is None else newest.version,
            as_of=None if newest is None else instant_text(newest.at),
            persons=summary.persons,
            organizations=summary.organizations,
            listings=summary.listings,
            nodes=await _nodes(runtime),
            # No operation of the feed starts the clock of a removal yet.
            overdue_removals=0,
            unresolved_officers=summary.unresolved_officers,
            masked=summary.masked,
        )
    )


async def _nodes(runtime: Runtime) -> tuple[Node, ...]:
    """Tell of the answering node; what it cannot believe, it asks the registry for instead."""
    newest = runtime.publisher.newest
    if newest is None:
        return ()
    try:
        generation = await runtime.cache.current()
    except (CacheUnavailable, CacheIncomplete):
        generation = None
    served = newest.version if generation is None else generation.version
    behind = served < newest.version
    lag = round(runtime.clock.now().timestamp() * 1000) - newest.at_ms if behind else 0
    return (Node(id=f"{socket.gethostname()}:{os.getpid()}", version=served, lag_ms=lag),)
