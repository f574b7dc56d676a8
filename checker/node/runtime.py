"""A node that answers: opens and connects all its parts, in order, and closes them again.

`open_node` opens the parts on `checker.node.foundation`, and connects to nothing. A serving node
joins its stores later (`checker.node.upkeep`). `open_runtime` joins the stores first, for commands.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.jobs import RedisJobs
from cache.replica_keeper import ReplicaKeeper
from cache.replica_source import ReplicaSource
from cache.sessions import RedisSessions
from cache.store import StandingCache
from cache.token_key import TokenKeys
from checker.accounts.account_keys import AccountKeys
from checker.accounts.accounts import Accounts
from checker.accounts.flags import Flags
from checker.accounts.key_ring import KeyRing
from checker.accounts.quotas import Quotas
from checker.accounts.senders import Senders
from checker.accounts.watch import FishingWatch
from checker.audit.audit import Audit
from checker.checks.checks import Checks
from checker.checks.registry_check import RegistryCheck
from checker.config import Config
from checker.corrections.corrections import Corrections
from checker.database.pulse import Pulse
from checker.domain.clock import Clock, SystemClock
from checker.intake.changes import ChangesFeed
from checker.intake.feed_requests import FeedRequests
from checker.intake.quarantine import QuarantinedLines
from checker.intake.snapshot import SnapshotFeed
from checker.node import assembly
from checker.node.assembly import ServingWays, open_serving_ways
from checker.node.foundation import Foundation, node_id, open_foundation
from checker.node.joining import Joining
from checker.node.publishing_parts import open_publisher
from checker.notices.notices import Notices
from checker.operators.operator_log import OperatorLog
from checker.policy.book import PolicyBook
from checker.publication.barrier import Barrier
from checker.publication.publisher import Publisher
from checker.publication.registry_lease import RegistryWord
from checker.publication.repair import Repair
from checker.receipts.receipt_keys import ReceiptKeys
from checker.receipts.receipts import Receipts
from checker.reconciliation.reconciliations import Reconciliations
from checker.registry.sealing import Sealer
from checker.registry.shape_markers import MARKERS
from checker.spending.opening import open_spending
from checker.spending.spending import Authorizations
from checker.work import working


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """An open node. `work_engine` has no bound on statements: for feeds and rebuilds."""

    config: Config
    clock: Clock
    pulse: Pulse
    joining: Joining
    engine: AsyncEngine
    work_engine: AsyncEngine
    cache: StandingCache
    replica_source: ReplicaSource
    replica: ReplicaKeeper
    sealer: Sealer
    token_keys: TokenKeys
    publisher: Publisher
    repair: Repair
    barrier: Barrier
    key_ring: KeyRing
    accounts: Accounts
    account_keys: AccountKeys
    flags: Flags
    watch: FishingWatch
    quotas: Quotas
    senders: Senders
    sessions: RedisSessions
    jobs: RedisJobs
    operator_log: OperatorLog
    policies: PolicyBook
    checks: Checks
    receipt_keys: ReceiptKeys
    receipts: Receipts
    spending: Authorizations
    audit: Audit
    notices: Notices
    feed: SnapshotFeed
    changes: ChangesFeed
    feed_requests: FeedRequests
    quarantine: QuarantinedLines
    corrections: Corrections
    reconciliations: Reconciliations


class _Closed(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a node that must be closed before the parts below them."""

    publisher: Publisher
    registry_check: RegistryCheck
    barrier: Barrier
    changes: ChangesFeed
    spending: Authorizations
    corrections: Corrections
    reconciliations: Reconciliations


@asynccontextmanager
async def open_runtime(
    config: Config, environ: Mapping[str, str], *, clock: Clock | None = None
) -> AsyncIterator[Runtime]:
    """Open a node on servers that are named and can be reached.

    Raises:
        ConfigurationError: keys of another deployment, a Redis that may evict the list, or as
            `open_node`.
        Unavailable: PostgreSQL or Redis cannot be reached.
    """
    async with open_node(config, environ, clock=clock) as runtime:
        await runtime.joining.join()
        async with working([runtime.joining.keys.work]):
            yield runtime


@asynccontextmanager
async def open_node(
    config: Config, environ: Mapping[str, str], *, clock: Clock | None = None
) -> AsyncIterator[Runtime]:
    """Open a node on servers that are named, whether they can be reached or not.

    Raises:
        ConfigurationError: as `open_foundation`.
    """
    async with (
        open_foundation(config, environ, clock or SystemClock()) as base,
        open_serving_ways(base) as ways,
        open_publisher(base) as publisher,
        open_spending(
            base.database_url,
            pooler_url=base.config.pooler_url,
            gate=base.gate,
            pulse=base.pulse,
            token_keys=base.token_keys,
            sealer=base.sealer,
            policies=base.policies,
            clock=base.clock,
        ) as spending,
        aclosing(assembly.registry_check(base, ways)) as registry_check,
        aclosing(Barrier(engine=ways.engine, replica_source=ways.replica_source)) as barrier,
        aclosing(assembly.changes_feed(base, barrier)) as changes,
        aclosing(assembly.corrections(base, ways, changes, barrier)) as corrections,
        aclosing(assembly.reconciliations(base, ways)) as reconciliations,
    ):
        closed = _Closed(
            publisher=publisher,
            registry_check=registry_check,
            barrier=barrier,
            changes=changes,
            spending=spending,
            corrections=corrections,
            reconciliations=reconciliations,
        )
        yield _assemble(base, ways, closed)


def _assemble(base: Foundation, ways: ServingWays, closed: _Closed) -> Runtime:
    config, clock, vault = base.config, base.clock, base.sealer.vault
    word = RegistryWord(ways.engine)
    replica = ReplicaKeeper(node_id(), ways.replica_source, word.renew, markers=MARKERS)
    repair = Repair(base.cache)
    receipt_keys = assembly.receipt_keys(base, ways)
    flags = Flags(ways.engine, vault, clock)
    return Runtime(
        config=config,
        clock=clock,
        pulse=base.pulse,
        joining=base.joining,
        engine=ways.engine,
        work_engine=base.work_engine,
        cache=base.cache,
        replica_source=ways.replica_source,
        replica=replica,
        sealer=base.sealer,
        token_keys=base.token_keys,
        publisher=closed.publisher,
        repair=repair,
        barrier=closed.barrier,
        key_ring=KeyRing(
            ways.engine, clock, slowed_items_per_minute=config.fishing.slowed_items_per_minute
        ),
        accounts=Accounts(ways.engine, vault, clock),
        account_keys=AccountKeys(ways.engine, vault, clock),
        flags=flags,
        watch=FishingWatch(tally=ways.tally, flags=flags, settings=config.fishing, clock=clock),
        quotas=ways.quotas,
        senders=ways.senders,
        sessions=ways.sessions,
        jobs=ways.jobs,
        operator_log=OperatorLog(ways.engine, vault, clock),
        policies=base.policies,
        checks=assembly.checks(base, closed.registry_check, replica, repair),
        receipt_keys=receipt_keys,
        receipts=Receipts(receipt_keys.signing, issuer=config.receipts.issuer, clock=clock),
        spending=closed.spending,
        audit=assembly.audit(base, ways),
        notices=assembly.notices(base, ways),
        feed=assembly.snapshot_feed(base, closed.barrier),
        changes=closed.changes,
        feed_requests=FeedRequests(engine=base.work_engine, vault=vault, clock=clock),
        quarantine=QuarantinedLines(
            engine=base.work_engine, sealer=base.sealer, changes=closed.changes
        ),
        corrections=closed.corrections,
        reconciliations=closed.reconciliations,
    )
