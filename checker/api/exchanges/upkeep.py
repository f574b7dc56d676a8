"""The addresses by which the service itself is watched."""

from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.api.health import Health, Readiness
from checker.api.problems import ProblemKind

EXCHANGES: Exchanges = {
    ("/healthz", "get"): Exchange(summary="Whether the process lives", answer=Health, keyed=False),
    ("/readyz", "get"): Exchange(
        summary="Whether checks can be answered", answer=Readiness, problems=(503,), keyed=False
    ),
    ("/metrics", "get"): Exchange(
        summary="Counts in Prometheus's text format",
        answer=str,
        answer_media_type="text/plain",
        keyed=False,
    ),
    ("/problems/{code}", "get"): Exchange(
        summary="What a problem means and what to do about it",
        answer=ProblemKind,
        problems=(404,),
        keyed=False,
    ),
}
