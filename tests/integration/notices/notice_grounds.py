"""A node that sends no notice by itself, institutions that ask, and their answers."""

import asyncio
from contextlib import asynccontextmanager

import msgspec

from checker.accounts.keys import AccountRole
from checker.node.runtime import open_runtime
from checker.node.upkeep import keep_current, publisher_running
from checker.notices.writer import Pass
from checker.operators.action import AT_THE_SERVER
from tests.support.operation_lines import delist, list_
from tests.support.registry_grounds import (
    ENVIRON,
    accepted,
    check_of,
    decide,
    name_of,
    person_listing,
    publish,
    query,
    resident_id,
)

LANES_MAX = 50


@asynccontextmanager
async def quiet_node(config, clock):
    """Open a node that publishes changes; its notices wait for whoever steps."""
    async with (
        open_runtime(config, ENVIRON, clock=clock) as runtime,
        keep_current(runtime, publish=False),
        publisher_running(runtime),
    ):
        yield runtime


class Town:
    """Institutions by name, and a court that changes the list."""

    def __init__(self, node, clock):
        self.node = node
        self.clock = clock
        self._accounts = {}
        self._after = {}

    async def account(self, name):
        if name not in self._accounts:
            node, role = self.node, AccountRole.INSTITUTION
            await node.account_keys.create_named(name=name, role=role, by=AT_THE_SERVER)
            rows = await query(self.node, "SELECT id FROM account WHERE name = :name", name=name)
            self._accounts[name] = rows[0].id
        return self._accounts[name]

    async def publish(self, *listings, **options):
        return (await publish(self.node, listings, allow_shrink=True, **options)).version

    async def do(self, *operations):
        return await accepted(self.node, *operations)

    async def ask(self, name, index, **more):
        """Ask about a person; gives the decision's id, and what was decided."""
        check = more.pop("check", None) or check_of(resident_id(index), name_of(index), **more)
        decided = await decide(self.node, check, account_id=await self.account(name))
        return decided.ids[0], decided.decisions[0].outcome.value

    async def refused(self, name, index, **more):
        """Ask about a person who is refused; gives the decision's id."""
        decision_id, outcome = await self.ask(name, index, **more)
        assert outcome != "allow"
        return decision_id

    async def tell(self):
        """Take the first pass as far as it goes."""
        while await self.node.notices.writer.step(Pass.FIRST) is not None:
            pass

    async def tell_again(self):
        """Take the second pass to where the first is."""
        writer = self.node.notices.writer
        reached = await writer.position(Pass.FIRST)
        while await writer.step(Pass.AGAIN, limit=reached) is not None:
            pass

    async def events(self, name):
        """Return the notices for an institution that are newer than its last request."""
        account_id = await self.account(name)
        page = await self.node.notices.feed.read(account_id, self._after.get(name), 1_000)
        self._after[name] = page.next
        return [msgspec.json.decode(event) for event in page.events]

    async def told(self, name):
        """Send the notices that are due; return the data of an institution's events."""
        await self.tell()
        await self.tell_again()
        return [event["data"] for event in await self.events(name)]

    async def put_webhook(self, name, url):
        """Register an institution's webhook at a URL; return the secret."""
        return await self.node.notices.webhooks.put(await self.account(name), url)

    async def webhook(self, name):
        return await self.node.notices.webhooks.show(await self.account(name))

    async def send(self):
        """Send whatever is due, until nothing is at this instant."""
        for _ in range(LANES_MAX):
            lanes = await self.node.notices.sender.start_lanes()
            if not lanes:
                return
            await asyncio.wait(lanes)
        raise AssertionError("lanes end, and what was due is due still")

    async def end(self, *indexes, asked_by=("hotel",)):
        """Have people listed, refused and delisted again, and send the notices."""
        for index in indexes:
            await self.do(list_(person_listing(index)))
            for name in asked_by:
                await self.refused(name, index)
            await self.do(delist(index))
        await self.tell()


def lifted(listing_id, decision_ids, ground, **when):
    return {"listing_id": listing_id, "decision_ids": decision_ids, "ground": ground} | when


def granted(listing_id, decision_ids, *, permit_id="permit-1", services=("air",), at):
    """The data of an event about a permit that begins."""
    of_permit = {"permit_id": permit_id, "services": list(services)}
    return lifted(listing_id, decision_ids, "permit", ended_at=at) | of_permit
