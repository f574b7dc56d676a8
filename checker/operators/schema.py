"""The table of operators' actions. A trigger refuses every change and removal of a row.

No column has anything about a listed person. `details` has the changed fields of an account or key,
or the counts of an action.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from checker.database.metadata import metadata

operator_action = Table(
    "operator_action",
    metadata,
    Column("pk", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("door", Text, nullable=False),
    # Both are not set for a command on the server itself.
    Column("account_id", ForeignKey("account.id")),
    Column("key_pk", ForeignKey("api_key.pk")),
    Column("action", Text, nullable=False),
    # The id of the account, key, line, generation or receipt key; not set: the action has no such.
    Column("target", Text),
    Column("outcome", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    CheckConstraint("door IN ('api', 'console', 'command')", name="door"),
    CheckConstraint("outcome IN ('done', 'begun', 'failed')", name="outcome"),
    CheckConstraint("(account_id IS NULL) = (door = 'command')", name="author"),
)
Index("ix_operator_action_target", operator_action.c.target, operator_action.c.pk)
