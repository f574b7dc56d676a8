"""What a check asks (contract, section 2), and its reading into what can be looked up."""

from collections.abc import Callable
from datetime import date
from typing import Annotated

import msgspec

from checker.accounts.keys import Caller
from checker.decoding import decode
from checker.domain.document import Document, normalize
from checker.domain.errors import InvalidDocument, InvalidJurisdiction
from checker.domain.jurisdiction import NATION, Jurisdiction, parse_jurisdiction
from checker.domain.name import normalize_name
from checker.domain.service import Service, ServiceType, type_of
from checker.errors import Fault, InvalidRequest, InvalidSubject, OutOfScope, TooLarge

BATCH_ITEMS_MAX = 10_000
NAME_LENGTH_MAX = 300
REFERENCE_LENGTH_MAX = 200

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
Place = Annotated[str, msgspec.Meta(max_length=6)]
"""A jurisdiction as it is sent."""
Reference = Annotated[str, msgspec.Meta(max_length=REFERENCE_LENGTH_MAX)]


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The person or organization asked about.

    Send the name wherever it is known: whom the list shows with a masked number is found only with
    it.
    """

    document: Document
    name: _Name | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One question: may this subject buy this service there?

    `receipt`: sign the answer, whatever it is.
    """

    subject: Subject
    service: Service
    jurisdiction: Place | None = None
    reference: Reference | None = None
    receipt: bool = False


class ChecksBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many questions, each with a service of its own."""

    checks: tuple[msgspec.Raw, ...]


class SubjectsBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service for many subjects. It asks for no receipts: checks of their own do."""

    service: Service
    jurisdiction: Place | None = None
    subjects: tuple[msgspec.Raw, ...]


class PreparedCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A question that can be looked up: the document normalised, the place known."""

    document: Document
    name: str | None
    service: Service
    jurisdiction: Jurisdiction
    reference: str | None
    receipt: bool = False


Item = PreparedCheck | InvalidRequest | OutOfScope
"""One place of a batch: a bad item is kept as its error and spoils nothing else."""

_check_decoder = msgspec.json.Decoder(Check)
_subject_decoder = msgspec.json.Decoder(Subject)
_checks_decoder = msgspec.json.Decoder(ChecksBatch)
_subjects_decoder = msgspec.json.Decoder(SubjectsBatch)
_keys_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_check(body: bytes, caller: Caller, today: date) -> PreparedCheck:
    """Read one check.

    Raises, the first of: InvalidRequest (not of that shape), OutOfScope (the key may not ask about
    this type of service), InvalidSubject (the number can be on no list).
    """
    return prepare(decode(_check_decoder, body), caller, today)


def read_batch(body: bytes, caller: Caller, today: date) -> list[Item]:
    """Read a batch in either form, items in their order.

    Raises as `open_batch`.
    """
    batch = open_batch(body, caller, today)
    return list(map(batch.read, batch.raws))


class OpenBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch whose items are not read yet; `read` reads one and never raises for a bad item."""

    raws: tuple[msgspec.Raw, ...]
    read: Callable[[msgspec.Raw], Item]


def open_batch(body: bytes, caller: Caller, today: date) -> OpenBatch:
    """Open a batch in either form.

    Raises:
        InvalidRequest: neither form, or a shared service or jurisdiction that is at fault.
        OutOfScope: the key may not ask about the shared service.
        TooLarge: more than 10 000 items.
    """
    if "checks" in decode(_keys_decoder, body):
        batch = decode(_checks_decoder, body)
        _bound(len(batch.checks))

        def read_check_of(raw: msgspec.Raw) -> Item:
            return _item_of_check(raw, caller, today)

        return OpenBatch(raws=batch.checks, read=read_check_of)
    shared = decode(_subjects_decoder, body)
    _bound(len(shared.subjects))
    service_type(shared.service, caller)
    jurisdiction = _jurisdiction(shared.jurisdiction, caller)

    def read_subject(raw: msgspec.Raw) -> Item:
        return _item_of_subject(raw, shared.service, jurisdiction, today)

    return OpenBatch(raws=shared.subjects, read=read_subject)


def prepare(check: Check, caller: Caller, today: date) -> PreparedCheck:
    """Read a decoded check; raises as `read_check`."""
    service_type(check.service, caller)
    jurisdiction = _jurisdiction(check.jurisdiction, caller)
    document, name = _subject(check.subject, "/subject", today)
    return PreparedCheck(
        document=document,
        name=name,
        service=check.service,
        jurisdiction=jurisdiction,
        reference=check.reference,
        receipt=check.receipt,
    )


def service_type(service: Service, caller: Caller) -> ServiceType:
    """Tell the type of a service, if the caller may ask about it.

    Raises:
        OutOfScope: the key's scope does not hold it.
    """
    kind = type_of(service)
    if not caller.may_ask(kind):
        raise OutOfScope(f"this key may not ask about {kind}")
    return kind


def _item_of_check(raw: msgspec.Raw, caller: Caller, today: date) -> Item:
    try:
        return prepare(decode(_check_decoder, raw), caller, today)
    except (InvalidRequest, OutOfScope) as error:
        return error


def _item_of_subject(
    raw: msgspec.Raw, service: Service, jurisdiction: Jurisdiction, today: date
) -> Item:
    try:
        document, name = _subject(decode(_subject_decoder, raw), "", today)
    except InvalidRequest as error:
        return error
    return PreparedCheck(
        document=document,
        name=name,
        service=service,
        jurisdiction=jurisdiction,
        reference=None,
    )


def _subject(subject: Subject, under: str, today: date) -> tuple[Document, str | None]:
    if subject.name is not None and not normalize_name(subject.name):
        fault = Fault(f"{under}/name", "is blank; leave it out where no name is known")
        raise InvalidRequest("the name is blank", [fault])
    try:
        return normalize(subject.document, today), subject.name
    except InvalidDocument as error:
        fault = Fault(f"{under}/document/{error.field}", str(error))
        raise InvalidSubject(str(error), [fault]) from None


def _jurisdiction(text: str | None, caller: Caller) -> Jurisdiction:
    if text is None:
        return caller.jurisdiction or NATION
    try:
        return parse_jurisdiction(text)
    except InvalidJurisdiction as error:
        raise InvalidRequest(str(error), [Fault("/jurisdiction", str(error))]) from None


def _bound(items: int) -> None:
    if items > BATCH_ITEMS_MAX:
        raise TooLarge(f"a batch has at most {BATCH_ITEMS_MAX} items")
