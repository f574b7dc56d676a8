"""A node's copy of the keys that sign receipts, so that no receipt waits for the database.

Every second the node looks whether a key was made or withdrawn. While PostgreSQL is away the node
goes on with the keys that it has. A key that was made before still takes over at its time.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.rows_copy import RowsCopy
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
"""How long a verifier may keep the published keys before it fetches them again."""

LEAD_S: Final = 600
"""The default time from the publishing of a key to its first signature.

It is twice `KEPT_BY_VERIFIERS_S`, so that a verifier that fetches in time knows every key.
"""

LEAD_S_MIN: Final = 3
"""Time for two looks of every node that reaches PostgreSQL. Verifiers may have to fetch again."""

# A new key may get the number of a withdrawn key, but never its instant.
_MARK = select(
    func.count(),
    func.max(receipt_key.c.number),
    func.max(receipt_key.c.created_at),
)


class ReceiptKeys:
    """The keys of one deployment. A key stays published for `published_for` after its last use."""

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
        self._copy = RowsCopy(engine, mark=_MARK, read=self._read)

    @property
    def work(self) -> Work:
        """Refresh the keys, again and again."""
        return Work(
            name="refreshing the keys of receipts", every_s=REFRESH_INTERVAL_S, do=self.refresh
        )

    async def refresh(self) -> None:
        """Read the keys if a key was made or withdrawn: one round of this work.

        The first round makes the deployment's first key, if there is none.

        Raises:
            ConfigurationError: the keys were sealed by another deployment.
            Unavailable: PostgreSQL is away. The node keeps the keys that it has.
        """
        if not self._keys:
            await make_first_key(self._engine, self._vault, self._now())
        keys = await self._copy.fresh()
        # An empty table was emptied by hand: the keys that this node has still serve.
        if keys:
            self._keys = keys
            self._shown = {each.number: public_key(each.key) for each in keys}

    async def _read(self, connection: AsyncConnection) -> Sequence[ReceiptKey]:
        return await read_keys(connection, self._vault)

    def signing(self) -> ReceiptKey:
        """Return the key that signs now.

        Raises:
            Unavailable: this node has not been able to read the keys yet.
        """
        if not self._keys:
            raise Unavailable("the keys of receipts have not been read yet")
        return signing_key(self._keys, self._now())

    def published(self) -> PublicKeySet:
        """Return the keys that verify receipts, newest first: future keys, and old ones too."""
        now = self._now()
        shown = [each.number for each in reversed(self._keys) if self._is_published(each, now)]
        return PublicKeySet(keys=tuple(self._shown[number] for number in shown))

    def _is_published(self, key: ReceiptKey, now: datetime) -> bool:
        ended_at = superseded_at(key, self._keys)
        return ended_at is None or now < ended_at + self._published_for
