"""The table of the sources that are followed."""

from sqlalchemy import BigInteger, Column, DateTime, Table, Text

from checker.database.metadata import metadata

# How far a source that is followed has been taken in (`checker.connector.plan.Position`).
followed_source = Table(
    "followed_source",
    metadata,
    Column("source", Text, primary_key=True),
    Column("series", Text),
    Column("number", BigInteger),
    Column("file", Text),
    Column("sha256", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)
