"""Tables of rotations: the keys that are needed, and the processes that hold keys.

    encryption_key           the keys under which a value may stand; the newest key seals
    encryption_key_holder    the processes that run, each with the keys that it holds
    token_key                the keys under which tokens may be stored, and since when
    token_fence_<number>     nothing; its name has the number of the token key in use

No table has a key. A fingerprint is a keyed hash from which no key follows.
"""

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from checker.database.metadata import metadata
from checker.database.token_fence import FENCE

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

# The keys under which tokens may be stored (`cache.token_key`), each by its fingerprint. The newest
# key with `current_from` is the current one. The name of the fence has its number
# (`checker.database.token_fence`).
token_key = Table(
    "token_key",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("current_from", DateTime(timezone=True)),
)
token_fence = Table(f"{FENCE}1", metadata, Column("nothing", Boolean))
