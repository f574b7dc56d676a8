"""Feeds under an idempotency key or `If-Match`: protection for a sender that gets no answer.

The answer to a keyed feed is written in the transaction that changes the list. A feed of several
commits writes with each commit how many lines are on the record. The same request again goes on
from there, so a process that dies in between loses no line and repeats none.

Behind the lock of the list a request is admitted, in this order of precedence:

1. The caller must still wait for the operation (`checker.intake.wanted`), and the sender's own
   condition must hold (`FeedTerms.fence`).
2. The key was used for another request: `IdempotencyKeyReused`.
3. The key has an answer: that answer is returned again, and nothing is done.
4. Another connection carries out the same request and is further: `Conflict`.
5. The list has another version than `If-Match` names: `Conflict`.

An answer of 412 is not kept: nothing was done, and the sender may name the new version under the
same key. A refusal of a shrunk list is kept: the same body could pass later, against another list
in force, and would undo the changes in between.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.domain.court import Courts
from checker.errors import Conflict, IdempotencyKeyReused
from checker.intake.report import FeedReport
from checker.intake.wanted import Wanted
from checker.registry.schema import feed_request
from checker.registry.versions import ListVersion, newest_version, version_numbered
from checker.vault import Vault
from checker.work import Work

ANSWERS_KEPT: Final = timedelta(hours=48)
"""Twice as long as the contract promises."""

FORGET_INTERVAL_S: Final = 600.0
ANSWER: Final = "feed_request.answer"


class RequestKey(msgspec.Struct, frozen=True, kw_only=True):
    """The digest of account, address and idempotency key, and the digest of the request."""

    key_digest: bytes
    request_digest: bytes


Fence = Callable[[AsyncConnection], Awaitable[None]]
"""Raises Conflict, behind the lock of the list, if the sender may not go on."""


class FeedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The sender of a feed, and its conditions. A command has no account.

    The same key gets the same refusal again. Without `keeps_refusals` the request is judged anew.
    The sender speaks for `courts`; None: for the whole list.
    """

    account_id: str | None = None
    courts: Courts | None = None
    key: RequestKey | None = None
    if_match: int | None = None
    wanted: Wanted | None = None
    fence: Fence | None = None
    keeps_refusals: bool = True

    def waits(self) -> None:
        """Note that the next part of the feed begins to wait for its turn."""
        if self.wanted is not None:
            self.wanted.waits()

    def require_wanted(self) -> None:
        """Raise Unavailable if nobody waits for the feed any more."""
        if self.wanted is not None:
            self.wanted.require()

    def require_present(self) -> None:
        """Raise Unavailable if the caller has gone."""
        if self.wanted is not None:
            self.wanted.require_present()


NO_TERMS: Final = FeedTerms()


class FeedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sealed part of an answer: the report, or the reason why the whole feed was refused.

    `removals_first` is the same as in `KeptRequest`.
    """

    report: FeedReport | None = None
    refused: str | None = None
    removals_first: bool = False


class KeptRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A keyed request: the place of its last line on the record, and the report so far.

    `removals_first`: places are those of `checker.intake.removals_first`, and not line numbers.
    """

    lines: int
    is_whole: bool
    report: FeedReport | None = None
    refused: str | None = None
    removals_first: bool = False


class AnsweredBefore(Exception):
    """The request has its answer already, in `kept`."""

    def __init__(self, kept: KeptRequest) -> None:
        super().__init__("the request was answered before")
        self.kept = kept

    def report(self) -> FeedReport:
        """Return the first answer. Raises Conflict if the first answer was a refusal."""
        if self.kept.refused is not None:
            raise Conflict(self.kept.refused)
        assert self.kept.report is not None, "an answer is a report or a refusal"
        return self.kept.report


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(FeedAnswer).decode


class FeedRequests:
    """The keyed requests of one deployment. `engine` serves what happens outside a feed's
    transaction.
    """

    def __init__(self, *, engine: AsyncEngine, vault: Vault, clock: Clock) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def begin(self, terms: FeedTerms) -> KeptRequest | None:
        """Return how far a request came before, or None if the request is new.

        Raises:
            AnsweredBefore: the request has its answer.
            IdempotencyKeyReused: the key belongs to another request.
            Unavailable: PostgreSQL cannot be reached.
        """
        if terms.key is None:
            return None
        with driver_errors():
            async with self._engine.connect() as connection:
                return await self._unanswered(connection, terms.key)

    async def admit(self, connection: AsyncConnection, terms: FeedTerms, lines: int = 0) -> None:
        """Let a feed with `lines` on the record go on. The caller holds `LIST_WRITER`.

        Raises:
            AnsweredBefore: the request has its answer.
            IdempotencyKeyReused: the key belongs to another request.
            Conflict: the list has moved on, or another connection carries out the same request.
            Unavailable: nobody waits for the feed any more.
        """
        terms.require_wanted()
        if terms.fence is not None:
            await terms.fence(connection)
        if terms.key is not None:
            kept = await self._unanswered(connection, terms.key)
            if lines != (0 if kept is None else kept.lines):
                raise Conflict("the same request is carried out on another connection")
        if terms.if_match is not None and lines == 0:
            newest = await newest_version(connection)
            version = 0 if newest is None else newest.version
            if version != terms.if_match:
                text = f"the list has version {version}; nothing was done"
                raise Conflict(text, is_precondition=True)

    async def version_of(self, before: AnsweredBefore) -> ListVersion | None:
        """Return the version that a first answer named, or None if there was no list yet."""
        with driver_errors():
            async with self._engine.connect() as connection:
                return await version_numbered(connection, before.report().version)

    async def keep(self, connection: AsyncConnection, terms: FeedTerms, kept: KeptRequest) -> None:
        """Write the progress of a keyed request, in the transaction that changes the list."""
        if terms.key is None:
            return
        sealed = FeedAnswer(
            report=kept.report, refused=kept.refused, removals_first=kept.removals_first
        )
        answer = _encode(sealed).decode()
        values = {
            "key_digest": terms.key.key_digest,
            "request_digest": terms.key.request_digest,
            "lines": kept.lines,
            "is_whole": kept.is_whole,
            "answer": self._vault.seal(answer, ANSWER, terms.key.key_digest.hex()),
            "at": self._clock.now(),
        }
        statement = insert(feed_request).values(values)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["key_digest"], set_=values)
        )

    @property
    def work(self) -> Work:
        """Forget old answers to feeds, again and again."""
        return Work(
            name="forgetting old answers to feeds", every_s=FORGET_INTERVAL_S, do=self.forget
        )

    async def forget(self) -> None:
        """Delete the answers whose time is over. Raises Unavailable."""
        before = self._clock.now() - ANSWERS_KEPT
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(delete(feed_request).where(feed_request.c.at < before))

    async def _unanswered(self, connection: AsyncConnection, key: RequestKey) -> KeptRequest | None:
        statement = select(feed_request).where(feed_request.c.key_digest == key.key_digest)
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        if row.request_digest != key.request_digest:
            raise IdempotencyKeyReused("this Idempotency-Key was used for another request")
        answer = _decode(self._vault.open(row.answer, ANSWER, key.key_digest.hex()))
        kept = KeptRequest(
            lines=row.lines,
            is_whole=row.is_whole,
            report=answer.report,
            refused=answer.refused,
            removals_first=answer.removals_first,
        )
        if kept.is_whole:
            raise AnsweredBefore(kept)
        return kept
