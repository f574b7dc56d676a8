"""The refusals of whole sheets. No text repeats the content of a cell."""

from checker.errors import Fault, InvalidRequest


def refused(detail: str, pointer: str = "/file") -> InvalidRequest:
    """Return the error of a sheet that cannot be read."""
    return InvalidRequest("the sheet cannot be read", [Fault(pointer, detail)])


def no_header() -> InvalidRequest:
    """Return the error of a sheet in which no row names a column of numbers."""
    return refused("no row names a column of document numbers, such as 证件号码 or 身份证号")
