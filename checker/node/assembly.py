"""Opens and makes the parts of a node that answers, each from the parts below it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.counting.quota import RedisQuota
from cache.counting.tally import RedisTally
from cache.jobs import RedisJobs
from cache.redis_replica_source import RedisReplicaSource
from cache.replica_keeper import ReplicaKeeper
from cache.replica_source import ReplicaSource
from cache.sessions import RedisSessions
from checker.accounts.quotas import Quotas
from checker.accounts.senders import Senders
from checker.audit.audit import Audit, assemble_audit
from checker.checks.checks import Checks
from checker.checks.registry_check import TRANSACTIONS_MAX, RegistryCheck
from checker.corrections.corrections import Corrections
from checker.database.engine import open_engine
from checker.intake.changes import ChangesFeed
from checker.intake.snapshot import SnapshotFeed
from checker.node.foundation import Foundation
from checker.notices.endpoint import EndpointRules
from checker.notices.notices import Notices, assemble_notices
from checker.publication.barrier import Barrier
from checker.publication.repair import Repair
from checker.receipts.receipt_keys import ReceiptKeys
from checker.reconciliation.reconciliations import Reconciliations
from checker.registry.sealing import Sealer

_OTHERS = 6
"""Connections of all that is neither a check, nor spending, nor long work."""


class ServingWays(msgspec.Struct, frozen=True, kw_only=True):
    """The ways to both stores that only a node that answers uses.

    Both engines bound statements. A sale waits for those of `check_engine`, so they are shorter.
    """

    engine: AsyncEngine
    check_engine: AsyncEngine
    replica_source: ReplicaSource
    quotas: Quotas
    senders: Senders
    tally: RedisTally
    sessions: RedisSessions
    jobs: RedisJobs


@asynccontextmanager
async def open_serving_ways(base: Foundation) -> AsyncIterator[ServingWays]:
    """Open the ways, each with connections of its own; nothing connects yet."""
    url, namespace = base.redis_url, base.namespace
    pooler_url = base.config.pooler_url
    wait_s = base.config.redis.timeout_ms / 1000
    async with (
        open_engine(
            base.database_url,
            pulse=base.pulse,
            pooler_url=pooler_url,
            pool_size=_OTHERS,
            token_keys=base.token_keys,
        ) as engine,
        open_engine(
            base.database_url,
            pulse=base.pulse,
            pooler_url=pooler_url,
            pool_size=TRANSACTIONS_MAX,
            timeout_s=base.config.postgresql.timeout_ms / 1000,
            token_keys=base.token_keys,
        ) as check_engine,
        aclosing(
            RedisReplicaSource.connect(url, namespace=namespace, token_keys=base.token_keys)
        ) as replica_source,
        aclosing(RedisQuota(url, namespace=namespace, timeout_s=wait_s)) as quota,
        # A way of its own: a flood without keys delays no quota of a key.
        aclosing(RedisQuota(url, namespace=namespace, timeout_s=wait_s)) as senders,
        aclosing(RedisTally(url, namespace=namespace)) as tally,
        aclosing(RedisSessions(url, namespace=namespace)) as sessions,
        aclosing(RedisJobs(url, namespace=namespace)) as jobs,
    ):
        base.gate.guard(engine)
        base.gate.guard(check_engine)
        yield ServingWays(
            engine=engine,
            check_engine=check_engine,
            replica_source=replica_source,
            quotas=Quotas(quota),
            senders=Senders(senders, digest=_digest_by(base.sealer)),
            tally=tally,
            sessions=sessions,
            jobs=jobs,
        )


def _digest_by(sealer: Sealer) -> Callable[[Sequence[str]], str]:
    def digest(words: Sequence[str]) -> str:
        return sealer.request_digest(words).hex()

    return digest


def changes_feed(base: Foundation, barrier: Barrier) -> ChangesFeed:
    """Make the feed of changes."""
    return ChangesFeed(
        engine=base.work_engine,
        sealer=base.sealer,
        clock=base.clock,
        measures=base.policies.measure_ids,
        in_force=barrier.wait,
    )


def snapshot_feed(base: Foundation, barrier: Barrier) -> SnapshotFeed:
    """Make the feed of snapshots."""
    return SnapshotFeed(
        engine=base.work_engine,
        cache=base.cache,
        sealer=base.sealer,
        token_keys=base.token_keys,
        clock=base.clock,
        in_force=barrier.wait,
        rejected_share_max=base.config.list.rejected_share_max,
    )


def corrections(
    base: Foundation, ways: ServingWays, changes: ChangesFeed, barrier: Barrier
) -> Corrections:
    """Make the corrections."""
    return Corrections(
        engine=ways.engine,
        sealer=base.sealer,
        clock=base.clock,
        deadlines=base.policies.deadlines,
        changes=changes,
        in_force=barrier.wait,
        count=ways.senders.file,
    )


def reconciliations(base: Foundation, ways: ServingWays) -> Reconciliations:
    """Make the reconciliations."""
    return Reconciliations(
        engine=ways.engine,
        sealer=base.sealer,
        policies=base.policies,
        clock=base.clock,
        quotas=ways.quotas,
        kept_for=base.config.retention.past_sales_for,
    )


def registry_check(base: Foundation, ways: ServingWays) -> RegistryCheck:
    """Make the check that asks PostgreSQL."""
    return RegistryCheck(engine=ways.check_engine, sealer=base.sealer, policies=base.policies)


def checks(
    base: Foundation, registry: RegistryCheck, replica: ReplicaKeeper, repair: Repair
) -> Checks:
    """Make the path of a check."""
    return Checks(
        replica=replica,
        cache=base.cache,
        registry=registry,
        sealer=base.sealer,
        policies=base.policies,
        clock=base.clock,
        stale_after_ms=base.config.list.stale_after_ms,
        report_incomplete=repair.report_incomplete,
    )


def receipt_keys(base: Foundation, ways: ServingWays) -> ReceiptKeys:
    """Make the node's copy of the keys that sign receipts."""
    return ReceiptKeys(
        ways.engine,
        base.sealer.vault,
        now=base.clock.now,
        published_for=base.config.receipts.keys_published_for,
    )


def audit(base: Foundation, ways: ServingWays) -> Audit:
    """Make the audit."""
    return assemble_audit(
        ways.engine,
        base.work_engine,
        vault=base.sealer.vault,
        clock=base.clock,
        keep_months=base.config.decisions.keep_months,
    )


def notices(base: Foundation, ways: ServingWays) -> Notices:
    """Make the notices."""
    return assemble_notices(
        ways.engine,
        base.work_engine,
        vault=base.sealer.vault,
        clock=base.clock,
        rules=EndpointRules(**msgspec.structs.asdict(base.config.notices)),
        keep_months=base.config.decisions.keep_months,
    )
