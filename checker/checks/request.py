"""A check as it is sent (contract, section 2), and its reading into a prepared check."""

from datetime import date
from typing import Annotated, Protocol

import msgspec

from checker.accounts.keys import Caller
from checker.checks.repeated_members import refuse_repeated_in_check
from checker.decoding import decode
from checker.domain.document import Document, DocumentType, normalize
from checker.domain.errors import InvalidDocument, InvalidJurisdiction
from checker.domain.jurisdiction import NATION, Jurisdiction, parse_jurisdiction
from checker.domain.name import normalize_name
from checker.domain.service import Service, ServiceType, type_of
from checker.errors import Fault, InvalidRequest, InvalidSubject, OutOfScope
from checker.registry.prepared_check import PreparedCheck, PreparedSubject, TokenOf

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


ALSO_MAX = 4
"""Further documents of one subject. A card or a booking gives two or three."""


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The person or organization asked about.

    Send the name if it is known: a person whose number the list masks is found only with the name.
    `also` has further documents of the same person. All are looked up, and the strongest decision
    stands.
    """

    document: Document
    name: _Name | None = None
    also: Annotated[tuple[Document, ...], msgspec.Meta(max_length=ALSO_MAX)] = ()


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One question: may this subject buy this service there?

    `receipt`: sign the answer, whatever it is.
    """

    subject: Subject
    service: Service
    jurisdiction: Place | None = None
    reference: Reference | None = None
    receipt: bool = False


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


_check_decoder = msgspec.json.Decoder(Check)


def read_check(body: bytes, caller: Caller, today: date, token_of: TokenOf) -> PreparedCheck:
    """Return the check in a body.

    Raises, the first of:
        InvalidRequest: the body has not the shape of a check, has a field twice, or has a wrong
            issuer.
        OutOfScope: the key may not ask about this type of service.
        InvalidSubject: the number can be on no list.
    """
    asked = decode(_check_decoder, body)
    refuse_repeated_in_check(body, asked)
    return prepare(asked, caller, today, token_of, receipt=asked.receipt)


def prepare(
    sent: Sent, caller: Caller, today: date, token_of: TokenOf, *, receipt: bool = False
) -> PreparedCheck:
    """Return the check of a decoded request. Raises as `read_check`."""
    service_type(sent.service, caller)
    jurisdiction = jurisdiction_of(sent.jurisdiction, caller)
    return PreparedCheck(
        subject=prepare_subject(sent.subject, "/subject", today, token_of),
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


def prepare_subject(
    subject: Subject, under: str, today: date, token_of: TokenOf
) -> PreparedSubject:
    """Return a subject that can be looked up. `under` is the JSON pointer of the subject.

    Raises:
        InvalidRequest: the name is blank, or a document has an issuer that it cannot have.
        InvalidSubject: a number can be on no list.
    """
    if subject.name is not None and not normalize_name(subject.name):
        fault = Fault(f"{under}/name", "is blank; leave it out where no name is known")
        raise InvalidRequest("the name is blank", [fault])
    try:
        document = normalize(subject.document, today)
    except InvalidDocument as error:
        raise _invalid(error, f"{under}/document") from None
    if subject.also or document.type is DocumentType.NET_ID:
        return _several(document, subject, under, today, token_of)
    return PreparedSubject(token=token_of(document), document=document, name=subject.name)


def _several(
    document: Document, sent: Subject, under: str, today: date, token_of: TokenOf
) -> PreparedSubject:
    """Return a subject with further documents, or with a document that no list can know."""
    also = []
    for place, each in enumerate(sent.also):
        try:
            also.append(normalize(each, today))
        except InvalidDocument as error:
            raise _invalid(error, f"{under}/also/{place}") from None
    first, *others = [
        PreparedSubject(
            token=token_of(each),
            document=each,
            name=sent.name,
            is_unknowable=each.type is DocumentType.NET_ID,
        )
        for each in dict.fromkeys((document, *also))
    ]
    is_unknowable = any(each.is_unknowable for each in (first, *others))
    return msgspec.structs.replace(first, also=tuple(others), is_unknowable=is_unknowable)


def _invalid(error: InvalidDocument, under: str) -> InvalidRequest:
    """Return the error of a document. A wrong issuer is a wrong field, and no wrong number."""
    kind = InvalidSubject if error.field == "number" else InvalidRequest
    return kind(str(error), [Fault(f"{under}/{error.field}", str(error))])


def jurisdiction_of(text: str | None, caller: Caller) -> Jurisdiction:
    """Return the place of a service; `text` None: the default of the account, or the country.

    Raises:
        InvalidRequest: there is no such place.
    """
    if text is None:
        return caller.jurisdiction or NATION
    try:
        return parse_jurisdiction(text)
    except InvalidJurisdiction as error:
        raise InvalidRequest(str(error), [Fault("/jurisdiction", str(error))]) from None
