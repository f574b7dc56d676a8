"""Tables of the registry: what the courts said, as PostgreSQL keeps it.

A row is never changed but for its end: it is in force from the change `from_version` to the change
`until_version` (not set: still in force), so that what was in force at any past version is known.
Names and numbers stand sealed (`checker.vault`); they are found by token alone. `outline` and
`outbox` are derived from the rest: what the cache holds, and what it has yet to take in.
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
    Uuid,
    and_,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata
from checker.database.token_column import TokenColumn

# One row a change of the list; its number is the list's version. The id is random: a change that
# takes the number of a lost one has another id. `history` is the name of the server's run then.
change = Table(
    "change",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("change_id", Uuid, nullable=False, unique=True),
    Column("history", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
)

# Finds the version of an instant.
Index("ix_change_at", change.c.at, change.c.version)

# The starts of PostgreSQL, each with the random name that its changes carry as `history`.
server_run = Table(
    "server_run",
    metadata,
    Column("history", Uuid, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False, unique=True),
    Column("begun_at", DateTime(timezone=True), nullable=False),
)

# Changes that a cache or a node had and this registry does not have: it was failed over to an older
# state. `newest_version` is the registry's newest one when the loss was found. Until an operator
# accepts the loss (`accepted_at`), nobody is answered by this registry.
lost_change = Table(
    "lost_change",
    metadata,
    Column("change_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("history", Uuid, nullable=False),
    Column("newest_version", BigInteger, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True)),
)

listing = Table(
    "listing",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False, index=True),
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
    # An entry of the list of the dishonest, or an order. An order restricts `items` alone, if set.
    Column("kind", Text, nullable=False, server_default=text("'dishonest'")),
    Column("items", ARRAY(Text)),
    Column("starts_on", Date),
    # The personal data was removed then (`checker.registry.purge`).
    Column("purged_at", DateTime(timezone=True)),
    Column("from_version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("until_version", BigInteger, ForeignKey("change.version")),
    CheckConstraint("party_type IN ('person', 'organization')", name="party_type"),
    CheckConstraint(
        "kind = 'consumption_order'"
        " OR (kind = 'dishonest' AND items IS NULL AND starts_on IS NULL)",
        name="kind",
    ),
    CheckConstraint("until_version > from_version", name="ends_after_it_begins"),
)
Index(
    "uq_listing_id_in_force",
    listing.c.id,
    unique=True,
    postgresql_where=listing.c.until_version.is_(None),
)
# The console finds listings by it.
Index("ix_listing_case_number", listing.c.case_number)
# By these the notices find what a change ended, and what a day ends.
Index(
    "ix_listing_until_version",
    listing.c.until_version,
    postgresql_where=listing.c.until_version.is_not(None),
)
Index(
    "ix_listing_expires_on",
    listing.c.expires_on,
    postgresql_where=listing.c.expires_on.is_not(None),
)

Index(
    "ix_listing_until_version_unpurged",
    listing.c.until_version,
    postgresql_where=and_(listing.c.until_version.is_not(None), listing.c.purged_at.is_(None)),
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

# The documents of the party and of the officers. `name_token` is the holder's, `shape` the mask's
# (`any` in older rows). A `derived` row repeats a masked number (`checker.domain.masking`).
document = Table(
    "document",
    metadata,
    Column("listing_pk", ForeignKey("listing.pk", ondelete="CASCADE"), nullable=False, index=True),
    Column("officer_pk", ForeignKey("officer_link.pk", ondelete="CASCADE")),
    Column("role", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("token", TokenColumn, nullable=False, index=True),
    Column("name_token", TokenColumn, nullable=False),
    Column("shape", Text),
    Column("derived", Boolean, nullable=False, server_default=text("false")),
    # The issuer that was given with a passport (`checker.domain.issuer`).
    Column("issuer", Text),
    CheckConstraint("NOT masked OR shape IS NOT NULL", name="shape"),
)

# Lines that were not accepted, whole and sealed, until a person has looked at them. Of one transfer
# and of one account only so many are kept (`checker.intake.quarantine_rows`).
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
    # The change by which a retry put the line in force; not set: it is still open.
    Column("resolved_version", BigInteger, ForeignKey("change.version")),
    # Whose transfer it was; not set: a command's.
    Column("account_id", Text, ForeignKey("account.id")),
)
Index("ix_quarantine_account_id", quarantine.c.account_id, quarantine.c.pk)

# The outcome of a feed that was sent under an idempotency key (`checker.intake.feed_requests`).
feed_request = Table(
    "feed_request",
    metadata,
    # Keyed digests: of account, address and key; of the body and its parameters.
    Column("key_digest", LargeBinary, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    # So many lines are on the record; the answer, sealed, is the last one when `is_whole`.
    Column("lines", BigInteger, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
)

# A court's words about a listing, besides its content. They name its id, so that they outlive its
# rows: a snapshot that repeats a shielded listing does not unshield it.
directive = Table(
    "directive",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("listing_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    # The day of a delisting or a fulfilment; the day on which a retention is over.
    Column("on", Date),
    # The ground of a delisting.
    Column("ground", Text),
    # The basis of a retention, in the court's words, sealed.
    Column("basis", LargeBinary),
    # The measures that a retention keeps.
    Column("measures", ARRAY(Text)),
    # The document that a distinction is about, and the court that found it.
    Column("token", TokenColumn),
    Column("issuer", Text),
    Column("court", Text),
    Column("from_version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("until_version", BigInteger, ForeignKey("change.version")),
    CheckConstraint(
        "kind IN ('shielding', 'fulfilment', 'delisting', 'retention', 'distinction')", name="kind"
    ),
    CheckConstraint("(kind = 'distinction') = (token IS NOT NULL)", name="of_document"),
    CheckConstraint("until_version > from_version", name="ends_after_it_begins"),
)
Index("ix_directive_from_version", directive.c.from_version)
Index("ix_directive_on", directive.c.on, postgresql_where=directive.c.on.is_not(None))
Index("ix_directive_token", directive.c.token, postgresql_where=directive.c.token.is_not(None))

# Documents that are one person: all rows in force with the same `person`.
bound_document = Table(
    "bound_document",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("person", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("token", TokenColumn, nullable=False, index=True),
    Column("issuer", Text),
    Column("from_version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("until_version", BigInteger, ForeignKey("change.version")),
    CheckConstraint("until_version > from_version", name="ends_after_it_begins"),
)
# Two passports of one number and of two states are two persons'.
Index(
    "uq_bound_document_in_force",
    bound_document.c.token,
    func.coalesce(bound_document.c.issuer, ""),
    unique=True,
    postgresql_where=bound_document.c.until_version.is_(None),
)

# The content of the cache's newest generation, token by token (`checker.registry.outline`).
outline = Table(
    "outline",
    metadata,
    Column("token", TokenColumn, primary_key=True),
    Column("outline", LargeBinary, nullable=False),
)

# Outlines as a change left them, for the publisher; not set: the token is no longer listed. A
# snapshot writes none: it comes with a generation of its own.
outbox = Table(
    "outbox",
    metadata,
    Column("version", ForeignKey("change.version"), primary_key=True),
    Column("token", TokenColumn, primary_key=True),
    Column("outline", LargeBinary),
)

# Nodes that live on the registry's word while Redis is away (`checker.publication.registry_lease`).
registry_lease = Table(
    "registry_lease",
    metadata,
    Column("node", Text, primary_key=True),
    Column("renewed_at", DateTime(timezone=True), nullable=False),
)

# Facts that must not change under a deployment: one row, verified at every start.
deployment = Table(
    "deployment",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("token_key_fingerprint", Text, nullable=False),
    Column("sealed_probe", LargeBinary, nullable=False),
    # The key of the journal, sealed; not set: no start has stored the key yet.
    Column("sealed_journal_key", LargeBinary),
    # Since when there is a journal of what is written (`checker.journal`).
    Column("journaled_at", DateTime(timezone=True)),
    CheckConstraint("singleton", name="one_row"),
)
