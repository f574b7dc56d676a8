"""The table of the journal: which rows one transaction of the service has written.

    list, spending, accounts, … ──▶ journal, in the transaction that writes the rows
                                       └─ a moment later the keeper gives each entry its link

Only the link of an entry is written later. No entry is removed.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata

journal = Table(
    "journal",
    metadata,
    # Entries about one row come in the order of its changes, because the row is locked.
    Column("pk", BigInteger, Identity(), primary_key=True),
    # Random, so that a copy of an entry is recognised.
    Column("nonce", LargeBinary, nullable=False),
    # The part of the service that wrote (`checker.journal.entries.Area`).
    Column("area", Text, nullable=False),
    # The change of the list, if the rows belong to one.
    Column("version", BigInteger),
    # The rows, each `kind key`, and in the same order the keyed digests of their contents.
    Column("keys", ARRAY(Text), nullable=False),
    Column("digests", ARRAY(LargeBinary), nullable=False),
    # Keyed digest of all of the above.
    Column("mac", LargeBinary, nullable=False),
    # The link of the chain. Not set: the keeper has not made it yet.
    Column("number", BigInteger, unique=True),
    Column("link", LargeBinary),
)
Index("ix_journal_waiting", journal.c.pk, postgresql_where=journal.c.number.is_(None))
