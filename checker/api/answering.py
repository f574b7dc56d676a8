"""Answers single checks, for the fast lane and for the routed handlers alike."""

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from checker.accounts.key_ring import KeyRing
from checker.accounts.keys import Action, Caller
from checker.accounts.quotas import Allowance, Quotas
from checker.api.access import refuse_access
from checker.api.bodies import Bodies, Receive
from checker.api.check_counts import CheckCounts
from checker.api.exchange import (
    CHECK_BYTES_MAX,
    JSON,
    Reply,
    encode,
    rate_limit_headers,
    reply_to,
)
from checker.api.media_types import json_alone, refuse_media_type
from checker.api.metrics import Metrics
from checker.api.operation import RequestBody
from checker.api.parameters import refuse_unknown
from checker.checks.answer import Answer, answer_of
from checker.checks.checks import Decided, Deciding
from checker.checks.plain_answers import AllowedAnswers
from checker.checks.request import Check, read_check
from checker.domain.clock import Clock, shanghai_day
from checker.domain.service import type_of
from checker.errors import CheckerError
from checker.receipts.receipt import Statement
from checker.receipts.receipts import Receipts
from checker.registry.prepared_check import PreparedCheck, TokenOf

_CHECKING = (Action.CHECK,)
_BODY = RequestBody(kinds=(Check,), bytes_max=None, example=None)


class CheckHead(NamedTuple):
    """The part of a request for checks that comes before the body.

    `address` is the network address of the caller. The query must be empty.
    """

    authorization: str | None
    address: str
    content_type: str | None
    query: bytes


class AnsweredAtOnce(NamedTuple):
    """The body of the answer to a check, and the items that its caller has left."""

    body: bytes
    allowance: Allowance


class Answered(NamedTuple):
    """The answer to a check, the items left, and the number of checks the registry decided."""

    answer: Answer
    allowance: Allowance
    from_registry: int


CreateReply = Callable[[Caller, Any], Awaitable[tuple[Reply, int]]]
"""Answers one kind of request; returns the answer and the number of checks the registry decided."""


class ChecksResource:
    """Answers checks: finds the caller, reads, decides, counts, and signs on request."""

    def __init__(
        self,
        *,
        key_ring: KeyRing,
        quotas: Quotas,
        checks: Deciding,
        receipts: Receipts,
        clock: Clock,
        metrics: Metrics,
        counts: CheckCounts,
        token_of: TokenOf,
        bodies: Bodies,
        body_timeout_s: float,
    ) -> None:
        self._key_ring = key_ring
        self._quotas = quotas
        self._checks = checks
        self._receipts = receipts
        self._clock = clock
        self._metrics = metrics
        self._counts = counts
        self._token_of = token_of
        self._bodies = bodies
        self._body_timeout_s = body_timeout_s
        self._allowed = AllowedAnswers()

    async def create(self, head: CheckHead, receive: Receive) -> Reply:
        """Return the answer to one check, or the problem that answers an error."""
        return await self.answer("checks", head, receive, self._create)

    def caller_at_once(self, digest: bytes, address: str) -> Caller | None:
        """Return the caller with the key of this digest; None: `create` must answer the request."""
        return self._key_ring.known(digest, address)

    def create_at_once(self, caller: Caller, body: bytes) -> AnsweredAtOnce | None:
        """Return the answer to one check, as `create` gives it, without a wait.

        None: `create` must answer, by an error or after asking others. Nothing was counted.
        """
        if not caller.may(Action.CHECK):
            return None
        started = perf_counter()
        now = self._clock.now()
        try:
            check = read_check(body, caller, shanghai_day(now), self._token_of)
            if check.receipt:
                return None
            decided = self._checks.decide_at_once(check, now)
            if decided is None:
                return None
            allowance = self._quotas.take_at_once(caller, 1)
        except CheckerError:
            return None
        if allowance is None:
            return None
        self._counts.count_allow(caller, check.service)
        body = self._allowed.body(decided.id, decided.list, check.reference)
        self._metrics.answered(perf_counter() - started, from_registry=0)
        return AnsweredAtOnce(body, allowance)

    async def answer(
        self, resource: str, head: CheckHead, receive: Receive, create: CreateReply
    ) -> Reply:
        """Return what `create` answers to the caller, or the problem that answers an error.

        `resource` names the kind of request in the metrics.
        """
        started = perf_counter()
        caller = None
        try:
            caller = await self._key_ring.caller(head.authorization, head.address)
            refuse_access(caller, _CHECKING)
            if head.query:
                refuse_unknown(parse_qs(head.query.decode("latin-1"), keep_blank_values=True), ())
            if head.content_type != JSON:
                refuse_media_type(head.content_type, _BODY)
                receive = json_alone(receive, head.content_type, _BODY)
            reply, from_registry = await create(caller, receive)
        except CheckerError as error:
            headers: Mapping[str, str] = {}
            if caller is not None:
                headers = rate_limit_headers(await self._quotas.take(caller, 0))
            reply = reply_to(error, headers)
            self._metrics.failed(resource, reply.status)
        else:
            self._metrics.answered(perf_counter() - started, from_registry=from_registry)
        return reply

    async def _create(self, caller: Caller, receive: Any) -> tuple[Reply, int]:
        body = await self._bodies.read(receive, CHECK_BYTES_MAX, within_s=self._body_timeout_s)
        answered = await self.answered(caller, body)
        headers = rate_limit_headers(answered.allowance)
        reply = Reply(status=200, body=encode(answered.answer), headers=headers)
        return reply, answered.from_registry

    async def answered(self, caller: Caller, body: bytes) -> Answered:
        """Return the answer to the check in a body, for a caller who may check.

        Raises:
            InvalidRequest, InvalidSubject, OutOfScope: as `read_check`.
            QuotaExceeded: the caller has no item left.
            Unavailable: nothing can vouch for the list, so nothing is allowed.
        """
        check = read_check(body, caller, shanghai_day(self._clock.now()), self._token_of)
        allowance = await self._quotas.take(caller, 1)
        decided = await self._checks.decide((check,), account_id=caller.account_id)
        decision = decided.decisions[0]
        self._counts.count(caller, ((check, decision),))
        receipt = None
        if check.receipt:
            receipt = self._receipts.issue(statement_of(check, decided, 0, caller))
        answer = answer_of(
            decision, decided.list, check.reference, answer_id=decided.ids[0], receipt=receipt
        )
        return Answered(answer, allowance, decided.from_registry)


def statement_of(check: PreparedCheck, decided: Decided, place: int, caller: Caller) -> Statement:
    """Return the statement that a receipt makes about the answer at this place."""
    return Statement(
        decision_id=decided.ids[place],
        account_id=caller.account_id,
        decision=decided.decisions[place],
        list_version=decided.list.version,
        service=type_of(check.service),
        document=check.document,
    )
