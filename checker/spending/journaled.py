"""Describes the steps of spending for the journal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from checker.journal.content import content_digest
from checker.journal.entries import Area, Named
from checker.journal.kinds import Kind, each_digested
from checker.spending.authorization import Authorization
from checker.spending.rows import REFERENCE
from checker.vault import Vault

STEP: Final = "step"

# Digests of years rest on this list: a column that comes later is added where it holds something.
_FIELDS: Final = (
    "authorization_id",
    "number",
    "kind",
    "amount_fen",
    "at",
    "token",
    "counter",
    "counted_at",
    "held_delta",
    "captured_delta",
    "expires_at",
    "limit_fen",
    "counts_from",
    "counts_until",
    "counted_tokens",
    "held_after_fen",
    "captured_after_fen",
    "account_id",
    "jurisdiction",
    "venue",
    "decision_id",
)
_LATER_FIELDS: Final = ("issuer", "counted_issuers")
_ROWS: Final = """
    SELECT authorization_id || '#' || number AS key, CAST(0 AS bigint) AS version, step.*
    FROM authorization_step AS step
"""


def steps_of(
    moved: Sequence[Authorization], rows: Sequence[Mapping[str, Any]], vault: Vault
) -> list[Named]:
    """Name the newest steps of authorizations for the journal; `rows` are their rows."""
    return [
        Named(
            STEP,
            f"{row['authorization_id']}#{row['number']}",
            _digest(vault, row, each.opening.reference if row["number"] == 1 else None),
        )
        for each, row in zip(moved, rows, strict=True)
    ]


def spending_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the kinds of rows of spending: steps. Sums and open holds follow from the steps."""

    def digest(row: Any) -> bytes:
        reference = row.reference
        if reference is not None:
            reference = vault.open(reference, REFERENCE, str(row.authorization_id))
        return _digest(vault, row._mapping, reference)

    digests = each_digested(digest)
    tokens = ("token", "counted_tokens")
    return (Kind(area=Area.SPENDING, name=STEP, rows=_ROWS, digests=digests, tokens=tokens),)


def _digest(vault: Vault, row: Mapping[str, Any], reference: str | None) -> bytes:
    content = {name: row[name] for name in _FIELDS} | {"reference": reference}
    content |= {name: row[name] for name in _LATER_FIELDS if row[name] is not None}
    return content_digest(vault.digest, STEP, content)
