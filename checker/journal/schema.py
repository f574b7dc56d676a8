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
    # Entries about one row come in the order of its changes: the row is locked meanwhile.
    Column("pk", BigInteger, Identity(), primary_key=True),
    # Random: a copy of an entry is recognised by it.
    Column("nonce", LargeBinary, nullable=False),
    # Which part of the service wrote (`checker.journal.entries.Area`).
    Column("area", Text, nullable=False),
    # The change of the list, where it is one.
    Column("version", BigInteger),
    # The rows, each `kind key`, and side by side the keyed digest of what each says.
    Column("keys", ARRAY(Text), nullable=False),
    Column("digests", ARRAY(LargeBinary), nullable=False),
    # Keyed digest of all of the above.
    Column("mac", LargeBinary, nullable=False),
    # The link of the chain; not set: the keeper has yet to make it.
    Column("number", BigInteger, unique=True),
    Column("link", LargeBinary),
)
Index("ix_journal_waiting", journal.c.pk, postgresql_where=journal.c.number.is_(None))
