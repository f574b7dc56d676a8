"""Brings the list to the state of a source, file after file, round after round.

A round looks at the source, plans (`checker.connector.plan`), and takes in the files in order. The
position is written after the feed has acknowledged a file. A follower that dies in between takes in
the same file once more. The feed then answers from its record, and later changes of the list stand
(`checker.connector.positions`). A rejected line goes to quarantine and stops nothing. The connector
does not know the contents of lines.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterable, Awaitable, Callable
from pathlib import Path
from typing import Final, NoReturn, Protocol, assert_never

import msgspec

from checker.connector.errors import SourceFault
from checker.connector.manifest import MANIFEST_BYTES_MAX, Manifest, read_manifest
from checker.connector.plan import SourcePosition, SourceStep, SourceStepKind, plan
from checker.connector.positions import HeldPosition, Positions
from checker.connector.source import ListSource, SourceFile
from checker.connector.spool import Spool, open_spool
from checker.errors import CheckerError, ConfigurationError, Unavailable
from checker.intake.feed_requests import FeedTerms
from checker.intake.report import FeedReport

FETCH_S_MAX: Final = 3600.0
"""A file that takes longer to arrive is given up: its sender is stuck."""

FIRST_PAUSE_S: Final = 1.0
LOGGED_MAX: Final = 5
"""Rejected lines of a file that are logged. All of them are in quarantine."""

_random = secrets.SystemRandom()
_log = logging.getLogger(__name__)


class TakeIn(Protocol):
    """Takes a file in under terms, and returns the report when the file is in force."""

    def __call__(self, chunks: AsyncIterable[bytes], *, terms: FeedTerms) -> Awaitable[FeedReport]:
        """Take the file in."""
        ...


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one look at the source. `version` is the list's after the last file, if any."""

    files: int = 0
    accepted: int = 0
    rejected: int = 0
    version: int | None = None
    left_to_another: bool = False


class SourceConnector:
    """Follows one source.

    `replace` takes in a whole list, and `apply` a file of changes. Both return when it is in force.
    Files are kept in `folder` while they arrive.
    """

    def __init__(
        self,
        *,
        source: ListSource,
        positions: Positions,
        replace: TakeIn,
        apply: TakeIn,
        folder: Path,
    ) -> None:
        self._source = source
        self._positions = positions
        self._replace = replace
        self._apply = apply
        self._folder = folder

    async def round(self) -> Round:
        """Take in all new files of the source, and return the result.

        Raises:
            SourceFault: the source is away, or its files cannot be used.
            Unavailable: the list cannot be written now.
            CheckerError: the feed refuses a whole file, for example a list that shrank.
        """
        async with self._positions.hold(self._source.name) as held:
            if held is None:
                return Round(left_to_another=True)
            position = await held.read()
            with open_spool(self._folder) as spool:
                found = await self._look(position, spool)
                if found is None:
                    done = Round()
                elif found.is_manifest:
                    manifest = read_manifest(spool.content())
                    done, position = await self._take_steps(manifest, position, held)
                else:
                    done, position = await self._take_list(position, held, spool)
            if found is not None:
                position = msgspec.structs.replace(position, stamp=found.stamp)
            await held.write(position)
            return done

    async def follow(
        self,
        interval_s: float,
        *,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = _random.random,
    ) -> NoReturn:
        """Do one round after the other until cancelled. Cancelling leaves nothing half done.

        Raises:
            ConfigurationError: the deployment must be mended first.
        """
        failures = 0
        logged = ""
        while True:
            fault = ""
            asked_s = 0.0
            try:
                _log_round(self._source.name, await self.round())
                failures = 0
            except (SourceFault, Unavailable) as error:
                fault = str(error)
                failures += 1
                asked_s = float(error.retry_after_s or 0)
            except ConfigurationError:
                raise
            except CheckerError as error:
                # Asking sooner would give the same file again.
                fault = f"refused: {error}"
                failures = 0
            if fault != logged:
                _log.warning("%s: %s", self._source.name, fault or "works again")
                logged = fault
            await wait(max(pause_s(failures, interval_s, chance()), asked_s))

    async def _look(self, position: SourcePosition, spool: Spool) -> SourceFile | None:
        """Fetch the file at the source's address. Return None if it is the file that was taken in
        last.
        """
        try:
            async with (
                asyncio.timeout(FETCH_S_MAX),
                self._source.look(position.stamp) as body,
            ):
                if body is not None and body.is_manifest:
                    await spool.fill(body, what="the manifest", bytes_max=MANIFEST_BYTES_MAX)
                elif body is not None:
                    await spool.fill(body, what="the list")
                return body
        except TimeoutError:
            raise SourceFault("the source takes too long") from None

    async def _take_list(
        self, position: SourcePosition, held: HeldPosition, spool: Spool
    ) -> tuple[Round, SourcePosition]:
        """Take in a source of one file, unless its bytes are those of the last time."""
        if position.number is None and position.sha256 == spool.sha256:
            return Round(), position
        terms = held.terms(position, SourceStepKind.SNAPSHOT, spool.sha256)
        report = await self._replace(spool.text, terms=terms)
        _log_file(self._source.name, "the list", report)
        done = Round(
            files=1,
            accepted=report.accepted,
            rejected=report.rejected_count,
            version=report.version,
        )
        return done, SourcePosition(sha256=spool.sha256)

    async def _take_steps(
        self, manifest: Manifest, position: SourcePosition, held: HeldPosition
    ) -> tuple[Round, SourcePosition]:
        done = Round()
        for step in plan(position, manifest):
            report, sha256 = await self._take(step, position, held)
            entry = step.entry
            position = SourcePosition(
                series=manifest.series, number=entry.number, file=entry.file, sha256=sha256
            )
            await held.write(position)
            done = Round(
                files=done.files + 1,
                accepted=done.accepted + report.accepted,
                rejected=done.rejected + report.rejected_count,
                version=report.version,
            )
        return done, position

    async def _take(
        self, step: SourceStep, position: SourcePosition, held: HeldPosition
    ) -> tuple[FeedReport, str]:
        """Fetch one file and put it in force. Return the report and the file's sha256."""
        entry = step.entry
        with open_spool(self._folder) as spool:
            try:
                async with asyncio.timeout(FETCH_S_MAX), self._source.open(entry.file) as body:
                    await spool.fill(body, what=entry.file, sha256=entry.sha256)
            except TimeoutError:
                raise SourceFault("the source takes too long") from None
            terms = held.terms(position, step.kind, spool.sha256)
            match step.kind:
                case SourceStepKind.SNAPSHOT:
                    report = await self._replace(spool.text, terms=terms)
                case SourceStepKind.CHANGES:
                    report = await self._apply(spool.text, terms=terms)
                case _:
                    assert_never(step.kind)
        _log_file(self._source.name, entry.file, report)
        return report, spool.sha256


def pause_s(failures: int, interval_s: float, chance: float) -> float:
    """Return the pause before the next round, in seconds.

    The pause after the first failure is short. It grows with each failure up to the interval, so a
    source that comes back is noticed within one interval. `chance` in [0, 1) takes away up to half
    of the pause, so that many followers of one source do not come back at once.
    """
    if failures == 0:
        return interval_s
    doubled: float = FIRST_PAUSE_S * 2 ** min(failures - 1, 20)
    return min(interval_s, doubled) * (1 - chance / 2)


def _log_round(source: str, done: Round) -> None:
    if done.left_to_another:
        _log.info("%s: another follower is at it", source)


def _log_file(source: str, file: str, report: FeedReport) -> None:
    text = "%s: %s is in force as version %d: %d accepted, %d rejected"
    level = logging.WARNING if report.rejected_count else logging.INFO
    counts = (report.version, report.accepted, report.rejected_count)
    _log.log(level, text, source, file, *counts)
    for line in report.rejected[:LOGGED_MAX]:
        _log.warning("%s: %s: line %d: %s: %s", source, file, line.line, line.code, line.detail)
