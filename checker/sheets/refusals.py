"""The refusals of whole sheets. No text repeats the content of a cell of a person."""

from enum import StrEnum
from typing import Final

from checker.errors import (
    CheckerError,
    Fault,
    InvalidRequest,
    TooLarge,
    UnsupportedMediaType,
)


class SheetFault(StrEnum):
    """Why a whole sheet cannot be read or planned. A page has a sentence for each."""

    EMPTY = "empty"
    NO_HEADER = "no_header"
    ENCODING = "encoding"
    QUOTES = "quotes"
    NO_WORKBOOK = "no_workbook"
    MACROS = "macros"
    UNUSUAL = "unusual"
    """Excel or WPS would write the sheet in another way. To save the sheet again helps."""
    CHECKED_ALREADY = "checked_already"
    NO_PERSON = "no_person"
    NO_SERVICE = "no_service"
    TWO_LAYOUTS = "two_layouts"
    TWICE = "twice"
    SERVICE = "service"
    """The service that is named for all rows is incomplete or unknown."""
    TOO_LARGE = "too_large"
    OLD_OR_LOCKED = "old_or_locked"


SERVICE_HELPS: Final = frozenset({SheetFault.NO_SERVICE, SheetFault.TWO_LAYOUTS})
"""The faults that end when a person names one service for all rows."""


class SheetRefused(InvalidRequest):
    """A sheet that cannot be read or planned. `headers` are the headers at fault."""

    def __init__(
        self, detail: str, pointer: str, fault: SheetFault, headers: tuple[str, ...]
    ) -> None:
        super().__init__("the sheet cannot be read", [Fault(pointer, detail)])
        self.fault = fault
        self.headers = headers


def refused(
    detail: str,
    pointer: str = "/file",
    *,
    fault: SheetFault = SheetFault.UNUSUAL,
    headers: tuple[str, ...] = (),
) -> SheetRefused:
    """Return the error of a sheet that cannot be read."""
    return SheetRefused(detail, pointer, fault, headers)


def no_header() -> SheetRefused:
    """Return the error of a sheet in which no row names a column of numbers."""
    return refused(
        "no row names a column of document numbers, such as 证件号码 or 身份证号",
        fault=SheetFault.NO_HEADER,
    )


def fault_of(error: CheckerError) -> SheetFault:
    """Return the fault by the error of a sheet or of its plan; other errors are raised again."""
    match error:
        case SheetRefused():
            return error.fault
        case TooLarge():
            return SheetFault.TOO_LARGE
        case UnsupportedMediaType():
            return SheetFault.OLD_OR_LOCKED
        case InvalidRequest():
            return SheetFault.SERVICE
        case _:
            raise error
