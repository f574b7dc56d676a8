"""What a feed is told of its lines: those that could not stand, with their reasons, and a count."""

import msgspec

from checker.registry.entry import RejectCode

REPORTED_MAX = 10_000
"""Rejected lines told in the answer; all of them are in quarantine."""


class RejectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was not accepted; lines are counted from 1."""

    line: int
    code: RejectCode
    detail: str


class FeedReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feed. `rejected_count` counts also those past the first 10 000."""

    version: int
    accepted: int
    rejected: tuple[RejectedLine, ...]
    rejected_count: int
