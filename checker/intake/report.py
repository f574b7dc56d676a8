"""The answer to a feed: the rejected lines with their reasons, and counts."""

import msgspec

from checker.registry.entry import RejectCode

REPORTED_MAX = 10_000
"""Rejected lines that the answer names; the answer counts the rest."""


class RejectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected line. Lines are counted from 1."""

    line: int
    code: RejectCode
    detail: str


class FeedReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of a feed. `rejected_count` also counts the lines past the first 10 000.

    `not_quarantined`, if it is not 0, counts the rejected lines that quarantine does not keep.
    `dropped_fields` counts the fields that could not be read and that decide nothing, by their
    names: the line stands without them.
    """

    version: int
    accepted: int
    rejected: tuple[RejectedLine, ...]
    rejected_count: int
    not_quarantined: int = 0
    dropped_fields: dict[str, int] = {}
