"""The report of a feed of changes while it grows, slice by slice."""

from collections import Counter

from checker.intake.batch_written import BatchWritten
from checker.intake.quarantine_rows import REQUEST_LINES_MAX
from checker.intake.report import REPORTED_MAX, FeedReport, RejectedLine
from checker.registry.versions import ListVersion

REPORTED_BEFORE_END_MAX = REQUEST_LINES_MAX
"""Rejected lines that are written with each commit of a keyed feed except the last. A feed of junk
would otherwise write all of its faults again and again."""


class RunningReport:
    """The result of a feed so far. `before` is the report of an earlier try that goes on."""

    def __init__(self, before: FeedReport | None = None) -> None:
        self.newest: ListVersion | None = None
        self._version = 0 if before is None else before.version
        self.quarantined = 0
        self._accepted = 0 if before is None else before.accepted
        self._rejected = [] if before is None else list(before.rejected)
        self._rejected_count = 0 if before is None else before.rejected_count
        self._dropped = Counter({} if before is None else before.dropped_fields)
        if before is not None:
            self.quarantined = before.rejected_count - before.not_quarantined

    def add(self, written: BatchWritten) -> None:
        """Add the results of the next lines."""
        self.newest = written.newest
        self._version = written.version
        self.quarantined += written.quarantined
        self._accepted += written.accepted
        self._dropped.update(written.dropped_fields)
        self._rejected_count += len(written.rejected)
        for verdict in written.rejected[: REPORTED_MAX - len(self._rejected)]:
            error = verdict.rejected
            assert error is not None, "it is among the rejected"
            reported = RejectedLine(line=verdict.line.number, code=error.code, detail=error.detail)
            self._rejected.append(reported)

    def after(self, written: BatchWritten, *, is_whole: bool) -> FeedReport:
        """Return the report as it will be with the next lines, without adding them."""
        next_report = RunningReport(self.report())
        next_report.add(written)
        return next_report.report(REPORTED_MAX if is_whole else REPORTED_BEFORE_END_MAX)

    def report(self, reported_max: int = REPORTED_MAX) -> FeedReport:
        """Return the report, with at most `reported_max` rejected lines, by their numbers."""
        return FeedReport(
            version=self._version,
            accepted=self._accepted,
            rejected=tuple(sorted(self._rejected[:reported_max], key=lambda line: line.line)),
            rejected_count=self._rejected_count,
            not_quarantined=self._rejected_count - self.quarantined,
            dropped_fields=dict(self._dropped),
        )
