"""Gives the masked numbers of older rows the keys that their names have today.

A masked number is found by the keys of its holder's name (`checker.domain.name.name_keys`). Rows of
an older version have fewer keys. The names stand sealed, so no migration can make the keys. This
work opens the names, and adds the derived rows that are missing:

    window of listings → missing rows? ── none ──→ next window
                             └─ some ──→ one change: rows, outlines, outbox ──→ next window

- A window and its progress are one transaction. A process may die anywhere, and another goes on.
- One process of the deployment does a window. The list's lock is held only where rows are missing.
- The change brings no word of a court (`checker.registry.quiet_change`). The version grows.
- A derived row says nothing new (decision 0042). The journal has the change alone.
- Listings of the past get keys too, because past sales are judged by the list of their time.

A row of the shape `any` keeps its shape, because markers that were written once stay.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    Table,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token import Token
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.database.metadata import metadata
from checker.domain.masking import MaskedNumber
from checker.registry.entry import MaskedDocument
from checker.registry.quiet_change import put_quiet_change
from checker.registry.schema import document, listing, officer_link
from checker.registry.sealing import DOCUMENT_NUMBER, OFFICER_NAME, PARTY_NAME, Sealer
from checker.work import Work

KEYS: Final = 1
"""The generation of the keys of names. It grows when `name_keys` or the shapes find more."""

WINDOW_LISTINGS: Final = 500
"""Listings of one transaction: some hundred milliseconds behind the list's lock at most."""

PAUSE_S: Final = 0.2
"""Between two windows that wrote something, so that feeds get their turn."""

LOOK_INTERVAL_S: Final = 600.0
"""How often a process looks whether there is something to renew."""

# How far the renewal of each generation of keys has come: listings with numbers up to `reached`.
# Listings after `upto` were written with these keys.
key_renewal = Table(
    "key_renewal",
    metadata,
    Column("keys", Integer, primary_key=True, autoincrement=False),
    Column("reached", BigInteger, nullable=False),
    Column("upto", BigInteger, nullable=False),
)


class KeyRenewal:
    """Renews the keys of a deployment. `engine` is one without a bound on statements."""

    def __init__(
        self, engine: AsyncEngine, sealer: Sealer, *, window_listings: int = WINDOW_LISTINGS
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._window_listings = window_listings

    @property
    def work(self) -> Work:
        """Renew the keys, window by window."""
        return Work(name="renewing the keys of names", every_s=LOOK_INTERVAL_S, do=self._round)

    async def _round(self) -> float | None:
        added = await self.step()
        if added is None:
            return None
        return PAUSE_S if added else 0.0

    async def step(self) -> int | None:
        """Do one window, and return the number of rows that were added.

        Return None when nothing is left to do, or while another process does a window.

        Raises:
            Unavailable: PostgreSQL cannot be reached. Nothing of the window is done then.
        """
        with driver_errors():
            async with self._engine.begin() as connection:
                await connection.execute(_BEGIN)
                progress = (await connection.execute(_PROGRESS)).one_or_none()
                if progress is None or progress.reached >= progress.upto:
                    return None
                last = min(progress.upto, progress.reached + self._window_listings)
                rows = await self._missing(connection, progress.reached, last)
                if rows:
                    await self._add(connection, rows)
                await connection.execute(_REACH, {"last": last})
        return len(rows)

    async def _missing(
        self, connection: AsyncConnection, after: int, last: int
    ) -> list[dict[str, Any]]:
        """Return the derived rows that the masked numbers of a window lack."""
        window = {"after": after, "last": last}
        found = (await connection.execute(_MASKED, window)).all()
        known = {(row.listing_pk, row.officer_pk, Token(row.token)) for row in found if row.derived}
        own = [row for row in found if not row.derived]
        return [row for each in own for row in self._further(each) if _place(row) not in known]

    def _further(self, row: Any) -> Iterable[dict[str, Any]]:
        """Yield the derived rows that a masked number has today."""
        opened, seal = self._sealer.vault.open, self._sealer.vault.seal
        place = PARTY_NAME if row.officer_pk is None else OFFICER_NAME
        name = opened(row.holder_name, place, row.id)
        number = opened(row.number, DOCUMENT_NUMBER, row.id, row.token.hex())
        masked = MaskedDocument(type=row.type, number=MaskedNumber(pattern=number))
        for token, shape, name_token in self._sealer.derived_tokens(masked, name):
            if token != row.token:
                yield {
                    "listing_pk": row.listing_pk,
                    "officer_pk": row.officer_pk,
                    "role": row.role,
                    "type": row.type,
                    "number": seal(number, DOCUMENT_NUMBER, row.id, token.hex()),
                    "masked": True,
                    "token": token,
                    "name_token": name_token,
                    "shape": shape,
                    "derived": True,
                }

    async def _add(self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
        await hold_to_commit(connection, Lock.LIST_WRITER)
        await connection.execute(insert(document), rows)
        tokens = {row["token"] for row in rows}
        await put_quiet_change(connection, self._sealer.vault, tokens)


def _place(row: dict[str, Any]) -> tuple[int, int | None, Token]:
    return row["listing_pk"], row["officer_pk"], row["token"]


_newest_listing = select(func.coalesce(func.max(listing.c.pk), 0)).scalar_subquery()
_BEGIN: Final = (
    insert_or_skip(key_renewal)
    .from_select(
        ["keys", "reached", "upto"],
        select(
            bindparam("keys", KEYS, type_=Integer),
            bindparam("reached", 0, type_=BigInteger),
            _newest_listing,
        ),
    )
    .on_conflict_do_nothing()
)
_PROGRESS: Final = (
    select(key_renewal).where(key_renewal.c["keys"] == KEYS).with_for_update(skip_locked=True)
)
_REACH: Final = (
    update(key_renewal).where(key_renewal.c["keys"] == KEYS).values(reached=bindparam("last"))
)
_MASKED: Final = (
    select(
        document,
        listing.c.id,
        func.coalesce(officer_link.c.name, listing.c.party_name).label("holder_name"),
    )
    .join_from(document, listing, listing.c.pk == document.c.listing_pk)
    .outerjoin(officer_link, officer_link.c.pk == document.c.officer_pk)
    .where(
        and_(
            document.c.listing_pk > bindparam("after", type_=BigInteger),
            document.c.listing_pk <= bindparam("last", type_=BigInteger),
            document.c.masked,
        )
    )
)
