"""Tables of corrections: the filings, their listings, and the court's rulings.

The person's words and contact stand sealed (`checker.vault`), and so does the court's note. A row
is written once and ruled on once.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from checker.database.metadata import metadata

correction = Table(
    "correction",
    metadata,
    # In the order of receipt: given behind `Lock.CORRECTIONS`.
    Column("pk", BigInteger, Identity(), primary_key=True),
    # Random: a person without a key reads the correction by this id alone.
    Column("id", UUID(as_uuid=False), nullable=False, unique=True),
    # Keyed digest of filer, listing or decision, and words: the same filing has the same digest.
    Column("request", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    # How the days were counted; not set: the third day, in rows from before the calendar.
    Column("due_basis", Text),
    # The calendar of the due day's year was not announced.
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    # Received after the days for applying were over, and accepted all the same.
    Column("late", Boolean, nullable=False),
    # Not set: filed without a key.
    Column("account_id", ForeignKey("account.id")),
    # Not set: filed about a listing.
    Column("decision_id", UUID(as_uuid=False)),
    Column("ground", LargeBinary, nullable=False),
    Column("contact", LargeBinary, nullable=False),
    # The fault in one word of the contract; not set: in words alone.
    Column("ground_code", Text),
    Column("ruling", Text),
    # The change that an upheld ruling made. Rulings from before the column have none: they
    # delisted.
    Column("effect", Text),
    Column("ruled_at", DateTime(timezone=True)),
    Column("ruled_by", ForeignKey("account.id")),
    Column("note", LargeBinary),
    # The version of the list in which an upheld ruling is in force.
    Column("version", BigInteger, ForeignKey("change.version")),
    CheckConstraint("due_basis IN ('calendar_roll', 'working')", name="due_basis"),
    CheckConstraint("ruling IN ('upheld', 'rejected')", name="ruling"),
    CheckConstraint(
        "ground_code IN ('performed', 'namesake', 'impostor', 'left_office', 'human_review',"
        " 'other')",
        name="ground_code",
    ),
    CheckConstraint("effect IN ('delist', 'distinguish', 'remove_officer', 'none')", name="effect"),
    CheckConstraint(
        "(ruling IS NULL) = (ruled_at IS NULL) AND (ruling IS NULL) = (ruled_by IS NULL)",
        name="ruled_once",
    ),
)
_is_open = correction.c.ruling.is_(None)
Index("uq_correction_request_open", correction.c.request, unique=True, postgresql_where=_is_open)
Index("ix_correction_due_on_open", correction.c.due_on, postgresql_where=_is_open)
Index(
    "ix_correction_received_at_keyless",
    correction.c.received_at,
    postgresql_where=correction.c.account_id.is_(None),
)

# The listings of a correction. `delisted`: the ruling has ended the listing.
correction_listing = Table(
    "correction_listing",
    metadata,
    Column("correction_pk", ForeignKey("correction.pk"), primary_key=True),
    Column("listing_id", Text, primary_key=True, index=True),
    Column("delisted", Boolean, nullable=False, server_default=text("false")),
)
