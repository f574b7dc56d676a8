"""The domain's errors. Their texts never hold a refused value: no number, no name."""

from enum import StrEnum
from typing import Final


class InvalidReason(StrEnum):
    """Why a document can be on no list."""

    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check_digit"
    BIRTH_DATE = "birth_date"
    MASK = "mask"
    AMBIGUOUS_MASK = "ambiguous_mask"
    ISSUER = "issuer"
    ISSUER_MISPLACED = "issuer_misplaced"
    NOT_LISTED = "not_listed"


EXPLANATIONS: Final = {
    InvalidReason.LENGTH: "the number has a length that this kind of document never has",
    InvalidReason.CHARACTER: "the number has a character where this kind of document has none such",
    InvalidReason.CHECK_DIGIT: "the check digit does not fit the rest of the number",
    InvalidReason.BIRTH_DATE: "the birth date in the number never was or is still to come",
    InvalidReason.MASK: "a masked number shows at least ten characters, an organization code five",
    InvalidReason.AMBIGUOUS_MASK: "the characters that are shown fit more than one number",
    InvalidReason.ISSUER: "the issuer is none of the states in ISO 3166-1 alpha-3",
    InvalidReason.ISSUER_MISPLACED: "only a passport has an issuer",
    InvalidReason.NOT_LISTED: "a document of this kind identifies nobody in a list",
}

# The field at fault, for the reasons that are not about the number.
_FIELDS = {
    InvalidReason.ISSUER: "issuer",
    InvalidReason.ISSUER_MISPLACED: "issuer",
    InvalidReason.NOT_LISTED: "type",
}


class InvalidDocument(ValueError):
    """A document that no authority issues, so it can be on no list; `field` is at fault."""

    def __init__(self, reason: InvalidReason) -> None:
        super().__init__(EXPLANATIONS[reason])
        self.reason = reason
        self.field = _FIELDS.get(reason, "number")


class FieldRequired(ValueError):
    """A struct lacks a field that its other fields make compulsory."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is required")
        self.field = field


class InvalidJurisdiction(ValueError):
    """A text that is no place of service."""

    field: Final = "jurisdiction"

    def __init__(self) -> None:
        super().__init__("a jurisdiction is CN or a GB/T 2260 code of 2, 4 or 6 digits")
