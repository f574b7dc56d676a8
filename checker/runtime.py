"""Puts a node together: what it opens, in which order, and closes again.

`open_servers` gives the URLs of Redis and PostgreSQL, starting embedded ones where none are named.
`open_runtime` opens everything that answers. A server's main process calls the first and hands the
URLs to its workers, which call the second; a command calls both.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.breaker import Breaker
from cache.embedded import embedded_redis
from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.follower import Follower
from cache.following import Following
from cache.quota import RedisQuota
from cache.redis_following import RedisFollowing
from cache.redis_publication import RedisPublication
from cache.redis_store import RedisStandingCache
from cache.store import StandingCache
from cache.token import Tokenizer
from checker.accounts.key_ring import KeyRing
from checker.accounts.quotas import Quotas
from checker.checks.checks import Checks
from checker.checks.registry_check import RegistryCheck
from checker.config import Config
from checker.database.embedded import embedded_postgres
from checker.database.engine import open_engine
from checker.deployment import prepare_deployment
from checker.domain.clock import Clock, SystemClock
from checker.errors import ConfigurationError, Unavailable
from checker.fault_log import FaultLog
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
from checker.vault import Vault, load_secrets

_log = logging.getLogger(__name__)

REGISTRY_PAUSE_S = 0.5
"""How long nobody asks PostgreSQL after it failed a check."""


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
    feed: SnapshotFeed
    changes: ChangesFeed
    quarantine: Quarantine


@contextmanager
def open_servers(config: Config) -> Iterator[Config]:
    """Give the configuration with both URLs named, for as long as the servers are needed."""
    make_private(config)
    with contextlib.ExitStack() as stack:
        redis_url = config.redis_url
        if redis_url is None:
            redis_url = stack.enter_context(embedded_redis(config.data_dir / "redis"))
        database_url = config.database_url
        if database_url is None:
            database_url = stack.enter_context(embedded_postgres(config.data_dir / "postgres"))
        yield msgspec.structs.replace(config, redis_url=redis_url, database_url=database_url)


def make_private(config: Config) -> None:
    """Make the data directory, for its owner alone: the secrets are in it."""
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the data directory cannot be made: {error.strerror}") from error


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
    assert config.redis_url is not None
    clock = clock or SystemClock()
    policies = read_policies(config)
    secrets = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(secrets.token_key)
    vault = Vault(secrets.encryption_key)
    sealer = Sealer(tokenizer, vault)
    async with contextlib.AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(config.database_url))
        work_engine = await stack.enter_async_context(
            open_engine(config.database_url, timeout_s=None)
        )
        await prepare_deployment(work_engine, vault, tokenizer.fingerprint)
        cache = RedisStandingCache.connect(config.redis_url, token_key=tokenizer.fingerprint)
        stack.push_async_callback(cache.aclose)
        await _verify(cache)
        following = RedisFollowing.connect(config.redis_url, token_key=tokenizer.fingerprint)
        stack.push_async_callback(following.aclose)
        publication = RedisPublication.connect(config.redis_url)
        stack.push_async_callback(publication.aclose)
        quota = RedisQuota(config.redis_url)
        stack.push_async_callback(quota.aclose)
        follower = Follower(node_id(), following, RegistryWord(engine))
        repair = Repair(cache)
        barrier = Barrier(engine=engine, following=following)
        stack.push_async_callback(barrier.aclose)
        changes = ChangesFeed(
            engine=work_engine,
            sealer=sealer,
            clock=clock,
            measures=policies.measure_ids,
            in_force=barrier.wait,
        )
        stack.push_async_callback(changes.aclose)
        yield Runtime(
            config=config,
            clock=clock,
            engine=engine,
            work_engine=work_engine,
            cache=cache,
            following=following,
            follower=follower,
            sealer=sealer,
            publisher=Publisher(
                engine=work_engine,
                cache=cache,
                publication=publication,
                token_key=tokenizer.fingerprint,
            ),
            repair=repair,
            barrier=barrier,
            key_ring=KeyRing(engine),
            quotas=Quotas(quota),
            policies=policies,
            checks=Checks(
                replica=follower,
                cache=cache,
                registry=RegistryCheck(
                    engine=engine,
                    sealer=sealer,
                    policies=policies,
                    breaker=Breaker(clock=time.monotonic, pause_s=REGISTRY_PAUSE_S),
                ),
                sealer=sealer,
                policies=policies,
                clock=clock,
                stale_after_ms=config.list.stale_after_ms,
                report_incomplete=repair.report_incomplete,
            ),
            feed=SnapshotFeed(
                engine=work_engine,
                cache=cache,
                sealer=sealer,
                token_key=tokenizer.fingerprint,
                clock=clock,
                in_force=barrier.wait,
            ),
            changes=changes,
            quarantine=Quarantine(engine=work_engine, sealer=sealer, changes=changes),
        )


def node_id() -> str:
    """Name this process among the nodes: where it runs, and a part that no restart repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


@asynccontextmanager
async def keep_current(runtime: Runtime, *, publish: bool) -> AsyncIterator[None]:
    """Run what keeps a serving node current: replica, key ring, and the publisher if told.

    Nothing waits for the cache: until it holds the newest list, checks ask the registry.
    """
    await runtime.key_ring.refresh()
    faults = FaultLog(_log, "following the list")
    works = {
        "replica": runtime.follower.run(faults.met),
        "repair": runtime.repair.run(),
        "key ring": runtime.key_ring.run(),
    }
    if publish:
        works["publisher"] = runtime.publisher.run()
    async with _tasks(works):
        yield


@asynccontextmanager
async def publishing(runtime: Runtime) -> AsyncIterator[None]:
    """Publish meanwhile, if nobody else does: a command may be alone on its deployment."""
    async with _tasks({"publisher": runtime.publisher.run()}):
        yield


@asynccontextmanager
async def _tasks(works: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_policies(config: Config) -> PolicyBook:
    """Read the measures that come with the package, with the settings of the config file."""
    try:
        return load_policies(builtin_policies(), config.jurisdictions)
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error


async def _verify(cache: StandingCache) -> None:
    """Refuse a Redis that may drop the list by itself; one that is away may come back."""
    try:
        await cache.verify_policy()
    except CacheMisconfigured as error:
        raise ConfigurationError(str(error)) from error
    except CacheUnavailable as error:
        raise Unavailable("Redis cannot be reached") from error
