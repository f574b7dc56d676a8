"""The bodies of requests about corrections (contract, section 6)."""

from typing import Annotated

import msgspec

from checker.corrections.correction import GroundCode, Ruling, RulingEffect

GROUND_LENGTH_MAX = 2_000
"""A page; documents are for the court, by its own ways."""
CONTACT_LENGTH_MAX = 200
NOTE_LENGTH_MAX = 2_000
ID_LENGTH_MAX = 100
LISTINGS_MAX = 1_000

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
# At least one character is no white space.
_Ground = Annotated[str, msgspec.Meta(max_length=GROUND_LENGTH_MAX, pattern=r"\S")]
_Contact = Annotated[str, msgspec.Meta(max_length=CONTACT_LENGTH_MAX, pattern=r"\S")]
_Note = Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)]
_ListingIds = Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=LISTINGS_MAX)]


class FileCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A correction, about a listing or about a decision: exactly one of the two ids is sent.

    The court sends its ruling to `contact`. `ground_code` says in one word what is wrong. Name the
    decision for `namesake`, `impostor` and `left_office`: it shows whose document is meant.
    """

    listing_id: _Id | None = None
    decision_id: _Id | None = None
    ground: _Ground
    ground_code: GroundCode | msgspec.UnsetType = msgspec.UNSET
    contact: _Contact


class RuleOnCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ruling of the court.

    `listing_ids` names the listings that an upheld ruling changes; absent, it changes all listings
    of the correction. It is required if the listings are of several courts. `effect` says what
    becomes of the listings. Absent, it follows from the `ground_code` of the correction: a
    `namesake` or `impostor` is distinguished, an officer who has left office is removed, and in all
    other cases the listings end.
    """

    ruling: Ruling
    note: _Note | None = None
    listing_ids: _ListingIds | None = None
    effect: RulingEffect | msgspec.UnsetType = msgspec.UNSET
