"""The addresses of the courts' feed, and of the list that it makes."""

from checker.api.exchanges.exchange import NDJSON, Exchange, Exchanges
from checker.api.list import ListView
from checker.api.measures import Measures
from checker.api.quarantine import PAGE_LINES, PAGE_LINES_MAX, LineAsSent, Quarantine, Retry
from checker.formats.formats import LIST_FORMATS
from checker.formats.listing import LISTING, ListingLine
from checker.formats.operation import OperationLine
from checker.intake.report import FeedReport

_FLAG = {"type": "boolean", "default": False}

EXCHANGES: Exchanges = {
    ("/v1/measures", "get"): Exchange(
        summary="All measures in force, with their sources", answer=Measures, problems=(401, 503)
    ),
    ("/v1/list", "get"): Exchange(
        summary="The state of the list", answer=ListView, problems=(401, 403, 503)
    ),
    ("/v1/feed/snapshot", "put"): Exchange(
        summary="Replace the whole list in one step",
        body=ListingLine,
        body_media_type=NDJSON,
        answer=FeedReport,
        parameters={
            "format": {"type": "string", "enum": [*LIST_FORMATS], "default": LISTING.name},
            "allow_empty": _FLAG,
            "allow_shrink": _FLAG,
        },
        problems=(400, 401, 403, 409, 412, 413, 422, 503),
        conditional=True,
    ),
    ("/v1/feed/changes", "post"): Exchange(
        summary="Change the list, operation by operation",
        body=OperationLine,
        body_media_type=NDJSON,
        example={"op": "delist", "listing_id": "707091354", "ground": "fulfilled"},
        answer=FeedReport,
        parameters={"strict": _FLAG},
        problems=(400, 401, 403, 409, 412, 413, 422, 503),
        conditional=True,
    ),
    ("/v1/feed/quarantine", "get"): Exchange(
        summary="The lines of the feed that could not stand, and why",
        answer=Quarantine,
        parameters={
            "after": {"type": "integer", "minimum": 0, "default": 0},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": PAGE_LINES_MAX,
                "default": PAGE_LINES,
            },
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/feed/quarantine/{line_id}", "get"): Exchange(
        summary="One of these lines; for a court with what stands in it",
        answer=LineAsSent,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/feed/quarantine/retry", "post"): Exchange(
        summary="Read lines in quarantine again",
        body=Retry,
        answer=FeedReport,
        problems=(400, 401, 403, 404, 413, 503),
    ),
}
