"""Open and connect everything one node needs, in order, and close it again.

`open_node` opens all parts of a node, on `checker.node.foundation`, and connects to nothing. A
serving node joins its stores later (`checker.node.joining`, by `checker.node.upkeep`).
`open_runtime` joins the stores first, for commands.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.follower import Follower
from cache.following import Following
from cache.store import StandingCache
from checker.accounts.account_keys import AccountKeys
from checker.accounts.accounts import Accounts
from checker.accounts.flags import Flags
from checker.accounts.key_ring import KeyRing
from checker.accounts.quotas import Quotas
from checker.accounts.senders import Senders
from checker.accounts.watch import FishingWatch
from checker.audit.audit import Audit, assemble_audit
from checker.checks.checks import Checks
from checker.checks.registry_check import RegistryCheck
from checker.config import Config
from checker.corrections.corrections import Corrections
from checker.database.pulse import Pulse
from checker.domain.clock import Clock, SystemClock
from checker.intake.changes import ChangesFeed
from checker.intake.feed_requests import FeedRequests
from checker.intake.quarantine import Quarantine
from checker.intake.snapshot import SnapshotFeed
from checker.node.foundation import Foundation, node_id, open_foundation
from checker.node.joining import Joining
from checker.notices.endpoint import EndpointRules
from checker.notices.notices import Notices, assemble_notices
from checker.policy.book import PolicyBook
from checker.publication.barrier import Barrier
from checker.publication.publisher import Publisher
from checker.publication.registry_lease import RegistryWord
from checker.publication.repair import Repair
from checker.publication.verification import Verification
from checker.receipts.receipt_keys import ReceiptKeys
from checker.receipts.receipts import Receipts
from checker.reconciliation.reconciliations import Reconciliations
from checker.registry.sealing import Sealer
from checker.spending.opening import open_spending
from checker.spending.spending import Spending


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """An open node. `work_engine` has no bound on statements: for feeds and rebuilds."""

    config: Config
    clock: Clock
    pulse: Pulse
    joining: Joining
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
    accounts: Accounts
    account_keys: AccountKeys
    flags: Flags
    watch: FishingWatch
    quotas: Quotas
    senders: Senders
    policies: PolicyBook
    checks: Checks
    receipt_keys: ReceiptKeys
    receipts: Receipts
    spending: Spending
    audit: Audit
    notices: Notices
    feed: SnapshotFeed
    changes: ChangesFeed
    feed_requests: FeedRequests
    quarantine: Quarantine
    corrections: Corrections
    reconciliations: Reconciliations


class _Works(msgspec.Struct, frozen=True, kw_only=True):
    """What of a node must be closed before what it stands on."""

    registry_check: RegistryCheck
    barrier: Barrier
    changes: ChangesFeed
    spending: Spending
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
        yield runtime


@asynccontextmanager
async def open_node(
    config: Config, environ: Mapping[str, str], *, clock: Clock | None = None
) -> AsyncIterator[Runtime]:
    """Open a node on servers that are named, whether they can be reached or not.

    Raises:
        ConfigurationError: a URL that is none, secrets that cannot be read, a policy file that
            says what it may not.
    """
    assert config.database_url is not None
    async with (
        open_foundation(config, environ, clock or SystemClock()) as base,
        open_spending(
            config.database_url,
            gate=base.gate,
            pulse=base.pulse,
            sealer=base.sealer,
            policies=base.policies,
            clock=base.clock,
        ) as spending,
        aclosing(_registry_check(base)) as registry_check,
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
        aclosing(
            Corrections(
                engine=base.engine,
                sealer=base.sealer,
                clock=base.clock,
                changes=changes,
                in_force=barrier.wait,
                count=base.senders.file,
            )
        ) as corrections,
        aclosing(
            Reconciliations(
                engine=base.engine,
                sealer=base.sealer,
                policies=base.policies,
                clock=base.clock,
                quotas=base.quotas,
            )
        ) as reconciliations,
    ):
        works = _Works(
            registry_check=registry_check,
            barrier=barrier,
            changes=changes,
            spending=spending,
            corrections=corrections,
            reconciliations=reconciliations,
        )
        yield _assemble(base, works)


def _assemble(base: Foundation, works: _Works) -> Runtime:
    follower = Follower(node_id(), base.following, RegistryWord(base.engine))
    repair = Repair(base.cache)
    receipt_keys = _receipt_keys(base)
    flags = Flags(base.engine, base.sealer.vault, base.clock)
    return Runtime(
        config=base.config,
        clock=base.clock,
        pulse=base.pulse,
        joining=base.joining,
        engine=base.engine,
        work_engine=base.work_engine,
        cache=base.cache,
        following=base.following,
        follower=follower,
        sealer=base.sealer,
        publisher=_publisher(base),
        repair=repair,
        barrier=works.barrier,
        key_ring=KeyRing(
            base.engine,
            base.clock,
            slowed_items_per_minute=base.config.fishing.slowed_items_per_minute,
        ),
        accounts=Accounts(base.engine, base.sealer.vault, base.clock),
        account_keys=AccountKeys(base.engine, base.sealer.vault, base.clock),
        flags=flags,
        watch=FishingWatch(
            tally=base.tally, flags=flags, settings=base.config.fishing, clock=base.clock
        ),
        quotas=base.quotas,
        senders=base.senders,
        policies=base.policies,
        checks=_checks(base, works, follower, repair),
        receipt_keys=receipt_keys,
        receipts=Receipts(receipt_keys, issuer=base.config.receipts.issuer, clock=base.clock),
        spending=works.spending,
        audit=_audit(base),
        notices=_notices(base),
        feed=_snapshot_feed(base, works),
        changes=works.changes,
        feed_requests=FeedRequests(
            engine=base.work_engine, vault=base.sealer.vault, clock=base.clock
        ),
        quarantine=Quarantine(engine=base.work_engine, sealer=base.sealer, changes=works.changes),
        corrections=works.corrections,
        reconciliations=works.reconciliations,
    )


def _checks(base: Foundation, works: _Works, follower: Follower, repair: Repair) -> Checks:
    return Checks(
        replica=follower,
        cache=base.cache,
        registry=works.registry_check,
        policies=base.policies,
        clock=base.clock,
        stale_after_ms=base.config.list.stale_after_ms,
        report_incomplete=repair.report_incomplete,
    )


def _registry_check(base: Foundation) -> RegistryCheck:
    return RegistryCheck(engine=base.engine, sealer=base.sealer, policies=base.policies)


def _publisher(base: Foundation) -> Publisher:
    return Publisher(
        engine=base.work_engine,
        cache=base.cache,
        publication=base.publication,
        token_key=base.token_key,
        verification=Verification(base.cache, base.walk),
    )


def _snapshot_feed(base: Foundation, works: _Works) -> SnapshotFeed:
    return SnapshotFeed(
        engine=base.work_engine,
        cache=base.cache,
        sealer=base.sealer,
        token_key=base.token_key,
        clock=base.clock,
        in_force=works.barrier.wait,
    )


def _receipt_keys(base: Foundation) -> ReceiptKeys:
    return ReceiptKeys(
        base.engine,
        base.sealer.vault,
        now=base.clock.now,
        published_for=base.config.receipts.keys_published_for,
    )


def _audit(base: Foundation) -> Audit:
    return assemble_audit(
        base.engine,
        base.work_engine,
        vault=base.sealer.vault,
        clock=base.clock,
        keep_months=base.config.decisions.keep_months,
    )


def _notices(base: Foundation) -> Notices:
    return assemble_notices(
        base.engine,
        base.work_engine,
        vault=base.sealer.vault,
        clock=base.clock,
        rules=EndpointRules(**msgspec.structs.asdict(base.config.notices)),
        keep_months=base.config.decisions.keep_months,
    )
