"""A run checks the sheet of a session, and leaves nothing behind where the session has ended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from checker.accounts.keys import AccountRole
from checker.accounts.scope import Scope
from checker.api.answering_batches import BatchesResource
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER
from checker.sheets.endings import SheetLanguage
from checker.sheets.refusals import SheetFault
from checker.web.manifests.jobs import BOUNDS, QUOTA, FoundJob, ManifestJob
from checker.web.manifests.opening import Manifests, open_manifests
from checker.web.manifests.runs import DECISIONS, MARKED_MAX, RunOrder
from checker.web.sessions import Sessions, SignedIn
from tests.integration.checks.checks_grounds import DEBTOR
from tests.integration.checks.doors import open_doors_with
from tests.support.sheets import csv_of
from tests.support.town import INNOCENT

pytestmark = pytest.mark.anyio

ADDRESS = "127.0.0.1"
HEADER = ["姓名", "身份证号", "车次", "席别"]
TRAIN = ["G79", "二等座"]
PEOPLE = (("陈示例", DEBTOR), ("吴清白", INNOCENT), ("某", "1"))
SHEET = csv_of([HEADER, *([name, number, *TRAIN] for name, number in PEOPLE)])


class ManifestGround(NamedTuple):
    """A node with its sessions and the parts behind its page."""

    parts: Manifests
    sessions: Sessions
    runtime: Runtime
    batches: BatchesResource
    key: str

    async def signed_in(self, key: str | None = None) -> SignedIn:
        return await self.sessions.sign_in(key or self.key, ADDRESS)

    async def uploaded(
        self, who: SignedIn, content: bytes = SHEET, service: dict[str, Any] | None = None
    ) -> ManifestJob:
        account_id = who.caller.account_id
        job = ManifestJob(
            id="j",
            account_id=account_id,
            file_name="x-checked.csv",
            look=await self.parts.reader.look(account_id, content),
            ends_at=self.parts.jobs.ends_at(),
            service=service,
        )
        assert await self.parts.jobs.begin(who.cookie, job, content)
        return job

    async def begin(self, who: SignedIn, job: ManifestJob) -> None:
        order = RunOrder(
            cookie=who.cookie,
            address=ADDRESS,
            caller=who.caller,
            job=job,
            language=SheetLanguage.ZH,
        )
        await self.parts.runs.begin(order, self.batches)

    async def ended(self, who: SignedIn) -> FoundJob | None:
        """Return the job of a session after all runs have ended."""
        await asyncio.gather(*runs(), return_exceptions=True)
        return await self.parts.jobs.find(who.cookie)


@pytest.fixture
async def ground(
    tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[ManifestGround]:
    async with open_doors_with(tmp_path, database_url, redis_url) as (lane, keys):
        runtime = lane.routed.state.runtime
        await runtime.key_ring.refresh()
        sessions = Sessions(
            store=runtime.sessions,
            key_ring=runtime.key_ring,
            sealer=runtime.sealer,
            clock=runtime.clock,
        )
        yield ManifestGround(
            open_manifests(runtime, sessions),
            sessions,
            runtime,
            lane.routed.state.batches,
            keys[AccountRole.INSTITUTION],
        )


async def test_a_run_keeps_its_result_and_the_sheet_sealed_and_for_its_session_alone(
    ground: ManifestGround, redis_url: str
) -> None:
    who, other = await ground.signed_in(), await ground.signed_in()
    job = await ground.uploaded(who)
    await ground.begin(who, job)
    await ground.begin(who, job)  # while the first runs, or after it
    found = await ground.ended(who)
    assert found is not None
    assert found.job.result is not None
    counts = {"deny": 1, "allow": 1, "not_checkable": 1}
    assert found.job.result.counts == dict.fromkeys(DECISIONS, 0) | counts
    [row] = found.job.result.marked["not_checkable"]
    assert (row.number, row.reason) == (4, "证件号码无效 (位数不对)")
    content = await ground.parts.jobs.content(who.cookie, found.job)
    assert content is not None
    decisions = [line.split(",")[4] for line in content.decode().splitlines()]
    assert decisions == ["decision", "deny", "allow", "not_checkable"]
    assert await ground.parts.jobs.find(other.cookie) is None
    assert await ground.parts.jobs.content(other.cookie, found.job) is None
    with redis.Redis.from_url(redis_url) as client:
        values = [client.get(key) for key in client.keys("*:job:*")]
        names = b"".join(client.keys("*:job*"))
    for secret in (DEBTOR.encode(), "陈示例".encode(), who.cookie.encode()):
        assert secret not in names
        assert not [value for value in values if secret in value]


async def test_a_quota_is_taken_once_for_all_rows_or_nothing_is_checked(
    ground: ManifestGround,
) -> None:
    made = await ground.runtime.account_keys.create_named(
        name="small",
        role=AccountRole.INSTITUTION,
        scope=Scope(items_per_day=5),
        by=AT_THE_SERVER,
    )
    who = await ground.signed_in(made.key)
    await ground.begin(who, await ground.uploaded(who))
    first = await ground.ended(who)
    await ground.begin(who, await ground.uploaded(who))
    second = await ground.ended(who)
    assert first is not None
    assert first.job.result is not None
    assert second is not None
    assert (second.job.result, second.job.fault) == (None, QUOTA)


async def test_a_run_ends_with_its_session_or_its_job_and_leaves_nothing(
    ground: ManifestGround, redis_url: str
) -> None:
    who, other = await ground.signed_in(), await ground.signed_in()
    await ground.begin(who, await ground.uploaded(who))
    await ground.begin(other, await ground.uploaded(other))
    await ground.sessions.sign_out(who.cookie)
    await ground.parts.jobs.forget(other.cookie)
    await asyncio.gather(*runs())
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*:job*") == []


async def test_a_run_that_dies_can_be_begun_again_and_a_new_sheet_takes_its_place(
    ground: ManifestGround, redis_url: str
) -> None:
    who = await ground.signed_in()
    await ground.begin(who, await ground.uploaded(who))
    await asyncio.sleep(0)  # a task that never ran could not give up its claim
    for task in runs():
        task.cancel()
    found = await ground.ended(who)
    assert found is not None
    assert (found.job.is_begun, found.progress) == (True, None)
    assert found.job.result is None
    await ground.begin(who, found.job)
    again = await ground.ended(who)
    assert again is not None
    assert again.job.result is not None
    for _ in range(BOUNDS.jobs_of_group + 1):
        await ground.uploaded(who)
    with redis.Redis.from_url(redis_url) as client:
        assert len(client.keys("*:job:*")) == 2


async def test_a_service_that_is_no_service_ends_the_run_and_many_rows_are_counted(
    ground: ManifestGround,
) -> None:
    who = await ground.signed_in()
    content = csv_of([HEADER[:2], ["陈示例", DEBTOR]])
    await ground.begin(who, await ground.uploaded(who, content, {"type": "rail"}))
    found = await ground.ended(who)
    assert found is not None
    assert (found.job.fault, found.job.is_begun) == (SheetFault.SERVICE, False)
    rows = [["某", "1", *TRAIN]] * (MARKED_MAX + 5)
    await ground.begin(who, await ground.uploaded(who, csv_of([HEADER, *rows])))
    found = await ground.ended(who)
    assert found is not None
    assert found.job.result is not None
    assert found.job.result.counts["not_checkable"] == MARKED_MAX + 5
    assert len(found.job.result.marked["not_checkable"]) == MARKED_MAX


def runs() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "manifest"]
