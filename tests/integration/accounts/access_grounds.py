"""Accounts and keys on a database of their own, and a node's ring of keys beside them."""

from datetime import UTC, datetime

from sqlalchemy import event

from checker.accounts.account_keys import AccountKeys
from checker.accounts.accounts import Accounts
from checker.accounts.key_ring import NOT_IN_FORCE, KeyRing
from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Scope
from checker.errors import Unauthenticated
from checker.operators.action import AT_THE_SERVER
from checker.vault import Vault
from tests.support.fake_clock import FakeClock

AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)

SLOWED_ITEMS = 10


class Access:
    """One deployment's accounts, as an operator changes them and as a node sees them.

    While `node_is_cut_off` the node cannot ask PostgreSQL.
    """

    def __init__(self, engine, node_engine):
        self.engine = engine
        self.node_is_cut_off = False
        event.listen(node_engine.sync_engine, "before_cursor_execute", self._pass)
        self.clock = FakeClock(AT)
        self.vault = Vault(bytes(range(32)))
        self.accounts = Accounts(engine, self.vault, self.clock)
        self.keys = AccountKeys(engine, self.vault, self.clock)
        self.ring = KeyRing(node_engine, self.clock, slowed_items_per_minute=SLOWED_ITEMS)

    def another_node(self):
        return KeyRing(self.engine, self.clock, slowed_items_per_minute=SLOWED_ITEMS)

    async def account(self, name="hotel", **scope):
        return await self.accounts.create(
            name=name, role=AccountRole.INSTITUTION, scope=AccountScope(**scope), by=AT_THE_SERVER
        )

    async def key(self, account, *, expires_at=None, **scope):
        """Make a key that the node knows already."""
        made = await self.keys.create(account.id, Scope(**scope), expires_at, by=AT_THE_SERVER)
        await self.ring.refresh()
        return made

    async def caller(self, key, ring=None):
        """Who calls with it; None: it is not in force."""
        try:
            return await (ring or self.ring).caller(f"Bearer {key}")
        except Unauthenticated as error:
            if str(error) == NOT_IN_FORCE:
                return None
            raise

    def _pass(self, *_statement):
        if self.node_is_cut_off:
            raise ConnectionRefusedError
