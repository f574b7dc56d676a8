"""The sheets of browsers on their way: sealed on Redis for ten minutes, and kept nowhere else.

A job belongs to one session, and a session has one job: a new sheet takes the place of the last
one. Ids in Redis are digests of the session's cookie. So neither another browser nor a dump of
Redis reaches a sheet. Any worker answers for a job, because all of its state is here.

    about    ManifestJob, sealed
    sheet    the file as it was uploaded; after the check the file with its decisions; sealed
    claim    rows that are checked and all rows, while a worker checks
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from cache.jobs import CLAIM, JobBounds, RedisJobs
from checker.domain.clock import Clock
from checker.errors import ConfigurationError
from checker.registry.sealing import Sealer
from checker.sheets.refusals import SheetFault
from checker.sheets.sheet_process import SheetLook

LASTS: Final = timedelta(minutes=10)
BOUNDS: Final = JobBounds(
    lasts_s=int(LASTS.total_seconds()),
    jobs=48,  # a sheet has up to 4 MiB, so all together have up to 0.2 GiB of Redis
    jobs_of_group=6,  # assistants of one account at the same time
)
CLAIM_S: Final = 60
"""Longer than the reading or the writing of a sheet (`ANSWER_S`)."""

ROWS_CLAIM_S: Final = 20
"""Longer than the check of one part of the rows. A worker that died holds its claim so long."""

INTERRUPTED: Final = "interrupted"
QUOTA: Final = "quota"
AWAY: Final = "away"
NO_FILE: Final = "no_file"
BUSY: Final = "busy"
FAULTS: Final = frozenset({*SheetFault, INTERRUPTED, QUOTA, AWAY, NO_FILE, BUSY})
"""All faults for which a page has a sentence."""

_ABOUT: Final = "about"
_SHEET: Final = "sheet"
_PARTS: Final = (_ABOUT, _SHEET)


class MarkedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that needs a look. `number` counts from 1, as a program of sheets shows it."""

    number: int
    decision: str
    reason: str
    remedy: str


class ManifestResult(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a checked sheet by decision, and the first rows of each decision but `allow`."""

    counts: dict[str, int]
    marked: dict[str, tuple[MarkedRow, ...]]


class ManifestJob(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet that was read.

    `service` is the service of all rows, as the API takes it; None: the columns name the services.
    `is_begun`: a run was started and has not ended by itself. `fault` says why the last run ended.
    """

    id: str
    account_id: str
    file_name: str
    look: SheetLook
    ends_at: datetime
    service: dict[str, Any] | None = None
    is_begun: bool = False
    fault: str | None = None
    result: ManifestResult | None = None


class RunProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a run has checked."""

    done: int
    rows: int


class FoundJob(msgspec.Struct, frozen=True, kw_only=True):
    """The job of a session, and the progress of its run; None: nothing runs."""

    job: ManifestJob
    progress: RunProgress | None


_encode = msgspec.json.Encoder().encode
_about = msgspec.json.Decoder(ManifestJob).decode
_progress = msgspec.json.Decoder(RunProgress).decode


class ManifestJobs:
    """The jobs of a deployment. Methods raise CacheUnavailable."""

    def __init__(self, *, store: RedisJobs, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    def ends_at(self) -> datetime:
        """Return the end of a job that begins now."""
        return self._clock.now() + LASTS

    async def begin(self, cookie: str, job: ManifestJob, content: bytes) -> bool:
        """Store a new job in place of the last one; return False if there are too many jobs."""
        await self.forget(cookie)
        key = self._key(cookie, job)
        parts = {_ABOUT: self._sealed_about(key, job), _SHEET: self._sealed(key, content)}
        return await self._store.begin(
            self._owner(cookie),
            key,
            parts,
            bounds=BOUNDS,
            now_ms=int(self._clock.now().timestamp() * 1000),
        )

    async def find(self, cookie: str) -> FoundJob | None:
        """Return the job of a session; None: there is none, or it has ended."""
        key = await self._store.newest_of(self._owner(cookie))
        if key is None:
            return None
        # The claim first: a run writes its end before it gives the claim up.
        claim, about = await self._store.get(key, CLAIM, _ABOUT)
        if about is None:
            return None
        try:
            opened = self._sealer.vault.open_bytes(about, f"manifest.{_ABOUT}", key)
            job = _about(opened)
        except (ConfigurationError, msgspec.DecodeError):
            return None  # another key, or a job of before an upgrade
        return FoundJob(job=job, progress=None if claim is None else _progress(claim))

    async def content(self, cookie: str, job: ManifestJob) -> bytes | None:
        """Return the file of a job; None: the job has ended."""
        key = self._key(cookie, job)
        [sealed] = await self._store.get(key, _SHEET)
        if sealed is None:
            return None
        return self._sealer.vault.open_bytes(sealed, f"manifest.{_SHEET}", key)

    async def update(self, cookie: str, job: ManifestJob, content: bytes | None = None) -> bool:
        """Write the state of a job, and its file if there is one; False: the job has ended."""
        key = self._key(cookie, job)
        parts = {_ABOUT: self._sealed_about(key, job)}
        if content is not None:
            parts[_SHEET] = self._sealed(key, content)
        return await self._store.replace(key, parts)

    async def claim(self, cookie: str, job: ManifestJob) -> bool:
        """Return True to one worker alone: that worker checks the sheet."""
        value = _encode(RunProgress(done=0, rows=job.look.people))
        return await self._store.claim(self._key(cookie, job), value, lasts_s=CLAIM_S)

    async def renew(self, cookie: str, job: ManifestJob, done: int, *, lasts_s: int) -> bool:
        """Show the progress of a run; False: the run has lost its job and must end."""
        value = _encode(RunProgress(done=done, rows=job.look.people))
        return await self._store.renew(self._key(cookie, job), value, lasts_s=lasts_s)

    async def release(self, cookie: str, job: ManifestJob) -> None:
        """Give up the claim on a job, after its end was written."""
        await self._store.release(self._key(cookie, job))

    async def forget(self, cookie: str) -> None:
        """Delete the job of a session, if there is one. A run of the job ends at its next step."""
        owner = self._owner(cookie)
        key = await self._store.newest_of(owner)
        if key is not None:
            await self._store.delete(owner, key, _PARTS)

    def _sealed_about(self, key: str, job: ManifestJob) -> bytes:
        return self._sealer.vault.seal_bytes(_encode(job), f"manifest.{_ABOUT}", key)

    def _sealed(self, key: str, content: bytes) -> bytes:
        return self._sealer.vault.seal_bytes(content, f"manifest.{_SHEET}", key)

    def _owner(self, cookie: str) -> str:
        return self._sealer.request_digest(["manifests", cookie]).hex()

    def _key(self, cookie: str, job: ManifestJob) -> str:
        account = self._sealer.request_digest(["manifests of", job.account_id]).hex()
        return f"{account}.{self._sealer.request_digest(['manifest', cookie, job.id]).hex()}"
