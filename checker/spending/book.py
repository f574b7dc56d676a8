"""Judges orders against the record: who is capped, what room is left, which moves are legal.

The record never goes back in time. An order is refused as unavailable if it would count on an
earlier day than the person's newest day, or would move an authorization long before its newest
step. In both cases the clock of this process has gone back. Periods consist of days, so days are
exact enough for a cap.

Pure: one book for one transaction. Orders are judged in their turn, each against the state that the
earlier orders leave. So the answers do not depend on how orders are grouped.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

import msgspec

from checker.audit.decisions import KeptDecision, new_id
from checker.domain.clock import shanghai_day
from checker.domain.decision import Decision, Outcome, ReasonCode
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Resort, ServiceType
from checker.errors import CheckerError, Conflict, IdempotencyKeyReused, NotFound, Unavailable
from checker.policy.book import PolicyBook
from checker.registry.document_key import DocumentKey
from checker.spending.answers import Answer, KeptAnswer, Uncapped, view_of
from checker.spending.asking import capped_document, decide_hold
from checker.spending.authorization import Authorization, Opening, SpendingStepKind
from checker.spending.balance import Balances, Room
from checker.spending.errors import CapExceeded
from checker.spending.orders import (
    AuthorizeCommand,
    CaptureCommand,
    IncrementCommand,
    RefundCommand,
    SpendingCommand,
    SpendingOrder,
    VoidCommand,
)
from checker.spending.persons import counted_documents
from checker.spending.store import AnswerKey, LoadedSpending, PermitUse, WrittenSpending
from checker.vault import Vault

UNKNOWN = "no authorization of this account has this id"

CLOCK_SKEW_MAX = timedelta(seconds=10)
"""How far the clocks of two processes may differ; a step further in the future stops a move."""

_GONE_BACK = "the clock of this process has gone back behind what is on the record"

_REFUSALS = {
    ReasonCode.RESTRICTED: "a measure forbids this at any price: ask POST /v1/checks which",
    ReasonCode.CAP_UNSET: "no cap is set for this place, so nobody can say what room there is",
}
"""Reasons that no amount helps against; what may be about somebody else is not among them."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The decision about a hold, as it is kept, and the room if there is a cap.

    `capped` is the document that a capping listing reaches, if the list knows one. The amount
    counts under this document, so that every later sale finds the amount.
    """

    decision: Decision
    decision_id: str
    room: Room | None
    capped: DocumentKey | None = None


class Book:
    """The loaded record, and the additions of the orders that were judged so far."""

    def __init__(self, loaded: LoadedSpending, policies: PolicyBook, vault: Vault) -> None:
        self._loaded = loaded
        self._policies = policies
        self._vault = vault
        self._now = loaded.now
        self._authorizations = dict(loaded.authorizations)
        self._balances = Balances(loaded.totals)
        self._moved: list[Authorization] = []
        self._decisions: list[KeptDecision] = []
        self._answers: dict[AnswerKey, KeptAnswer] = {}
        self._uses: list[PermitUse] = []
        for lapsed in loaded.lapsed:
            self._put(lapsed.expire(self._now))

    def written(self) -> WrittenSpending:
        """Return the additions that are to be kept."""
        return WrittenSpending(
            moved=self._moved, decisions=self._decisions, answers=self._answers, uses=self._uses
        )

    def judge(self, place: int, order: SpendingOrder) -> Answer:
        """Return the answer to one order. The book keeps the changes, and the answer where
        needed.
        """
        key = (order.account_id, order.key)
        kept = self._answers.get(key) or self._loaded.answers.get(key)
        if kept is not None:
            if kept.digest != order.digest:
                return IdempotencyKeyReused("this Idempotency-Key was used for another request")
            return kept.answer()
        try:
            answer = self._act(place, order.account_id, order.command)
        except CheckerError as refusal:
            answer = refusal
        keeping = KeptAnswer.of(answer, order.digest)
        if keeping is not None:
            self._answers[key] = keeping
        return answer

    def _act(self, place: int, account_id: str, command: SpendingCommand) -> Answer:
        if isinstance(command, AuthorizeCommand):
            return self._authorize(place, account_id, command)
        authorization = self._own(command.id, account_id)
        match command:
            case IncrementCommand():
                return self._increment(place, authorization, command)
            case CaptureCommand():
                moved = authorization.capture(command.amount_fen, self._now)
            case VoidCommand():
                moved = authorization.void(self._now)
            case RefundCommand():
                moved = authorization.refund(command.amount_fen, self._now)
            case _:
                assert_never(command)
        self._refuse_past(moved)
        self._put(moved)
        return view_of(moved, self._now)

    def _own(self, authorization_id: str, account_id: str) -> Authorization:
        found = self._authorizations.get(authorization_id)
        if found is None or found.opening.account_id != account_id:
            raise NotFound(UNKNOWN)
        if found.has_lapsed(self._now):
            # After a caller has learned that the hold is over, no other clock may open it again.
            found = found.expire(self._now)
            self._put(found)
        return found

    def _authorize(self, place: int, account_id: str, command: AuthorizeCommand) -> Answer:
        check, service = command.check, command.check.service
        assert isinstance(service, Resort), "only resorts are sold under a cap"
        person = self._loaded.persons[place]
        counted = counted_documents(check.subject, self._loaded.traces.get(place, ()))
        policy = self._policies.effective(check.jurisdiction)
        cap = policy.settings.resort_cap
        room = None
        if cap is not None:
            newest_day = self._balances.newest_day(person, cap.counter)
            if newest_day is not None and newest_day > shanghai_day(self._now):
                # An amount that counts in a past period would escape the cap of the present one.
                raise Unavailable(_GONE_BACK)
            room = self._balances.room(person, cap, self._now)
        asked = self._ask(place, account_id, service, check.jurisdiction, room, counted)
        outcome = self._unless_capped(asked, command.claim)
        if outcome is not None:
            return outcome
        assert asked.room is not None, "only where a cap is set is anybody capped"
        after = asked.room.after(service.amount_fen)
        opening = Opening(
            id=new_id(),
            account_id=account_id,
            document=asked.capped or next(iter(counted.values())),
            counter=after.cap.counter,
            counted_at=self._now,
            jurisdiction=check.jurisdiction,
            venue=service.venue,
            reference=check.reference,
            decision_id=asked.decision_id,
        )
        held = Authorization.hold(
            opening,
            service.amount_fen,
            self._now + timedelta(seconds=command.hold_seconds),
            after.counted(),
        )
        self._put(held)
        decision = asked.decision.outcome
        return view_of(held, self._now, decision=decision, spending=after.spending())

    def _increment(
        self, place: int, authorization: Authorization, command: IncrementCommand
    ) -> Answer:
        authorization.refuse_unless(SpendingStepKind.INCREMENTED, self._now)
        opening = authorization.opening
        service = Resort(venue=opening.venue, amount_fen=command.amount_fen)
        cap = self._policies.effective(opening.jurisdiction).settings.resort_cap
        room = None
        if cap is not None:
            # An increment counts with its authorization: on the same counter, in the same period.
            cap = msgspec.structs.replace(cap, counter=opening.counter)
            person = self._loaded.persons[place]
            room = self._balances.room(person, cap, opening.counted_at)
        counted = {opening.document: opening.document}
        asked = self._ask(place, opening.account_id, service, opening.jurisdiction, room, counted)
        outcome = self._unless_capped(asked, command.claim)
        if outcome is not None:
            return outcome
        assert asked.room is not None, "only where a cap is set is anybody capped"
        after = asked.room.after(command.amount_fen)
        expires_at = authorization.expires_at
        if command.hold_seconds is not None:
            expires_at = max(expires_at, self._now + timedelta(seconds=command.hold_seconds))
        moved = authorization.increment(command.amount_fen, self._now, expires_at, after.counted())
        self._refuse_past(moved)
        self._put(moved)
        decision = asked.decision.outcome
        return view_of(moved, self._now, decision=decision, spending=after.spending())

    def _ask(
        self,
        place: int,
        account_id: str,
        service: Resort,
        jurisdiction: Jurisdiction,
        room: Room | None,
        counted: Mapping[DocumentKey, DocumentKey],
    ) -> _Asked:
        """Decide about holding the amount too, and keep the decision unless it is a plain
        `allow`.
        """
        if self._loaded.list_version is None:
            raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
        standing = self._loaded.standings[place]
        policy = self._policies.effective(jurisdiction)
        decision = decide_hold(standing, service, policy, room, self._now)
        decision_id, capped = new_id(), None
        if decision.reasons:
            shown = standing.with_all_shown()
            # Nearly every listing is public: then the answer shows all of them.
            whole = decision
            if shown is not standing:
                whole = decide_hold(shown, service, policy, room, self._now)
            traces = self._loaded.traces.get(place, ())
            capped = capped_document(whole, traces, counted)
            self._decisions.append(
                KeptDecision.of(
                    decision,
                    whole,
                    id=decision_id,
                    at=self._now,
                    account_id=account_id,
                    service=ServiceType.RESORT,
                    jurisdiction=jurisdiction,
                    policy=policy,
                    list_version=self._loaded.list_version,
                    traces=traces,
                    vault=self._vault,
                )
            )
        return _Asked(decision=decision, decision_id=decision_id, room=room, capped=capped)

    def _unless_capped(self, asked: _Asked, claim: bytes) -> Answer | None:
        """Return the answer if no cap binds the person, or the cap has no room; None: hold."""
        decision = asked.decision
        if not decision.reasons:
            return Uncapped()
        if decision.permit is not None:
            if decision.permit.is_counted:
                self._uses.append(PermitUse(permit=decision.permit, claim=claim))
            return Uncapped()
        for reason in decision.reasons:
            if reason.code in _REFUSALS:
                return Conflict(_REFUSALS[reason.code])
        if decision.spending is None:
            return Uncapped(decision=decision.outcome, decision_id=asked.decision_id)
        # With what forbids at any price set aside, only the amount is left to refuse.
        return CapExceeded(decision.spending) if decision.outcome is Outcome.DENY else None

    def _refuse_past(self, moved: Authorization) -> None:
        """Raise Unavailable where the newest step stands long before the one it follows."""
        if moved.steps[-1].at - self._now > CLOCK_SKEW_MAX:
            raise Unavailable(_GONE_BACK)

    def _put(self, moved: Authorization) -> None:
        self._moved.append(moved)
        self._authorizations[moved.opening.id] = moved
        self._balances.add(moved)
