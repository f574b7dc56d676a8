"""Tables of the registry: permits, their uses, and the answers that rest on a use."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata
from checker.database.token_column import TokenColumn

# The court's dated exception, in force on `[valid_from, valid_until)`; `until_version`: withdrawn.
permit = Table(
    "permit",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    # Keyed digest of the permit as sent: the same line again changes nothing.
    Column("digest", LargeBinary, nullable=False),
    Column("type", Text, nullable=False),
    Column("number", LargeBinary, nullable=False),
    Column("token", TokenColumn, nullable=False, index=True),
    Column("issuer", Text),
    Column("services", ARRAY(Text), nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True), nullable=False),
    # How many decisions it may lift; not set: any number.
    Column("uses", Integer),
    Column("court", Text, nullable=False),
    # The court's words, sealed: they may name an illness.
    Column("ground", LargeBinary, nullable=False),
    Column("from_version", BigInteger, ForeignKey("change.version"), nullable=False),
    Column("until_version", BigInteger, ForeignKey("change.version")),
    # The personal data was removed then (`checker.registry.purge`).
    Column("purged_at", DateTime(timezone=True)),
    # Not set: the court names no kind.
    Column("kind", Text),
    CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
    CheckConstraint("uses >= 1", name="uses"),
    CheckConstraint("kind IN ('necessity', 'private_funds', 'urgent_travel')", name="kind"),
)
Index("ix_permit_from_version", permit.c.from_version)
Index("ix_permit_valid_from", permit.c.valid_from)

# One row for each use of a counted permit. `claim` tells uses apart: a retry is no second use.
# A use that is given back stays. If the same claim comes again, its next use has the next number.
permit_use = Table(
    "permit_use",
    metadata,
    Column("permit_pk", ForeignKey("permit.pk"), primary_key=True),
    Column("claim", LargeBinary, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("number", Integer, primary_key=True, autoincrement=False, server_default="0"),
    # The use was given back then, because of an outcome of this decision; not set: it is used up.
    Column("returned_at", DateTime(timezone=True)),
    Column("returned_by", Uuid(as_uuid=False)),
    CheckConstraint("(returned_at IS NULL) = (returned_by IS NULL)", name="returned_by_one"),
)
Index(
    "uq_permit_use_in_force",
    permit_use.c.permit_pk,
    permit_use.c.claim,
    unique=True,
    postgresql_where=permit_use.c.returned_at.is_(None),
)

# The use of a permit on which an answer rests. Several answers about one sale rest on one use.
permit_answer = Table(
    "permit_answer",
    metadata,
    Column("decision_id", Uuid(as_uuid=False), primary_key=True),
    Column("permit_pk", BigInteger, nullable=False),
    Column("claim", LargeBinary, nullable=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(
        ["permit_pk", "claim", "number"],
        ["permit_use.permit_pk", "permit_use.claim", "permit_use.number"],
    ),
    Index("ix_permit_answer_use", "permit_pk", "claim", "number"),
)
