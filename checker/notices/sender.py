"""Sends notices to endpoints, many at once, so that none waits for another.

Each endpoint has a lane while something is due for it. A lane sends several messages at once, each
of another listing, as long as the endpoint acknowledges some; to one that acknowledged nothing last
time it sends one, and longer and longer pauses lie between. So an endpoint that hangs costs one
connection, and one that comes back is found by the next message.

httpx is imported with the first message: its import takes a tenth of a second of every start, and a
server without endpoints sends nothing.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from checker.domain.clock import Clock
from checker.fault_log import FaultLog
from checker.notices.deliveries import Deliveries, Delivery, DeliveryResult, Due, Endpoint, Failed
from checker.notices.endpoint import EndpointRules
from checker.notices.event import MEDIA_TYPE
from checker.notices.schedule import SCHEDULE, RetrySchedule
from checker.notices.signature import signed_headers
from checker.work import Work

if TYPE_CHECKING:
    from checker.notices.post import Posted, Postman

LOOK_INTERVAL_S: Final = 0.1
ATTEMPTS_MAX: Final = 256
"""Attempts at once, over all endpoints."""

WIDTH: Final = 8
"""Attempts at once at an endpoint that acknowledges."""

ROUND_MAX: Final = 64
"""Messages between two commits: so many at most are sent again by the next after a kill."""

FAULT_PAUSE_S: Final = 1.0
"""After an error that is no answer of an endpoint: PostgreSQL is away, for example."""

_log = logging.getLogger(__name__)


class _Pause(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that acknowledged nothing `failures` times in a row, and until when it rests."""

    failures: int
    until: datetime
    started_at: datetime


class Sender:
    """Sends what is due while it runs."""

    def __init__(
        self,
        deliveries: Deliveries,
        clock: Clock,
        rules: EndpointRules,
        *,
        draw: random.Random | None = None,
        schedule: RetrySchedule = SCHEDULE,
    ) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._rules = rules
        self._schedule = schedule
        self._draw = draw or random.Random()  # noqa: S311 - spreads retries, keeps no secret
        self._attempts = asyncio.Semaphore(ATTEMPTS_MAX)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._pauses: dict[str, _Pause] = {}
        self._tls: ssl.SSLContext | None = None
        self._faults = FaultLog(_log, "sending notices to an endpoint")

    def work(self, leads: Callable[[], bool]) -> Work:
        """Send again and again, for as long as this process `leads`.

        A delivery whose end was not noted is sent again by the next process that leads.
        """

        async def send() -> None:
            await (self.start_lanes() if leads() else self.stop())

        return Work(name="sending notices", every_s=LOOK_INTERVAL_S, do=send, at_end=self.stop)

    async def stop(self) -> None:
        """Close all lanes."""
        lanes = list(self._lanes.values())
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        self._lanes.clear()

    async def start_lanes(self) -> Sequence[asyncio.Task[None]]:
        """Open a lane for each endpoint that has a due message and no lane; return all lanes.

        Raises Unavailable.
        """
        now = self._clock.now()
        for due in await self._deliveries.due(now):
            if due.account_id in self._lanes or self._rests(due, now):
                continue
            lane = asyncio.create_task(self._lane(due.account_id), name=due.account_id)
            self._lanes[due.account_id] = lane
            lane.add_done_callback(lambda done: self._lanes.pop(done.get_name()))
        return list(self._lanes.values())

    def _rests(self, due: Due, now: datetime) -> bool:
        pause = self._pauses.get(due.account_id)
        return pause is not None and pause.started_at == due.started_at and now < pause.until

    async def _lane(self, account_id: str) -> None:
        """Send the deliveries that are due at one endpoint; log an error and end."""
        try:
            await self._send_all(account_id)
        except Exception as error:
            self._faults.met(error)
            # In the lane, so that no other one is opened meanwhile.
            await asyncio.sleep(FAULT_PAUSE_S)
        else:
            self._faults.passed()

    async def _send_all(self, account_id: str) -> None:
        """Send until nothing is due at the endpoint, or the endpoint takes nothing."""
        import httpx  # noqa: PLC0415 - see the module

        from checker.notices.post import open_postman  # noqa: PLC0415 - see the module

        first = await self._due(account_id)
        if first is None:
            return
        endpoint = first[0]
        async with open_postman(httpx.URL(endpoint.url), self._rules, self._context()) as postman:
            found: tuple[Endpoint, Sequence[Delivery]] | None = first
            # Put anew meanwhile, it may be elsewhere: the next lane goes there.
            while found is not None and found[1] and found[0] == endpoint:
                if not await self._round(postman, endpoint, found[1]):
                    return
                found = await self._due(account_id)

    async def _due(self, account_id: str) -> tuple[Endpoint, Sequence[Delivery]] | None:
        return await self._deliveries.first_in_line(account_id, self._clock.now(), ROUND_MAX)

    async def _round(
        self, postman: "Postman", endpoint: Endpoint, deliveries: Sequence[Delivery]
    ) -> bool:
        """Send some messages and store the outcome; return whether the endpoint takes any."""
        width = 1 if endpoint.account_id in self._pauses else WIDTH
        answers: list[tuple[Delivery, Posted]] = []
        line = iter(deliveries)
        await asyncio.gather(
            *(self._send_in_turn(postman, endpoint, line, answers, width) for _ in range(width))
        )
        now = self._clock.now()
        result = self._result(answers, now)
        await self._deliveries.settle(endpoint.account_id, now, result)
        if result.acknowledged:
            self._pauses.pop(endpoint.account_id, None)
            return not result.gone
        self._pause(endpoint, answers, now)
        return False

    async def _send_in_turn(
        self,
        postman: "Postman",
        endpoint: Endpoint,
        line: Iterator[Delivery],
        answers: list[tuple[Delivery, "Posted"]],
        width: int,
    ) -> None:
        """Send one message of the line after the other; stop after `width` failures."""
        for delivery in line:
            async with self._attempts:
                headers = signed_headers(
                    endpoint.secrets, delivery.message_id, self._clock.now(), delivery.body
                )
                posted = await postman.post(delivery.body, {**headers, "content-type": MEDIA_TYPE})
            answers.append((delivery, posted))
            if sum(each.failure is not None for _, each in answers) >= width or posted.gone:
                return

    def _result(
        self, answers: Sequence[tuple[Delivery, "Posted"]], now: datetime
    ) -> DeliveryResult:
        failures = [(delivery, posted) for delivery, posted in answers if posted.failure]
        return DeliveryResult(
            acknowledged=tuple(
                delivery.notice_pk for delivery, posted in answers if posted.failure is None
            ),
            failed=tuple(self._failed(delivery, posted, now) for delivery, posted in failures),
            failure=failures[-1][1].failure if failures else None,
            gone=any(posted.gone for _, posted in failures),
        )

    def _failed(self, delivery: Delivery, posted: "Posted", now: datetime) -> Failed:
        failures = delivery.failures + 1
        pause = self._schedule.retry_in(failures, self._draw, asked_s=posted.retry_after_s)
        return Failed(
            notice_pk=delivery.notice_pk,
            failures=failures,
            next_at=None if pause is None else now + pause,
        )

    def _pause(
        self, endpoint: Endpoint, answers: Sequence[tuple[Delivery, "Posted"]], now: datetime
    ) -> None:
        before = self._pauses.get(endpoint.account_id)
        failures = 1 if before is None else before.failures + 1
        asked_s = max((posted.retry_after_s or 0 for _, posted in answers), default=0)
        pause = self._schedule.rest(failures, self._draw, asked_s=asked_s)
        self._pauses[endpoint.account_id] = _Pause(
            failures=failures, until=now + pause, started_at=endpoint.started_at
        )

    def _context(self) -> ssl.SSLContext:
        """Return the context of TLS, made once: making it reads some hundred certificates."""
        import httpx  # noqa: PLC0415 - see the module

        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return self._tls
