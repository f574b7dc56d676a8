"""`/healthz` (the process lives), `/readyz` (a check could be answered), `/problems/<code>`."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from cache.errors import CacheIncomplete, CacheUnavailable
from checker.api.problems import ALL_KINDS, ProblemKind
from checker.api.responses import respond_json
from checker.database.engine import driver_errors
from checker.errors import NotFound, Unavailable
from checker.registry.publication import ListVersion, newest_version
from checker.runtime import Runtime

_KINDS = {kind.code: kind for kind in ALL_KINDS}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind an answer: either store alone is enough for an innocent."""

    status: str
    cache: bool
    registry: bool
    version: int


@get("/healthz")
async def healthz() -> Response[bytes]:
    """Answer without asking anything of anybody."""
    return respond_json(Health())


@get("/readyz")
async def readyz(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Ask both stores; ready while one of them holds the newest list that is known."""
    runtime: Runtime = request.app.state.runtime
    cache = await _cache_serves(runtime)
    registry, newest = await _registry_answers(runtime)
    if newest is None or not (cache or registry):
        raise Unavailable("no list can be vouched for")
    status = "ready" if cache and registry else "degraded"
    view = Readiness(status=status, cache=cache, registry=registry, version=newest.version)
    return respond_json(view)


@get("/problems/{code:str}")
async def explain_problem(code: FromPath[str]) -> Response[bytes]:
    """Explain one code of the table of problems; the `type` of each problem points here."""
    kind: ProblemKind | None = _KINDS.get(code)
    if kind is None:
        raise NotFound("no problem has this code")
    return respond_json(kind)


async def _cache_serves(runtime: Runtime) -> bool:
    try:
        generation = await runtime.cache.current()
    except (CacheUnavailable, CacheIncomplete):
        return False
    return generation is not None and runtime.publisher.is_current(generation)


async def _registry_answers(runtime: Runtime) -> tuple[bool, ListVersion | None]:
    """Say whether the registry answers, and the newest version that it or else this node knows."""
    try:
        with driver_errors():
            async with runtime.engine.connect() as connection:
                return True, await newest_version(connection)
    except Unavailable:
        return False, runtime.publisher.newest
