"""Puts a node together: what it opens, in which order, and closes again.

`open_runtime` opens everything that answers, on servers that are named (`checker.servers`). What a
node that serves does besides answering is in `checker.upkeep`.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.breaker import Breaker
from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.follower import Follower
from cache.following import Following
from cache.publication import Publication
from cache.quota import RedisQuota
from cache.redis_following import RedisFollowing
from cache.redis_publication import RedisPublication
from cache.redis_store import RedisStandingCache
from cache.store import StandingCache
from cache.token import Tokenizer
from checker.accounts.key_ring import KeyRing
from checker.accounts.quotas import Quotas
from checker.audit.audit import Audit, assemble_audit
from checker.audit.policies import record_policies
from checker.checks.checks import Checks
from checker.checks.registry_check import RegistryCheck
from checker.config import Config
from checker.database.engine import open_engine
from checker.deployment import prepare_deployment
from checker.domain.clock import Clock, SystemClock
from checker.errors import ConfigurationError, Unavailable
from checker.notices.endpoint import EndpointRules
from checker.notices.notices import Notices, assemble_notices
from checker.policy.book import PolicyBook
from checker.policy.errors import PolicyError
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.barrier import Barrier
from checker.registry.changes import ChangesFeed
from checker.registry.publisher import Publisher
from checker.registry.quarantine import Quarantine
from checker.registry.registry_lease import RegistryWord
from checker.registry.repair import Repair
from checker.registry.sealing import Sealer
from checker.registry.snapshot import SnapshotFeed
from checker.spending.opening import open_spending
from checker.spending.spending import Spending
from checker.vault import Vault, load_secrets

REGISTRY_PAUSE_S = 0.5
"""How long nobody asks PostgreSQL after it failed a check."""

REDIS_START_S = 5.0
"""How long a start waits for Redis, which may be starting too, or be slow to take a connection."""

REDIS_PAUSE_S = 0.1
"""Between two tries of a start to reach Redis."""


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """An open node. `work_engine` has no bound on statements: for feeds and rebuilds."""

    config: Config
    clock: Clock
    engine: AsyncEngine
    work_engine: AsyncEngine
    cache: StandingCache
    following: Following
    follower: Follower
    sealer: Sealer
    publisher: Publisher
    repair: Repair
    barrier: Barrier
    key_ring: KeyRing
    quotas: Quotas
    policies: PolicyBook
    checks: Checks
    spending: Spending
    audit: Audit
    notices: Notices
    feed: SnapshotFeed
    changes: ChangesFeed
    quarantine: Quarantine


class _Base(msgspec.Struct, frozen=True, kw_only=True):
    """What all of a node stands on: what it was told, and its ways to PostgreSQL and Redis."""

    config: Config
    clock: Clock
    policies: PolicyBook
    sealer: Sealer
    token_key: str
    engine: AsyncEngine
    work_engine: AsyncEngine
    cache: StandingCache
    following: Following
    publication: Publication
    quota: RedisQuota


@asynccontextmanager
async def open_runtime(
    config: Config, environ: Mapping[str, str], *, clock: Clock | None = None
) -> AsyncIterator[Runtime]:
    """Open a node on servers that are named.

    Raises:
        ConfigurationError: keys of another deployment, a Redis that may evict the list, a policy
            file that says what it may not.
        Unavailable: PostgreSQL or Redis cannot be reached.
    """
    assert config.database_url is not None
    async with (
        _open_base(config, environ, clock or SystemClock()) as base,
        open_spending(
            config.database_url, sealer=base.sealer, policies=base.policies, clock=base.clock
        ) as spending,
        aclosing(Barrier(engine=base.engine, following=base.following)) as barrier,
        aclosing(
            ChangesFeed(
                engine=base.work_engine,
                sealer=base.sealer,
                clock=base.clock,
                measures=base.policies.measure_ids,
                in_force=barrier.wait,
            )
        ) as changes,
    ):
        yield _assemble(base, barrier, changes, spending)


@asynccontextmanager
async def _open_base(
    config: Config, environ: Mapping[str, str], clock: Clock
) -> AsyncIterator[_Base]:
    assert config.database_url is not None
    assert config.redis_url is not None
    policies = read_policies(config)
    secrets = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(secrets.token_key)
    token_key = tokenizer.fingerprint
    sealer = Sealer(tokenizer, Vault(secrets.encryption_key))
    async with (
        open_engine(config.database_url) as engine,
        open_engine(config.database_url, timeout_s=None) as work_engine,
    ):
        await prepare_deployment(work_engine, sealer.vault, token_key)
        await record_policies(work_engine, policies.all_effective, clock.now())
        async with (
            aclosing(RedisStandingCache.connect(config.redis_url, token_key=token_key)) as cache,
            aclosing(RedisFollowing.connect(config.redis_url, token_key=token_key)) as following,
            aclosing(RedisPublication.connect(config.redis_url)) as publication,
            aclosing(RedisQuota(config.redis_url)) as quota,
        ):
            await _verify(cache)
            yield _Base(
                config=config,
                clock=clock,
                policies=policies,
                sealer=sealer,
                token_key=token_key,
                engine=engine,
                work_engine=work_engine,
                cache=cache,
                following=following,
                publication=publication,
                quota=quota,
            )


def _assemble(base: _Base, barrier: Barrier, changes: ChangesFeed, spending: Spending) -> Runtime:
    follower = Follower(node_id(), base.following, RegistryWord(base.engine))
    repair = Repair(base.cache)
    return Runtime(
        config=base.config,
        clock=base.clock,
        engine=base.engine,
        work_engine=base.work_engine,
        cache=base.cache,
        following=base.following,
        follower=follower,
        sealer=base.sealer,
        publisher=Publisher(
            engine=base.work_engine,
            cache=base.cache,
            publication=base.publication,
            token_key=base.token_key,
        ),
        repair=repair,
        barrier=barrier,
        key_ring=KeyRing(base.engine),
        quotas=Quotas(base.quota),
        policies=base.policies,
        checks=_checks(base, follower, repair),
        spending=spending,
        audit=assemble_audit(
            base.engine,
            base.work_engine,
            vault=base.sealer.vault,
            clock=base.clock,
            keep_months=base.config.decisions.keep_months,
        ),
        notices=assemble_notices(
            base.engine,
            base.work_engine,
            vault=base.sealer.vault,
            clock=base.clock,
            rules=EndpointRules(
                allow_http=base.config.notices.allow_http,
                allow_private_addresses=base.config.notices.allow_private_addresses,
            ),
            keep_months=base.config.decisions.keep_months,
        ),
        feed=SnapshotFeed(
            engine=base.work_engine,
            cache=base.cache,
            sealer=base.sealer,
            token_key=base.token_key,
            clock=base.clock,
            in_force=barrier.wait,
        ),
        changes=changes,
        quarantine=Quarantine(engine=base.work_engine, sealer=base.sealer, changes=changes),
    )


def _checks(base: _Base, follower: Follower, repair: Repair) -> Checks:
    return Checks(
        replica=follower,
        cache=base.cache,
        registry=RegistryCheck(
            engine=base.engine,
            sealer=base.sealer,
            policies=base.policies,
            breaker=Breaker(clock=time.monotonic, pause_s=REGISTRY_PAUSE_S),
        ),
        sealer=base.sealer,
        policies=base.policies,
        clock=base.clock,
        stale_after_ms=base.config.list.stale_after_ms,
        report_incomplete=repair.report_incomplete,
    )


def node_id() -> str:
    """Name this process among the nodes: where it runs, and a part that no restart repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def read_policies(config: Config) -> PolicyBook:
    """Read the measures that come with the package, with the settings of the config file."""
    try:
        return load_policies(builtin_policies(), config.jurisdictions)
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error


async def _verify(cache: StandingCache) -> None:
    """Refuse a Redis that may drop the list by itself; wait a little for one that is away."""
    until = time.monotonic() + REDIS_START_S
    try:
        while True:
            try:
                return await cache.verify_policy()
            except CacheUnavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(REDIS_PAUSE_S)
    except CacheMisconfigured as error:
        raise ConfigurationError(str(error)) from error
    except CacheUnavailable as error:
        raise Unavailable("Redis cannot be reached") from error
