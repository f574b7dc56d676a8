"""Joins a process to the stores of its deployment: at its start, or when they come back.

A node starts also where a store is away. Until the node has joined PostgreSQL, no part of it can
connect there (`checker.database.gate`), so it knows no key and answers 503. A node without Redis
answers from PostgreSQL.

Before a node uses PostgreSQL:

1. `DATABASE_URL` leads to PostgreSQL itself, and a pooler to the same database;
2. the schema is brought up to date;
3. the list was written with the keys of this deployment, and the process holds all of them;
4. the policies by which the node decides are recorded.

Before a node uses Redis: Redis evicts nothing, and is a cluster only where its URL names one. Each
connection looks by itself (`cache.redis_pipe`). The prefix of the keys is claimed for this
deployment (`cache.claim`).

A database of another deployment, or a Redis that evicts, is logged and never used. The node looks
at both again, because an operator mends them without restarting the node.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.claim import ForeignNamespace, NamespaceClaim
from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.redis_pipe import AccessRefused, CertificateRefused
from cache.store import StandingCache
from checker.audit.policies import record_policies
from checker.config import POOLER_VARIABLE, REDIS_PREFIX_VARIABLE, REDIS_VARIABLE
from checker.database.engine import driver_errors, fetch, open_engine
from checker.database.gate import Gate
from checker.database.login import refused_logins
from checker.database.pooler import refuse_pooler, verify_pooler
from checker.domain.clock import Clock
from checker.errors import CheckerError, ConfigurationError, Unavailable
from checker.node.deployment import prepare_deployment
from checker.node.record import begin_record
from checker.policy.book import PolicyBook
from checker.registry.sealing import Sealer
from checker.rotation.key_holding import KeyHolding
from checker.work import Work

RETRY_S: Final = 0.5
"""Between two tries to join PostgreSQL: each costs one connection."""

START_S: Final = 3.0
"""How long a start waits for PostgreSQL: one connection's time-out, and a second for the rest."""

LOOK_S: Final = 5.0
"""Between two looks at Redis, which only keep the log true."""

REDIS_START_S: Final = 5.0
"""How long a command waits for Redis, which may be starting too, or be slow to connect."""

REDIS_PAUSE_S: Final = 0.1
"""Between two tries of a command to reach Redis."""

_ANYTHING = select(literal(1))

_log = logging.getLogger(__name__)


class Joining:
    """Joins one node to its stores."""

    def __init__(
        self,
        *,
        probe_engine: AsyncEngine,
        engine: AsyncEngine,
        pooler_url: str | None,
        gate: Gate,
        cache: StandingCache,
        sealer: Sealer,
        claim: NamespaceClaim,
        token_key: str,
        keys: KeyHolding,
        policies: PolicyBook,
        clock: Clock,
        registry_name: str,
        cache_name: str,
        may_begin: bool,
    ) -> None:
        """Neither engine is behind the gate; the statements of `probe_engine` are bounded.

        `pooler_url` leads through the pooler; None: there is no pooler.

        Both names are host and port, for messages. `may_begin`: an empty database becomes that of
        this deployment.
        """
        self._probe_engine = probe_engine
        self._engine = engine
        self._pooler_url = pooler_url
        self._gate = gate
        self._cache = cache
        self._sealer = sealer
        self._claim = claim
        self._token_key = token_key
        self.keys = keys
        self._policies = policies
        self._clock = clock
        self._registry_name = registry_name
        self._cache_name = cache_name
        self._may_begin = may_begin
        self._joined = asyncio.Event()
        self._registry_log = _TroubleLog("PostgreSQL")
        self._cache_log = _TroubleLog("Redis")

    @property
    def has_joined(self) -> bool:
        """Whether PostgreSQL was reached, and is this deployment's."""
        return self._gate.is_open

    async def join_registry(self) -> None:
        """Verify PostgreSQL, and let the node use it; do nothing where that was done.

        Raises:
            ConfigurationError: the database was written with keys of another deployment, holds
                none although this process may not begin one, or PostgreSQL refuses the login.
            Unavailable: PostgreSQL cannot be reached; the text names the server.
        """
        if self._gate.is_open:
            return
        try:
            await self._prepare_registry()
        except Unavailable as error:
            text = f"PostgreSQL at {self._registry_name}: {error}"
            raise Unavailable(text, outage=error.outage) from error
        self._gate.open()
        self._joined.set()
        # Both engines served the joining alone.
        await self._engine.dispose()
        await self._probe_engine.dispose()

    async def _prepare_registry(self) -> None:
        # The connection of a migration has no bound on statements. A bounded connection comes
        # first, so that nothing waits for a frozen server.
        with driver_errors(), refused_logins():
            await fetch(self._probe_engine, _ANYTHING)
            await refuse_pooler(self._probe_engine)
        await self._verify_pooler()
        await prepare_deployment(
            self._engine,
            self._sealer,
            self._token_key,
            self.keys.join,
            may_begin=self._may_begin,
        )
        # The journal begins before anything else is written.
        await begin_record(self._engine, self._sealer, self._clock)
        await record_policies(self._engine, self._policies.all_effective, self._clock.now())

    async def _verify_pooler(self) -> None:
        url = self._pooler_url
        if url is None:
            return
        with driver_errors(), refused_logins(POOLER_VARIABLE):
            async with open_engine(url, pooler_url=url, pool_size=1) as pooled:
                await verify_pooler(self._probe_engine, pooled)

    async def verify_cache(self) -> None:
        """Verify that Redis can be reached, and keeps the list.

        Raises:
            ConfigurationError: Redis may evict the list, is a cluster unlike its URL, refuses the
                login, or holds another deployment under the same prefix.
            Unavailable: Redis cannot be reached; the text names the server.
        """
        try:
            await self._cache.verify_policy()
            await self._claim.hold()
        except AccessRefused as error:
            raise ConfigurationError(f"{REDIS_VARIABLE}: {error}") from None
        except ForeignNamespace as error:
            text = f"{error}: set {REDIS_PREFIX_VARIABLE} to a prefix of this deployment's own"
            raise ConfigurationError(text) from error
        except CacheMisconfigured as error:
            raise ConfigurationError(str(error)) from error
        except CertificateRefused as error:
            text = f"the certificate of Redis at {self._cache_name} is refused"
            raise Unavailable(text) from error
        except CacheUnavailable as error:
            raise Unavailable(f"Redis at {self._cache_name} cannot be reached") from error

    async def join(self) -> None:
        """Join both stores, for a command that needs both; wait a little for Redis.

        Raises:
            ConfigurationError, Unavailable: as `join_registry` and `verify_cache`.
        """
        await self.join_registry()
        loop = asyncio.get_running_loop()
        until = loop.time() + REDIS_START_S
        while loop.time() < until:
            with suppress(Unavailable):
                await self.verify_cache()
                return
            await asyncio.sleep(REDIS_PAUSE_S)
        await self.verify_cache()

    async def begin(self) -> None:
        """Try once to join each store; log a store that is away, and go on without it.

        Raises:
            ConfigurationError: as `join_registry` and `verify_cache`.
        """
        for attempt, log in (
            (self.join_registry, self._registry_log),
            (self.verify_cache, self._cache_log),
        ):
            try:
                await attempt()
            except Unavailable as error:
                log.met(error)

    def works(self) -> tuple[Work, ...]:
        """Return the works of joining: try until PostgreSQL is joined, and watch what may change.

        These are Redis and the encryption keys.
        """
        return (
            Work(name="joining PostgreSQL", every_s=RETRY_S, do=self._try_registry),
            Work(name="watching Redis", every_s=LOOK_S, do=self._look_at_cache),
            self.keys.work,
        )

    async def until_joined(self) -> None:
        """Wait until PostgreSQL is joined."""
        await self._joined.wait()

    async def _try_registry(self) -> float | None:
        """Join PostgreSQL unless that is done, and log why where that cannot be done."""
        if self._gate.is_open:
            return LOOK_S
        try:
            await self.join_registry()
        except Exception as error:
            self._registry_log.met(error)
            return RETRY_S
        self._registry_log.passed()
        return LOOK_S

    async def _look_at_cache(self) -> None:
        """Log whether Redis can be used, when that changes."""
        try:
            await self.verify_cache()
        except Exception as error:
            self._cache_log.met(error)
        else:
            self._cache_log.passed()


class _TroubleLog:
    """Logs why a store is not used once when that starts or changes, and once when it ends."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._logged: str | None = None

    def met(self, error: Exception) -> None:
        # Our own texts are safe to log; those of a driver may quote anything.
        reason = str(error) if isinstance(error, CheckerError) else type(error).__name__
        if reason != self._logged:
            level = logging.CRITICAL if isinstance(error, ConfigurationError) else logging.WARNING
            _log.log(level, "%s is not used: %s", self._store, reason)
        self._logged = reason

    def passed(self) -> None:
        if self._logged is not None:
            _log.warning("%s is used again", self._store)
        self._logged = None
