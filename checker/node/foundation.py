"""The settings of a node, and its ways to PostgreSQL and Redis: all its other parts stand on them.

Opening connects to nothing, so it also succeeds while the named servers (`checker.node.servers`)
cannot be reached. `checker.node.joining` connects, and verifies that both are this deployment's.
"""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.claim import NamespaceClaim
from cache.counting.quota import RedisQuota
from cache.counting.tally import RedisTally
from cache.list_writer import ListWriter
from cache.redis_list_writer import RedisListWriter
from cache.redis_parts import RedisParts
from cache.redis_replica_source import RedisReplicaSource
from cache.redis_store import RedisStandingCache
from cache.replica_source import ReplicaSource
from cache.store import StandingCache
from cache.token import Tokenizer
from cache.verification import Walk
from checker.accounts.quotas import Quotas
from checker.accounts.senders import Senders
from checker.config import Config
from checker.database.engine import open_engine
from checker.database.gate import Gate
from checker.database.pulse import Pulse
from checker.domain.clock import Clock
from checker.errors import ConfigurationError
from checker.node.joining import Joining
from checker.policy.book import PolicyBook
from checker.policy.errors import PolicyError
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.sealing import Sealer
from checker.vault import Vault, load_secrets

_JOINING_CONNECTIONS = 2
"""A migration holds its lock on one and works on the other."""


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a node, and its ways to PostgreSQL and Redis.

    Engines are behind `gate`, which opens as soon as `joining` has made sure of the database. The
    engines of a process share one `pulse`.
    """

    config: Config
    clock: Clock
    policies: PolicyBook
    sealer: Sealer
    token_key: str
    gate: Gate
    pulse: Pulse
    joining: Joining
    engine: AsyncEngine
    work_engine: AsyncEngine
    cache: StandingCache
    replica_source: ReplicaSource
    list_writer: ListWriter
    walk: Walk
    quotas: Quotas
    senders: Senders
    tally: RedisTally


class _RedisWays(msgspec.Struct, frozen=True, kw_only=True):
    """The ways of a node to Redis, each with connections of its own."""

    cache: StandingCache
    replica_source: ReplicaSource
    list_writer: ListWriter
    walk: Walk
    quota: RedisQuota
    senders: RedisQuota
    tally: RedisTally


@asynccontextmanager
async def open_foundation(
    config: Config, environ: Mapping[str, str], clock: Clock
) -> AsyncIterator[Foundation]:
    """Open it; nothing connects yet.

    Raises:
        ConfigurationError: a URL that is none, secrets that cannot be read, a policy file that
            says what it may not.
    """
    assert config.database_url is not None
    assert config.redis_url is not None
    policies = read_policies(config)
    keys = load_secrets(config.data_dir, environ)
    tokenizer = Tokenizer(keys.token_key)
    token_key = tokenizer.fingerprint
    sealer = Sealer(tokenizer, Vault(keys.encryption_key))
    gate = Gate()
    url = config.database_url
    pulse = Pulse(url)
    async with (
        open_engine(url, pulse=pulse) as engine,
        open_engine(url, timeout_s=None, pulse=pulse) as work_engine,
        open_engine(url, pool_size=1) as probe_engine,
        open_engine(url, timeout_s=None, pool_size=_JOINING_CONNECTIONS) as joining_engine,
        _open_redis(config.redis_url, config.redis.prefix, tokenizer) as redis,
    ):
        gate.guard(engine)
        gate.guard(work_engine)
        yield Foundation(
            config=config,
            clock=clock,
            policies=policies,
            sealer=sealer,
            token_key=token_key,
            gate=gate,
            pulse=pulse,
            joining=Joining(
                probe_engine=probe_engine,
                engine=joining_engine,
                gate=gate,
                cache=redis.cache,
                sealer=sealer,
                claim=NamespaceClaim(
                    config.redis_url, token_key=token_key, namespace=config.redis.prefix
                ),
                token_key=token_key,
                policies=policies,
                clock=clock,
            ),
            engine=engine,
            work_engine=work_engine,
            cache=redis.cache,
            replica_source=redis.replica_source,
            list_writer=redis.list_writer,
            walk=redis.walk,
            quotas=Quotas(redis.quota),
            senders=Senders(redis.senders, digest=_digest_by(sealer)),
            tally=redis.tally,
        )


@asynccontextmanager
async def _open_redis(url: str, namespace: str, tokenizer: Tokenizer) -> AsyncIterator[_RedisWays]:
    token_key, checksum_key = tokenizer.fingerprint, tokenizer.checksum_key
    async with (
        aclosing(
            RedisStandingCache.connect(
                url, namespace=namespace, token_key=token_key, checksum_key=checksum_key
            )
        ) as cache,
        aclosing(
            RedisReplicaSource.connect(
                url, namespace=namespace, token_key=token_key, checksum_key=checksum_key
            )
        ) as replica_source,
        aclosing(
            RedisListWriter.connect(url, namespace=namespace, checksum_key=checksum_key)
        ) as list_writer,
        aclosing(RedisParts.connect(url, namespace=namespace)) as parts,
        aclosing(RedisQuota(url, namespace=namespace)) as quota,
        # A way of its own: a flood without keys delays no quota of a key.
        aclosing(RedisQuota(url, namespace=namespace)) as senders,
        aclosing(RedisTally(url, namespace=namespace)) as tally,
    ):
        yield _RedisWays(
            cache=cache,
            replica_source=replica_source,
            list_writer=list_writer,
            walk=Walk(parts, checksum_key=checksum_key),
            quota=quota,
            senders=senders,
            tally=tally,
        )


def _digest_by(sealer: Sealer) -> Callable[[Sequence[str]], str]:
    def digest(words: Sequence[str]) -> str:
        return sealer.request_digest(words).hex()

    return digest


def read_policies(config: Config) -> PolicyBook:
    """Read the measures that come with the package, with the settings of the config file."""
    try:
        return load_policies(builtin_policies(), config.jurisdictions)
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error


def node_id() -> str:
    """Name this process among the nodes: where it runs, and a part that no restart repeats."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
