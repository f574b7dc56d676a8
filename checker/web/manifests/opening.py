"""The parts behind the page for sheets, of one worker."""

import msgspec

from checker.node.runtime import Runtime
from checker.sheets.sheet_reader import SheetReader
from checker.web.manifests.jobs import ManifestJobs
from checker.web.manifests.runs import ManifestRuns
from checker.web.sessions import Sessions


class Manifests(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs, the runs of this worker, and the reader of their sheets."""

    jobs: ManifestJobs
    runs: ManifestRuns
    reader: SheetReader


def open_manifests(runtime: Runtime, sessions: Sessions) -> Manifests:
    """Return the parts on an open node."""
    jobs = ManifestJobs(store=runtime.jobs, sealer=runtime.sealer, clock=runtime.clock)
    reader = SheetReader()
    runs = ManifestRuns(
        jobs=jobs,
        sessions=sessions,
        reader=reader,
        quotas=runtime.quotas,
        clock=runtime.clock,
    )
    return Manifests(jobs=jobs, runs=runs, reader=reader)
