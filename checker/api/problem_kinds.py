"""`GET /problems/{code}`: the meaning of each problem; the `type` of a problem points here."""

from typing import Final

from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply, json_reply
from checker.api.health import SERVICE
from checker.api.operation import KeyUse, Success
from checker.api.problems import ALL_KINDS, KINDS, ProblemKind
from checker.errors import NotFound, QuotaExceeded

_KINDS: Final = {kind.code: kind for kind in ALL_KINDS}


@endpoint(
    "GET",
    "/problems/{code}",
    key=KeyUse.NONE,
    tag=SERVICE,
    answers=(Success(kinds=(ProblemKind,), example=KINDS[QuotaExceeded]),),
    raises=(NotFound,),
)
async def explain_problem(call: Call) -> Reply:
    """Explain a problem by its code.

    `advice` says what to do about the problem.
    """
    kind = _KINDS.get(call.path("code"))
    if kind is None:
        raise NotFound("no problem has this code")
    return json_reply(kind)
