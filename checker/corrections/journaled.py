"""Enters corrections and rulings in the journal, and describes their rows for it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.corrections.schema import correction, correction_listing
from checker.journal.content import content_digest
from checker.journal.entries import Area, Named, write_entries
from checker.journal.kinds import Kind, digested
from checker.vault import Vault

CORRECTION: Final = "correction"
GROUND: Final = "correction.ground"
CONTACT: Final = "correction.contact"
NOTE: Final = "correction.note"

# Digests of years rest on this list: a column that comes later is added where it holds something.
_LATER: Final = ("ground_code", "effect")
_FIELDS: Final = (
    "id",
    "request",
    "received_at",
    "received_on",
    "due_on",
    "late",
    "account_id",
    "decision_id",
    "ruling",
    "ruled_at",
    "ruled_by",
    "version",
)
# Rows from before the calendar have no basis, and are not provisional.
_LATER_FIELDS: Final = ("due_basis", "provisional")
_WORDS: Final = {"ground": GROUND, "contact": CONTACT, "note": NOTE}
_ROWS: Final = """
    SELECT CAST(id AS text) AS key, CAST(0 AS bigint) AS version, pk, id, request, received_at,
           received_on, due_on, due_basis, provisional, late, account_id, decision_id, ground,
           contact, note, ruling, ground_code, effect, ruled_at, ruled_by,
           correction.version AS list_version
    FROM correction
"""
_wanted = bindparam("wanted", type_=ARRAY(BigInteger))
_ONE = select(correction, correction.c.version.label("list_version")).where(
    correction.c.pk == bindparam("number")
)
_LISTINGS = select(correction_listing).where(correction_listing.c.correction_pk == any_(_wanted))


async def journal_correction(connection: AsyncConnection, vault: Vault, number: int) -> None:
    """Enter a correction in the journal as it stands now, with its listings."""
    row = (await connection.execute(_ONE, {"number": number})).one()
    concerned = await _concerned(connection, [number])
    named = Named(CORRECTION, str(row.id), _digest(vault, row, concerned.get(number, [])))
    await write_entries(connection, vault, Area.CORRECTIONS, [named])


def correction_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the kinds of rows of corrections."""

    async def digests(connection: AsyncConnection, rows: Sequence[Any]) -> list[bytes | str]:
        concerned = await _concerned(connection, [row.pk for row in rows])
        return [
            digested(lambda each: _digest(vault, each, concerned.get(each.pk, [])), row)
            for row in rows
        ]

    kind = Kind(area=Area.CORRECTIONS, name=CORRECTION, rows=_ROWS, digests=digests, is_state=True)
    return (kind,)


async def _concerned(
    connection: AsyncConnection, numbers: Sequence[int]
) -> dict[int, list[tuple[str, bool]]]:
    """Return the listings of corrections, each with whether the ruling ended it."""
    found: dict[int, list[tuple[str, bool]]] = {}
    for row in await connection.execute(_LISTINGS, {"wanted": list(numbers)}):
        found.setdefault(row.correction_pk, []).append((row.listing_id, row.delisted))
    return found


def _digest(vault: Vault, row: Any, concerned: list[tuple[str, bool]]) -> bytes:
    content = {name: getattr(row, name) for name in _FIELDS if name != "version"}
    content |= {name: value for name in _LATER_FIELDS if (value := getattr(row, name))}
    content |= {name: value for name in _LATER if (value := getattr(row, name)) is not None}
    content["version"] = row.list_version
    content["listings"] = sorted(concerned)
    for name, place in _WORDS.items():
        sealed = getattr(row, name)
        content[name] = None if sealed is None else vault.open(sealed, place, str(row.id))
    return content_digest(vault.digest, CORRECTION, content)
