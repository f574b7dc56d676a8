"""Checks the sheet of a job behind the answers of its page.

A run belongs to the worker that was asked. Before each part of the rows the run looks whether the
session is still in force, and the job still there. If not, the run ends and leaves nothing behind.
A run that ends with its worker leaves a job that the page shows as interrupted.
"""

import asyncio
import logging
import re
from collections import Counter
from contextlib import suppress
from typing import Final

import msgspec

from cache.errors import CacheUnavailable
from checker.accounts.keys import Caller
from checker.accounts.quotas import Quotas
from checker.api.answering_batches import BatchesResource
from checker.domain.clock import Clock, shanghai_day
from checker.domain.decision import Outcome
from checker.errors import QuotaExceeded, Unavailable
from checker.fault_log import class_and_place
from checker.sheets.checking import SheetChecks
from checker.sheets.endings import NOT_CHECKABLE, RowEnding, SheetLanguage
from checker.sheets.sheet_reader import OpenSheet, SheetReader, UnreadSheet
from checker.web.manifests.jobs import (
    AWAY,
    CLAIM_S,
    INTERRUPTED,
    QUOTA,
    ROWS_CLAIM_S,
    ManifestJob,
    ManifestJobs,
    ManifestResult,
    MarkedRow,
)
from checker.web.sessions import Sessions

MARKED_MAX: Final = 20
"""Rows of one decision that the page shows. The sheet itself marks all of them."""

DECISIONS: Final = (
    NOT_CHECKABLE,
    Outcome.DENY.value,
    Outcome.REVIEW.value,
    Outcome.CAP.value,
    Outcome.ALLOW.value,
)
"""The ends of a row, in the order in which a person looks at them."""

_log = logging.getLogger(__name__)


class RunEnded(Exception):
    """The session or the job is gone, so the run leaves nothing behind."""


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A run: the job, its session, and the language of the texts in the sheet."""

    cookie: str
    address: str
    caller: Caller
    job: ManifestJob
    language: SheetLanguage


class ManifestRuns:
    """The runs of one worker."""

    def __init__(
        self,
        *,
        jobs: ManifestJobs,
        sessions: Sessions,
        reader: SheetReader,
        quotas: Quotas,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._sessions = sessions
        self._reader = reader
        self._quotas = quotas
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, order: RunOrder, batches: BatchesResource) -> None:
        """Begin a run, unless the job has one already. Raises CacheUnavailable."""
        if not await self._jobs.claim(order.cookie, order.job):
            return
        job = msgspec.structs.replace(order.job, is_begun=True, fault=None)
        if not await self._jobs.update(order.cookie, job):
            await self._jobs.release(order.cookie, job)
            return
        order = msgspec.structs.replace(order, job=job)
        task = asyncio.create_task(self._run(order, batches), name="manifest")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, order: RunOrder, batches: BatchesResource) -> None:
        job = order.job
        try:
            fault = await self._fault(order, batches)
            if fault is not None:
                job = msgspec.structs.replace(job, is_begun=False, fault=fault)
                await self._jobs.update(order.cookie, job)
        except RunEnded:
            pass
        except CacheUnavailable:
            pass  # the claim ends by itself, and the page says that the run was interrupted
        finally:
            with suppress(CacheUnavailable):
                await self._jobs.release(order.cookie, job)

    async def _fault(self, order: RunOrder, batches: BatchesResource) -> str | None:
        """Check the sheet; return why this has failed. None: the result is kept."""
        try:
            await self._check(order, batches)
        except UnreadSheet as error:
            return error.refusal.fault
        except QuotaExceeded:
            return QUOTA
        except Unavailable:
            return AWAY
        except (RunEnded, CacheUnavailable):
            raise
        except Exception as error:
            # The text of an error may quote the sheet.
            _log.warning("a run of a sheet fails: %s", class_and_place(error))
            return INTERRUPTED
        return None

    async def _check(self, order: RunOrder, batches: BatchesResource) -> None:
        job, caller = order.job, order.caller
        content = await self._jobs.content(order.cookie, job)
        if content is None:
            raise RunEnded
        today = shanghai_day(self._clock.now())
        reading = self._reader.opened(caller.account_id, content, job.service, today)
        async with reading as sheet:
            del content
            await self._refuse_ended(order, 0)
            await self._quotas.take(caller, sheet.look.checks)
            async with batches.sheet_checks(caller, order.language) as checks:
                result = await self._checked(order, sheet, checks)
            checked = await sheet.content()
        job = msgspec.structs.replace(job, is_begun=False, result=result)
        if not await self._jobs.update(order.cookie, job, checked):
            raise RunEnded

    async def _checked(
        self, order: RunOrder, sheet: OpenSheet, checks: SheetChecks
    ) -> ManifestResult:
        counts: Counter[str] = Counter(dict.fromkeys(DECISIONS, 0))
        marked: dict[str, list[MarkedRow]] = {each: [] for each in DECISIONS[:-1]}
        async for questions in sheet.questions():
            await self._refuse_ended(order, counts.total(), lasts_s=ROWS_CLAIM_S)
            endings = await checks.end_rows(questions, lambda _rows: None)
            for row, ending in endings.items():
                counts[ending.decision] += 1
                rows = marked.get(ending.decision)
                if rows is not None and len(rows) < MARKED_MAX:
                    rows.append(_marked(row, ending))
            await sheet.end({row: ending.texts for row, ending in endings.items()})
        await self._refuse_ended(order, counts.total())
        return ManifestResult(
            counts=dict(counts), marked={each: tuple(rows) for each, rows in marked.items()}
        )

    async def _refuse_ended(self, order: RunOrder, done: int, *, lasts_s: int = CLAIM_S) -> None:
        """Show the progress. Raises RunEnded: nobody may have the result any more."""
        if await self._sessions.find(order.cookie, order.address) is None:
            await self._jobs.forget(order.cookie)
            raise RunEnded
        if not await self._jobs.renew(order.cookie, order.job, done, lasts_s=lasts_s):
            raise RunEnded


def _marked(row: int, ending: RowEnding) -> MarkedRow:
    return MarkedRow(
        number=row + 1,
        decision=ending.decision,
        reason=_CODES.sub(r"\1", ending.reason),
        remedy=ending.remedy,
    )


_CODES: Final = re.compile(r"(\A|; )[a-z_]+: ")
"""The words of the API before each reason, which are for programs."""
