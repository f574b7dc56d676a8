"""Tables of the registry: what the courts said, as PostgreSQL keeps it.

A listing's row is never changed but for its end: it is in force from the change `from_version` to
the change `until_version` (not set: still in force), so that what was in force at any past version
can be told. Names and numbers stand sealed (`checker.vault`); they are found by token alone.
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
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from checker.database.metadata import metadata

# One row a change of the list; its number is the list's version.
change = Table(
    "change",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
)

listing = Table(
    "listing",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    # Keyed digest of the whole listing: an unchanged line of the next snapshot keeps its row.
    Column("digest", LargeBinary, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("court", Text, nullable=False),
    Column("filed_on", Date),
    Column("published_on", Date),
    Column("expires_on", Date),
    Column("public", Boolean, nullable=False),
    Column("party_type", Text, nullable=False),
    Column("party_name", LargeBinary, nullable=False),
    Column("from_version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("until_version", BigInteger, ForeignKey("change.version")),
    CheckConstraint("party_type IN ('person', 'organization')", name="party_type"),
    CheckConstraint("until_version > from_version", name="ends_after_it_begins"),
)
Index(
    "uq_listing_id_in_force",
    listing.c.id,
    unique=True,
    postgresql_where=listing.c.until_version.is_(None),
)

# How an organization's listing reaches a person. Without a document it reaches nobody: unresolved.
officer_link = Table(
    "officer_link",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("listing_pk", ForeignKey("listing.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", Text),
    Column("name", LargeBinary, nullable=False),
    Column("resolved", Boolean, nullable=False),
)

# The documents of the party and of the officers. `name_token` is that of the document's holder.
document = Table(
    "document",
    metadata,
    Column("listing_pk", ForeignKey("listing.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("officer_pk", ForeignKey("officer_link.pk", ondelete="CASCADE")),
    Column("role", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("token", LargeBinary, nullable=False, index=True),
    Column("name_token", LargeBinary, nullable=False),
)

# Lines that were not accepted, whole and sealed, until a person has looked at them.
quarantine = Table(
    "quarantine",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    # All rejected lines of one transfer share it; of a refused transfer there is no version.
    Column("feed", Text, nullable=False),
    Column("version", BigInteger, ForeignKey("change.version")),
    Column("format", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# What must not change under a deployment: one row, checked at every start.
deployment = Table(
    "deployment",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("token_key_fingerprint", Text, nullable=False),
    Column("sealed_probe", LargeBinary, nullable=False),
    CheckConstraint("singleton", name="one_row"),
)
