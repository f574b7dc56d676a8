"""Batches as they are sent (contract, section 2), and their reading into prepared checks.

`OpenBatch.read` is the one path of an item: it reads any item, and returns the error of a bad one.
`checker.checks.plain_items` reads the plain items of a slice at once, and leaves all others to the
one path. A test shows that both ways read the same.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from checker.accounts.keys import Caller
from checker.checks.in_slices import SLICE_CHECKS
from checker.checks.plain_items import (
    PLAIN_FROM,
    PlainChecks,
    PlainResidents,
    PlainSlice,
    PlainSubjects,
)
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.repeated_members import (
    refuse_repeated_at_top,
    refuse_repeated_in_check,
    refuse_repeated_in_subject,
)
from checker.checks.request import (
    Check,
    Place,
    Subject,
    jurisdiction_of,
    prepare,
    prepare_subject,
    service_type,
)
from checker.checks.turns import Pace, give_way
from checker.decoding import decode, refuse_repeated
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Service
from checker.errors import InvalidRequest, OutOfScope, TooLarge
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer

BATCH_ITEMS_MAX = 10_000

SLICE_SUBJECTS = 200
"""Subjects that are read in one slice: 0.3 ms, at 1.5 µs each."""

SLICE_OWN = 100
"""Checks with services of their own that are read in one slice: 0.3 ms, at 3 µs each."""


class ChecksBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many questions, each with a service of its own. `order`: they are one booking."""

    checks: tuple[msgspec.Raw, ...]
    order: bool = False


class SubjectsBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service for many subjects. It asks for no receipts: checks of their own do.

    `order`: the subjects are those of one booking.
    """

    service: Service
    jurisdiction: Place | None = None
    subjects: tuple[msgspec.Raw, ...]
    order: bool = False


Item = PreparedCheck | InvalidRequest | OutOfScope
"""One place of a batch. A bad item becomes its error, and the other items are answered."""

_check_decoder = msgspec.json.Decoder(Check)
_subject_decoder = msgspec.json.Decoder(Subject)
_checks_decoder = msgspec.json.Decoder(ChecksBatch)
_subjects_decoder = msgspec.json.Decoder(SubjectsBatch)
_keys_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ReadBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of a batch in their order, and the errors of its bad items by their place."""

    checks: PreparedBatch
    errors: dict[int, InvalidRequest | OutOfScope]


class OpenBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch whose items are not read yet.

    `read` returns one item, or the error of a bad item; `prepare` does so for a decoded item whose
    fields are there once. `read_plain` reads the plain items of a slice, or returns None if the
    slice cannot be decoded. A slice has `at_once` items. `checks` receives the checks. `order`: the
    batch is one booking.
    """

    raws: tuple[msgspec.Raw, ...]
    read: Callable[[msgspec.Raw], Item]
    prepare: Callable[[Any], Item]
    read_plain: Callable[[Sequence[msgspec.Raw]], PlainSlice | None]
    at_once: int
    checks: PreparedBatch
    order: bool

    async def read_all(self, pace: Pace) -> ReadBatch:
        """Return the whole batch. `pace` is awaited between its slices."""
        batch = ReadBatch(checks=self.checks, errors={})
        for start in range(0, len(self.raws), self.at_once):
            await pace()
            await self._read_slice(start, batch, pace)
        return batch

    async def _read_slice(self, start: int, batch: ReadBatch, pace: Pace) -> None:
        raws = self.raws[start : start + self.at_once]
        found = self.read_plain(raws) if len(raws) >= PLAIN_FROM else None
        if found is not None and found.is_whole:
            batch.checks.add_plain_single(found.sent, found.singles)
            return
        read_singly = 0
        for at, raw in enumerate(raws):
            if found is None or at in found.repeated:
                item = self.read(raw)
            elif at in found.tokens:
                batch.checks.add_plain(found.sent[at], found.tokens[at])
                continue
            else:
                item = self.prepare(found.sent[at])
            if isinstance(item, PreparedCheck):
                batch.checks.add(item)
            else:
                batch.errors[start + at] = item
            read_singly += 1
            if read_singly % SLICE_CHECKS == 0:
                await pace()


async def open_batch(
    body: bytes,
    caller: Caller,
    today: date,
    sealer: Sealer,
    *,
    pace: Pace = give_way,
) -> OpenBatch:
    """Return a batch of either form, with its items unread.

    Each step over a whole body takes up to 1 ms. `pace` is awaited between these steps.

    Raises:
        InvalidRequest: the body has neither form, a shared field is at fault, or is there twice.
        OutOfScope: the key may not ask about the shared service.
        TooLarge: more than 10 000 items.
    """
    members = decode(_keys_decoder, body)
    residents = PlainResidents(today, sealer)
    await pace()
    if "checks" in members:
        batch = decode(_checks_decoder, body)
        await pace()
        refuse_repeated_at_top(body, members)
        _bound(len(batch.checks))
        return _open_checks(batch, caller, today, sealer, residents)
    shared = decode(_subjects_decoder, body)
    await pace()
    refuse_repeated_at_top(body, members)
    refuse_repeated(bytes(members["service"]), under="/service")
    del members  # it is as large as the body
    _bound(len(shared.subjects))
    service_type(shared.service, caller)
    jurisdiction = jurisdiction_of(shared.jurisdiction, caller)
    return _open_subjects(shared, jurisdiction, today, sealer, residents)


def _open_checks(
    batch: ChecksBatch,
    caller: Caller,
    today: date,
    sealer: Sealer,
    residents: PlainResidents,
) -> OpenBatch:
    def prepare_check(asked: Check) -> Item:
        try:
            return prepare(asked, caller, today, sealer.document_token, receipt=asked.receipt)
        except (InvalidRequest, OutOfScope) as error:
            return error

    def read(raw: msgspec.Raw) -> Item:
        try:
            asked = decode(_check_decoder, raw)
            refuse_repeated_in_check(bytes(raw), asked)
        except InvalidRequest as error:
            return error
        return prepare_check(asked)

    plain = PlainChecks(caller, residents)
    return OpenBatch(
        raws=batch.checks,
        read=read,
        prepare=prepare_check,
        read_plain=plain.read,
        at_once=SLICE_OWN,
        checks=PreparedBatch(plain.prepare, sealer.tokens_of),
        order=batch.order,
    )


def _open_subjects(
    shared: SubjectsBatch,
    jurisdiction: Jurisdiction,
    today: date,
    sealer: Sealer,
    residents: PlainResidents,
) -> OpenBatch:
    service = shared.service

    def prepare_shared(sent: Subject) -> Item:
        try:
            subject = prepare_subject(sent, "", today, sealer.document_token)
        except InvalidRequest as error:
            return error
        return PreparedCheck(subject=subject, service=service, jurisdiction=jurisdiction)

    def read(raw: msgspec.Raw) -> Item:
        try:
            sent = decode(_subject_decoder, raw)
            refuse_repeated_in_subject(bytes(raw), has_name=sent.name is not None)
        except InvalidRequest as error:
            return error
        return prepare_shared(sent)

    plain = PlainSubjects(service, jurisdiction, residents)
    return OpenBatch(
        raws=shared.subjects,
        read=read,
        prepare=prepare_shared,
        read_plain=plain.read,
        at_once=SLICE_SUBJECTS,
        checks=PreparedBatch(plain.prepare, sealer.tokens_of, shared_service=service),
        order=shared.order,
    )


def _bound(items: int) -> None:
    if items > BATCH_ITEMS_MAX:
        raise TooLarge(f"a batch has at most {BATCH_ITEMS_MAX} items")
