"""Tables of rotations: the keys that are needed, and the processes that hold keys.

    encryption_key           the keys under which a value may stand; the newest key seals
    encryption_key_holder    the processes that run, each with the keys that it holds

No table has a key. A fingerprint is a keyed hash from which no key follows.
"""

from sqlalchemy import Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata

encryption_key = Table(
    "encryption_key",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
    Column("seals_from", DateTime(timezone=True), nullable=False),
)

# `keys`: number and fingerprint of each. `sealing`: the number of the key with which it seals.
encryption_key_holder = Table(
    "encryption_key_holder",
    metadata,
    Column("node", Text, primary_key=True),
    Column("keys", ARRAY(Text), nullable=False),
    Column("sealing", Integer, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
)
