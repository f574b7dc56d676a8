"""The distinctions that courts have made since a decision: its listing is about somebody else."""

from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, Text, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.audit.held_up import open_traces
from checker.registry.document_key import DocumentKey
from checker.registry.in_force import in_force
from checker.registry.schema import directive
from checker.vault import Vault

_DISTINCTIONS: Final = select(
    directive.c.listing_id,
    directive.c.token,
    directive.c.issuer,
    directive.c.court,
    directive.c.on,
).where(
    directive.c.listing_id == any_(bindparam("listings", type_=ARRAY(Text))),
    directive.c.kind == "distinction",
    in_force(directive),
)


class Distinguished(msgspec.Struct, frozen=True, kw_only=True):
    """The court that found that the subject is not the person of the listing, and the day."""

    court: str
    on: date


async def read_distinguished(
    connection: AsyncConnection, vault: Vault, decision: Any
) -> dict[str, Distinguished]:
    """Return the distinctions in force of the documents of a decision, by listing.

    `decision` is a row of the table. A listing is left out while it still reaches another document
    of the decision.
    """
    held_up: dict[str, set[DocumentKey]] = {}
    for each in open_traces(vault, str(decision.id), decision.subject):
        held_up.setdefault(each.listing_id, set()).add(each.document)
    if not held_up:
        return {}
    found: dict[str, Distinguished] = {}
    for row in await connection.execute(_DISTINCTIONS, {"listings": [*held_up]}):
        key = DocumentKey(Token(row.token), row.issuer)
        if key in held_up[row.listing_id]:
            held_up[row.listing_id].remove(key)
            found[row.listing_id] = Distinguished(court=row.court, on=row.on)
    return {listing_id: each for listing_id, each in found.items() if not held_up[listing_id]}
