"""The baseline of our own framework: a typed Litestar handler that returns a constant.

It runs under granian on uvloop. It asks no store, so it shows the cost of the framework alone.
"""

from litestar import Litestar, post

from loadtest.baselines.question import BaselineAnswer, BaselineCheck

_ALLOWED = BaselineAnswer(decision="allow")


@post("/v1/checks", status_code=200)
async def check(data: BaselineCheck) -> BaselineAnswer:
    """Allow everybody whose body can be read."""
    assert data.subject.document.number
    return _ALLOWED


def app() -> Litestar:
    """Return the application of one worker."""
    return Litestar(route_handlers=[check], openapi_config=None, logging_config=None)
