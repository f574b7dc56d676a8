"""`/healthz` (the process lives) and `/readyz` (a check can be answered)."""

from typing import Final

import msgspec
from sqlalchemy import select

from cache.errors import CacheIncomplete, CacheUnavailable
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.operation import KeyUse, Success, Tag
from checker.database.engine import driver_errors
from checker.database.sqlstates import TEXTS
from checker.errors import Unavailable
from checker.node.runtime import Runtime
from checker.registry.lost_changes import IS_SET_BACK, SET_BACK
from checker.registry.versions import newest_version

SERVICE: Final = Tag(name="service", description="The state of the service itself.")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The sources that can answer a check; one of the three is enough for an innocent.

    `status` is `ready` with all three, else `degraded`. `replica`: this process may answer by
    itself that somebody is not listed. `cache`: Redis is proven to hold the newest list.
    """

    status: str
    replica: bool
    cache: bool
    registry: bool
    version: int


@endpoint(
    "GET",
    "/healthz",
    key=KeyUse.NONE,
    tag=SERVICE,
    answers=(Success(kinds=(Health,), example={"status": "ok"}),),
)
async def show_health(call: Call) -> Reply:
    """Show that the process lives.

    The answer depends on no other process.
    """
    return json_reply(Health())


@endpoint(
    "GET",
    "/readyz",
    key=KeyUse.NONE,
    tag=SERVICE,
    answers=(
        Success(
            kinds=(Readiness,),
            example={
                "status": "ready",
                "replica": True,
                "cache": True,
                "registry": True,
                "version": 42,
            },
        ),
    ),
    raises=(Unavailable,),
)
async def show_readiness(call: Call) -> Reply:
    """Show whether checks can be answered.

    The answer is 503 if no source can clear anybody, if the list went back to an older state, or if
    PostgreSQL takes no writes. Without writes the checks of listed persons, feeds and holds are all
    refused.
    """
    runtime = call.runtime
    if not runtime.joining.has_joined:
        # No caller is known here yet, so not even Redis can help.
        raise Unavailable("the registry has not been reached yet")
    cached = await _version_vouched_for(runtime)
    registered = await _version_registered(runtime)
    held = runtime.replica.position if runtime.replica.holds_lease else None
    replicated = None if held is None else held.version
    # The registry first: the others may hold a version of a history that the registry has lost.
    known = (registered, cached, replicated)
    newest = next((version for version in known if version is not None), 0)
    refused = runtime.pulse.writes_refused
    if refused is not None:
        raise Unavailable(TEXTS[refused], outage=refused)
    if not newest:
        raise Unavailable("no list can be vouched for")
    view = Readiness(
        status="degraded" if None in known else "ready",
        replica=replicated is not None,
        cache=cached is not None,
        registry=registered is not None,
        version=newest,
    )
    return json_reply(view)


async def _version_vouched_for(runtime: Runtime) -> int | None:
    """Return the version that the cache proves to hold; None if it proves none now."""
    try:
        lookup = await runtime.cache.lookup(())
    except (CacheUnavailable, CacheIncomplete):
        return None
    return lookup.position.version


async def _version_registered(runtime: Runtime) -> int | None:
    """Return the newest version of the registry; 0 before the first list; None if it is away.

    Raises Unavailable if the list is set back.
    """
    try:
        with driver_errors():
            async with runtime.engine.connect() as connection:
                newest = await newest_version(connection)
                is_back = (await connection.execute(select(IS_SET_BACK))).scalar_one()
    except Unavailable:
        return None
    if is_back:
        raise Unavailable(SET_BACK)
    return 0 if newest is None else newest.version
