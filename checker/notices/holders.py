"""Reads the documents of the holders of permits, as documents were bound in a version of the list.

A notice of a permit is about decisions that held up these documents. Another person of the same
listing and role has another document.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.token_column import TokenColumn
from checker.registry.document_key import DocumentKey

_HOLDERS: Final = text(
    """
WITH asked AS (
    SELECT asked.version, p.id, p.token, p.issuer
    FROM unnest(CAST(:permits AS text[]), CAST(:versions AS bigint[])) AS asked(permit_id, version)
    JOIN permit p ON p.id = asked.permit_id
)
SELECT id, version, token, issuer FROM asked
UNION
SELECT asked.id, asked.version, other.token, other.issuer
FROM asked
JOIN bound_document own ON own.token = asked.token
    AND (own.issuer IS NULL OR asked.issuer IS NULL OR own.issuer = asked.issuer)
    AND own.from_version <= asked.version
    AND (own.until_version IS NULL OR own.until_version > asked.version)
JOIN bound_document other ON other.person = own.person
    AND other.from_version <= asked.version
    AND (other.until_version IS NULL OR other.until_version > asked.version)
"""
).columns(token=TokenColumn)


async def holders_of(
    connection: AsyncConnection, permits: Iterable[tuple[str | None, int]]
) -> Mapping[tuple[str | None, int], frozenset[DocumentKey]]:
    """Return the documents of each permit's holder in a version; no permit has none."""
    asked = {each for each in permits if each[0] is not None}
    if not asked:
        return {}
    found: dict[tuple[str | None, int], set[DocumentKey]] = {}
    parameters = {"permits": [each for each, _ in asked], "versions": [each for _, each in asked]}
    for row in await connection.execute(_HOLDERS, parameters):
        key = DocumentKey(Token(row.token), row.issuer)
        found.setdefault((row.id, row.version), set()).add(key)
    return {each: frozenset(documents) for each, documents in found.items()}
