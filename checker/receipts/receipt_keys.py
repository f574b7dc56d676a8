"""A node's copy of the keys that sign receipts, so that no receipt waits for the database.

Every second the node looks whether one was made or withdrawn. While PostgreSQL is away it goes on
with those it has: one that was made before takes over at its time all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors
from checker.errors import Unavailable
from checker.receipts.keys import (
    ReceiptKey,
    make_first_key,
    read_keys,
    signing_key,
    superseded_at,
)
from checker.receipts.schema import receipt_key
from checker.receipts.signature import PublicKey, PublicKeySet, public_key
from checker.vault import Vault
from checker.work import Work

REFRESH_INTERVAL_S: Final = 1.0

KEPT_BY_VERIFIERS_S: Final = 300
"""For how long a verifier may keep the published keys before it fetches them again."""

LEAD_S: Final = 600
"""From a key's publishing to its signing, where nobody says otherwise: twice what a verifier keeps
them for, so that one who keeps to that meets no key it does not know.
"""

LEAD_S_MIN: Final = 3
"""So long every node that reaches PostgreSQL has looked twice; verifiers may have to fetch anew."""

# The number of a key that was withdrawn is given again, its instant is not.
_MARKS = select(
    func.count().label("held"),
    func.max(receipt_key.c.number),
    func.max(receipt_key.c.created_at),
)


class ReceiptKeys:
    """The keys of one deployment. `published_for` is counted from the end of a key's signing."""

    def __init__(
        self,
        engine: AsyncEngine,
        vault: Vault,
        *,
        now: Callable[[], datetime],
        published_for: timedelta,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._now = now
        self._published_for = published_for
        self._keys: Sequence[ReceiptKey] = ()
        self._shown: Mapping[int, PublicKey] = {}
        self._seen: tuple[object, ...] | None = None

    async def prepare(self) -> None:
        """Make the deployment's first key if it has none, and read all: before the first receipt.

        Raises:
            ConfigurationError: they were sealed by another deployment.
            Unavailable: PostgreSQL is away.
        """
        await make_first_key(self._engine, self._vault, self._now())
        await self.refresh()

    @property
    def work(self) -> Work:
        """Refresh the keys, again and again."""

        async def refresh() -> None:
            # A node that started while PostgreSQL was away has none yet.
            await (self.refresh() if self._keys else self.prepare())

        return Work(name="refreshing the keys of receipts", every_s=REFRESH_INTERVAL_S, do=refresh)

    async def refresh(self) -> None:
        """Read the keys if one came or went since the last time; raises as `prepare`."""
        with driver_errors():
            async with self._engine.connect() as connection:
                seen = (await connection.execute(_MARKS)).one()
                # None at all: somebody emptied the table, and those that are held still serve.
                if not seen.held or tuple(seen) == self._seen:
                    return
                self._keys = await read_keys(connection, self._vault)
                self._shown = {each.number: public_key(each.key) for each in self._keys}
                self._seen = tuple(seen)

    def signing(self) -> ReceiptKey:
        """Return the key that signs now.

        Raises:
            Unavailable: this node has not been able to read the keys yet.
        """
        if not self._keys:
            raise Unavailable("the keys of receipts have not been read yet")
        return signing_key(self._keys, self._now())

    def published(self) -> PublicKeySet:
        """Give the keys that verify receipts, newest first: those to come, and the old ones too."""
        now = self._now()
        shown = [each.number for each in reversed(self._keys) if self._is_published(each, now)]
        return PublicKeySet(keys=tuple(self._shown[number] for number in shown))

    def _is_published(self, key: ReceiptKey, now: datetime) -> bool:
        ended_at = superseded_at(key, self._keys)
        return ended_at is None or now < ended_at + self._published_for
