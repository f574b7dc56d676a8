"""`/healthz` (the process lives), `/readyz` (a check could be answered), `/problems/<code>`."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from cache.errors import CacheIncomplete, CacheUnavailable
from checker.api.problems import ALL_KINDS, ProblemKind
from checker.api.responses import respond_json
from checker.database.engine import driver_errors
from checker.database.sqlstates import TEXTS
from checker.errors import NotFound, Unavailable
from checker.node.runtime import Runtime
from checker.registry.versions import newest_version

_KINDS = {kind.code: kind for kind in ALL_KINDS}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind an answer: any of the three alone is enough for an innocent.

    `status` is `ready` with all three, `degraded` with fewer. `replica`: this process may say by
    itself that somebody is not listed; `cache`: Redis holds the newest list and somebody vouches
    for that.
    """

    status: str
    replica: bool
    cache: bool
    registry: bool
    version: int


@get("/healthz")
async def healthz() -> Response[bytes]:
    """Answer without asking anything of anybody."""
    return respond_json(Health())


@get("/readyz")
async def readyz(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Ask the replica and both stores; ready while one of them can clear somebody.

    Raises:
        Unavailable: nobody can be cleared; or PostgreSQL takes no writes, so that a listed person's
            check, a feed and a hold are all refused (docs/decisions/0025).
    """
    runtime: Runtime = request.app.state.runtime
    if not runtime.joining.has_joined:
        # Whatever Redis holds: no caller is known here yet.
        raise Unavailable("the registry has not been reached yet")
    cached = await _version_vouched_for(runtime)
    registered = await _version_registered(runtime)
    held = runtime.follower.position if runtime.follower.holds_lease else None
    replicated = None if held is None else held.version
    # The registry first: what the others hold may be of a history that it has lost.
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
    return respond_json(view)


@get("/problems/{code:str}")
async def explain_problem(code: FromPath[str]) -> Response[bytes]:
    """Explain one code of the table of problems; the `type` of each problem points here."""
    kind: ProblemKind | None = _KINDS.get(code)
    if kind is None:
        raise NotFound("no problem has this code")
    return respond_json(kind)


async def _version_vouched_for(runtime: Runtime) -> int | None:
    """Ask the cache as a check does, about nobody; None: its word does not count now."""
    try:
        lookup = await runtime.cache.lookup(())
    except (CacheUnavailable, CacheIncomplete):
        return None
    return lookup.position.version


async def _version_registered(runtime: Runtime) -> int | None:
    """Ask the registry; None: it does not answer. 0: it never took in a list."""
    try:
        with driver_errors():
            async with runtime.engine.connect() as connection:
                newest = await newest_version(connection)
    except Unavailable:
        return None
    return 0 if newest is None else newest.version
