"""Distinctions as they are sent: a listing is not about the holder of a document."""

from datetime import date

from checker.domain.document import Document
from checker.formats.feed_format import Reading
from checker.formats.listing import Id, Text
from checker.formats.one_operation import OneOperation, whole_document
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import Distinguish, Undistinguish


class DistinguishLine(OneOperation, tag="distinguish", frozen=True, kw_only=True):
    """States that the holder of a document is not the person of a listing.

    Without `on`, the court found so on the day on which the line was sent.
    """

    listing_id: Id
    document: Document
    court: Text
    on: date | None = None

    def read(self, reading: Reading) -> Distinguish:
        """Return the operation, with its day. A day to come is rejected."""
        on = self.on or reading.sent_on
        if on > reading.today:
            raise LineRejected(RejectCode.IN_THE_FUTURE, "/on is a day to come")
        return Distinguish(
            listing_id=self.listing_id,
            document=whole_document(self.document, reading.today, "/document"),
            court=self.court,
            on=on,
        )


class UndistinguishLine(OneOperation, tag="undistinguish", frozen=True, kw_only=True):
    """Takes the distinction of a document back."""

    listing_id: Id
    document: Document

    def read(self, reading: Reading) -> Undistinguish:
        """Return the operation."""
        document = whole_document(self.document, reading.today, "/document")
        return Undistinguish(listing_id=self.listing_id, document=document)
