"""The answer to a feed: the lines that could not stand, with their reasons, and counts."""

import msgspec

from checker.registry.entry import RejectCode

REPORTED_MAX = 10_000
"""Rejected lines that the answer names; the answer counts the rest."""


class RejectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was not accepted; lines are counted from 1."""

    line: int
    code: RejectCode
    detail: str


class FeedReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a feed. `rejected_count` counts also those past the first 10 000.

    `not_quarantined`, where it is not 0, counts the rejected lines that quarantine does not keep.
    """

    version: int
    accepted: int
    rejected: tuple[RejectedLine, ...]
    rejected_count: int
    not_quarantined: int = 0
