"""Checks as they are sent (contract, section 2), and their reading into prepared checks."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Protocol

import msgspec

from checker.accounts.keys import Caller
from checker.checks.repeated_members import (
    refuse_repeated,
    refuse_repeated_at_top,
    refuse_repeated_in_check,
    refuse_repeated_in_subject,
)
from checker.decoding import decode
from checker.domain.document import Document, normalize
from checker.domain.errors import InvalidDocument, InvalidJurisdiction
from checker.domain.jurisdiction import NATION, Jurisdiction, parse_jurisdiction
from checker.domain.name import normalize_name
from checker.domain.service import Service, ServiceType, type_of
from checker.errors import Fault, InvalidRequest, InvalidSubject, OutOfScope, TooLarge
from checker.registry.prepared_check import PreparedCheck, PreparedSubject, TokenOf

BATCH_ITEMS_MAX = 10_000
NAME_LENGTH_MAX = 300
REFERENCE_LENGTH_MAX = 200

_Name = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX, extra_json_schema={"pattern": r"\S"}),
]
_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])"
_PLACES_WITHIN = "(?:00(?:00)?|(?:0[1-9]|[1-9][0-9])(?:[0-9]{2})?)"
PLACE_PATTERN = f"^(?:CN|{_PROVINCE}{_PLACES_WITHIN}?)$"
"""The texts that `parse_jurisdiction` reads, for the OpenAPI document."""

Place = Annotated[str, msgspec.Meta(max_length=6, extra_json_schema={"pattern": PLACE_PATTERN})]
"""A jurisdiction as it is sent."""
Reference = Annotated[str, msgspec.Meta(max_length=REFERENCE_LENGTH_MAX)]


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The person or organization asked about.

    Send the name if it is known: a person whose number the list masks is found only with the name.
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


class Sent(Protocol):
    """The fields that checks, authorizations and past sales have in common."""

    @property
    def subject(self) -> Subject:
        """The person or organization asked about."""
        ...

    @property
    def service(self) -> Service:
        """The service that is to be sold."""
        ...

    @property
    def jurisdiction(self) -> str | None:
        """The place of the service, as it was sent."""
        ...

    @property
    def reference(self) -> str | None:
        """The caller's own name of the sale."""
        ...


Item = PreparedCheck | InvalidRequest | OutOfScope
"""One place of a batch. A bad item becomes its error, and the other items are answered."""

_check_decoder = msgspec.json.Decoder(Check)
_subject_decoder = msgspec.json.Decoder(Subject)
_checks_decoder = msgspec.json.Decoder(ChecksBatch)
_subjects_decoder = msgspec.json.Decoder(SubjectsBatch)
_keys_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_check(body: bytes, caller: Caller, today: date, token_of: TokenOf) -> PreparedCheck:
    """Return the check in a body.

    Raises, the first of:
        InvalidRequest: the body has not the shape of a check, or has a field twice.
        OutOfScope: the key may not ask about this type of service.
        InvalidSubject: the number can be on no list.
    """
    asked = decode(_check_decoder, body)
    refuse_repeated_in_check(body, asked)
    return prepare(asked, caller, today, token_of, receipt=asked.receipt)


def read_batch(body: bytes, caller: Caller, today: date, token_of: TokenOf) -> list[Item]:
    """Return the items of a batch in either form, in their order. Raises as `open_batch`."""
    batch = open_batch(body, caller, today, token_of)
    return list(map(batch.read, batch.raws))


class OpenBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch whose items are not read yet. `read` returns one item, or the error of a bad item."""

    raws: tuple[msgspec.Raw, ...]
    read: Callable[[msgspec.Raw], Item]


def open_batch(body: bytes, caller: Caller, today: date, token_of: TokenOf) -> OpenBatch:
    """Return a batch of either form, with its items unread.

    Raises:
        InvalidRequest: the body has neither form, a shared field is at fault, or is there twice.
        OutOfScope: the key may not ask about the shared service.
        TooLarge: more than 10 000 items.
    """
    members = decode(_keys_decoder, body)
    if "checks" in members:
        batch = decode(_checks_decoder, body)
        refuse_repeated_at_top(body, members)
        _bound(len(batch.checks))

        def read_check_of(raw: msgspec.Raw) -> Item:
            return _item_of_check(raw, caller, today, token_of)

        return OpenBatch(raws=batch.checks, read=read_check_of)
    shared = decode(_subjects_decoder, body)
    refuse_repeated_at_top(body, members)
    refuse_repeated(bytes(members["service"]), under="/service")
    del members  # it is as large as the body
    _bound(len(shared.subjects))
    service_type(shared.service, caller)
    jurisdiction = _jurisdiction(shared.jurisdiction, caller)

    def read_subject(raw: msgspec.Raw) -> Item:
        try:
            sent = decode(_subject_decoder, raw)
            refuse_repeated_in_subject(bytes(raw), has_name=sent.name is not None)
            subject = _subject(sent, "", today, token_of)
        except InvalidRequest as error:
            return error
        return PreparedCheck(subject=subject, service=shared.service, jurisdiction=jurisdiction)

    return OpenBatch(raws=shared.subjects, read=read_subject)


def prepare(
    sent: Sent, caller: Caller, today: date, token_of: TokenOf, *, receipt: bool = False
) -> PreparedCheck:
    """Return the check of a decoded request. Raises as `read_check`."""
    service_type(sent.service, caller)
    jurisdiction = _jurisdiction(sent.jurisdiction, caller)
    return PreparedCheck(
        subject=_subject(sent.subject, "/subject", today, token_of),
        service=sent.service,
        jurisdiction=jurisdiction,
        reference=sent.reference,
        receipt=receipt,
    )


def service_type(service: Service, caller: Caller) -> ServiceType:
    """Return the type of a service.

    Raises:
        OutOfScope: the key's scope does not hold this type.
    """
    kind = type_of(service)
    if not caller.may_ask(kind):
        raise OutOfScope(f"this key may not ask about {kind}")
    return kind


def _item_of_check(raw: msgspec.Raw, caller: Caller, today: date, token_of: TokenOf) -> Item:
    try:
        asked = decode(_check_decoder, raw)
        refuse_repeated_in_check(bytes(raw), asked)
        return prepare(asked, caller, today, token_of, receipt=asked.receipt)
    except (InvalidRequest, OutOfScope) as error:
        return error


def _subject(subject: Subject, under: str, today: date, token_of: TokenOf) -> PreparedSubject:
    if subject.name is not None and not normalize_name(subject.name):
        fault = Fault(f"{under}/name", "is blank; leave it out where no name is known")
        raise InvalidRequest("the name is blank", [fault])
    try:
        document = normalize(subject.document, today)
    except InvalidDocument as error:
        fault = Fault(f"{under}/document/{error.field}", str(error))
        raise InvalidSubject(str(error), [fault]) from None
    return PreparedSubject(token=token_of(document), document=document, name=subject.name)


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
