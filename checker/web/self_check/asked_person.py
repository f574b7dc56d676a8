"""Reads the form of the self-check: a name, and the whole number of a document.

The same readings as at the desk find what went wrong while typing (`checker.web.desk.reader_line`).
A fault never repeats what was typed.
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final

import msgspec

from checker.checks.request import Subject, prepare_subject
from checker.decoding import decode
from checker.domain.document import DocumentType
from checker.domain.errors import EXPLANATIONS, InvalidReason
from checker.errors import InvalidRequest, InvalidSubject
from checker.registry.prepared_check import PreparedSubject, TokenOf
from checker.web.desk.reader_line import ReaderFault, UnreadableLine, likely_fault, read_line
from checker.web.visit import Form

NAME: Final = "name"
DOCUMENT_TYPE: Final = "document_type"
DOCUMENT_NUMBER: Final = "document_number"

KINDS: Final = tuple(each for each in DocumentType if each is not DocumentType.NET_ID)
"""The documents that a list can know."""


class EntryFault(StrEnum):
    """A field of the form that is empty or of another kind than it should be."""

    NAME = "name_missing"
    NUMBER = "number_missing"
    TYPE = "type_unknown"


FormFault = EntryFault | ReaderFault | InvalidReason

_SUBJECT: Final = msgspec.json.Decoder(Subject)
_encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode
_REASONS: Final[Mapping[str, FormFault]] = {text: reason for reason, text in EXPLANATIONS.items()}
_OF_FIELD: Final = {
    "/name": EntryFault.NAME,
    "/document/type": EntryFault.TYPE,
    "/document/number": EntryFault.NUMBER,
}


class FaultyForm(ValueError):
    """A form that names nobody who could be on a list. The error never holds a value."""

    def __init__(self, fault: FormFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def chosen_kind(form: Form) -> DocumentType | None:
    """Return the type of document of a form; None: there is no such type."""
    text = form.get(DOCUMENT_TYPE, DocumentType.RESIDENT_ID.value)
    return next((each for each in DocumentType if each.value == text), None)


def read_person(form: Form, today: date, token_of: TokenOf) -> PreparedSubject:
    """Return the person of a filled form, with a name.

    Raises:
        FaultyForm: a field is missing, or the number can be on no list.
    """
    kind = chosen_kind(form)
    if kind is None:
        raise FaultyForm(EntryFault.TYPE)
    if NAME not in form:
        raise FaultyForm(EntryFault.NAME)
    if DOCUMENT_NUMBER not in form:
        raise FaultyForm(EntryFault.NUMBER)
    try:
        read = read_line(form[DOCUMENT_NUMBER])
    except UnreadableLine as error:
        raise FaultyForm(error.fault) from None
    kind = read.type or kind
    if kind is DocumentType.NET_ID:
        raise FaultyForm(InvalidReason.NOT_LISTED)
    sent = {
        "name": form[NAME].strip(),
        "document": {"type": kind.value, "number": read.number},
    }
    try:
        return prepare_subject(decode(_SUBJECT, _encode(sent)), "", today, token_of)
    except InvalidSubject as error:
        fault = likely_fault(read.number, kind)
        if fault is not None:
            raise FaultyForm(fault) from None
        raise FaultyForm(_REASONS.get(str(error), EntryFault.NUMBER)) from None
    except InvalidRequest as error:
        pointers = [each.pointer for each in error.faults]
        raise FaultyForm(_OF_FIELD.get(pointers[0], EntryFault.NUMBER)) from None
