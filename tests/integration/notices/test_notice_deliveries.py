"""Notices reach a real HTTP receiver: signed, in order per listing, until it acknowledges."""

from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest
from standardwebhooks import Webhook

from checker.errors import InvalidRequest, NotFound
from checker.notices.endpoint import EndpointRules
from checker.notices.notices import assemble_notices
from checker.notices.schedule import DELAYS_S
from checker.work import working
from tests.integration.notices.notice_grounds import quiet_node
from tests.support.notice_receiver import receiving
from tests.support.operation_lines import delist, list_, shield, unshield
from tests.support.registry_grounds import person_listing, query, until

pytestmark = pytest.mark.anyio
ID = itemgetter("id")


def listing_ids(messages):
    return [each.data["listing_id"] for each in messages]


def signatures(message, *secrets):
    at = datetime.fromtimestamp(int(message.headers["webhook-timestamp"]), UTC)
    signed = (message.headers["webhook-id"], at, message.body.decode())
    return " ".join(Webhook(secret).sign(*signed) for secret in secrets)


async def test_a_message_is_the_feeds_event_signed_with_the_endpoints_secret(town):
    with receiving() as receiver:
        secret = await town.put_webhook("hotel", f"{receiver.url}/notices?key=1")
        await town.end(1)
        await town.send()
        await town.send()
    [message] = receiver.messages
    assert [message.event] == await town.events("hotel")
    assert message.path == "/notices?key=1"
    assert message.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert message.headers["webhook-id"] == message.event["id"]
    assert message.headers["webhook-signature"] == signatures(message, secret)
    shown = await town.webhook("hotel")
    assert (shown.state, shown.pending, shown.last_failure) == ("active", 0, None)
    assert shown.last_success_at is not None


async def test_each_institution_is_told_at_its_own_endpoint_of_its_own_decisions(town):
    with receiving() as receiver:
        for name in ("hotel", "airline"):
            await town.put_webhook(name, f"{receiver.url}/{name}")
        await town.end(1, asked_by=("hotel", "airline", "school"))
        await town.end(2, asked_by=("airline",))
        await town.send()
    for name in ("hotel", "airline"):
        # Of several listings in any order.
        told = [each.event for each in receiver.messages if each.path == f"/{name}"]
        assert sorted(told, key=ID) == sorted(await town.events(name), key=ID)
    assert len(await town.events("school")) == 1


async def test_what_is_not_acknowledged_is_sent_again_after_longer_and_longer_pauses(town, clock):
    given = iter([500, 404, (302, {"location": "/elsewhere"}), 200])
    with receiving(lambda _message: next(given)) as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        codes = []
        for _ in range(3):
            await town.send()
            shown = await town.webhook("hotel")
            codes.append(shown.last_failure.code)
            assert (shown.state, shown.pending) == ("failing", 1)
            clock.move(seconds=2)
        await town.send()
    assert codes == ["status-500", "status-404", "status-302"]
    assert len({each.headers["webhook-id"] for each in receiver.messages}) == 1
    assert len({each.body for each in receiver.messages}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.messages}) == 4
    assert (await town.webhook("hotel")).state == "active"


async def test_a_receiver_that_is_away_or_answers_no_http_is_told_when_it_is_back(town, clock):
    with receiving() as receiver:
        url = receiver.url
    await town.put_webhook("hotel", url)
    await town.end(1)
    await town.send()
    assert (await town.webhook("hotel")).last_failure.code == "unreachable"
    clock.move(milliseconds=1)
    with receiving() as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.send()
        assert len(receiver.messages) == 1


async def test_of_one_listing_the_next_waits_for_the_one_before_and_others_do_not(town, clock):
    refusing = {"listing-1"}

    def answer(message):
        return 500 if message.data["listing_id"] in refusing else 200

    with receiving(answer) as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.publish(person_listing(1), person_listing(2))
        await town.refused("hotel", 1)
        await town.refused("hotel", 2)
        await town.do(shield(1), shield(2))
        await town.do(unshield(1), unshield(2))
        await town.do(delist(1), delist(2))
        await town.tell()
        for _ in range(3):
            await town.send()
            clock.move(milliseconds=100)
        grounds = [(each.data["listing_id"], each.data["ground"]) for each in receiver.acknowledged]
        assert grounds == [("listing-2", "shielded"), ("listing-2", "fulfilled")]
        assert ("listing-1", "fulfilled") not in [
            (each.data["listing_id"], each.data["ground"]) for each in receiver.messages
        ]
        refusing.clear()
        clock.move(seconds=10)
        await town.send()
    last = [each.data["ground"] for each in receiver.acknowledged[2:]]
    assert last == ["shielded", "fulfilled"]


async def test_a_pause_that_the_receiver_asks_for_is_kept(town, clock):
    given = iter([(503, {"retry-after": "3600"}), 200])
    with receiving(lambda _message: next(given)) as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        for minutes in (0, 30, 29):
            clock.move(minutes=minutes)
            await town.send()
        assert len(receiver.messages) == 1
        clock.move(minutes=1)
        await town.send()
    assert len(receiver.acknowledged) == 1


async def test_a_notice_is_given_up_after_days_and_taken_up_again_when_asked_for(town, clock):
    answers = {"now": 500}
    with receiving(lambda _message: answers["now"]) as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        for delay_s in (*DELAYS_S, 0):
            await town.send()
            clock.move(seconds=delay_s * 1.2 + 1)
        shown = await town.webhook("hotel")
        assert (shown.pending, shown.dead, shown.last_failure.code) == (0, 1, "status-500")
        [listed] = await town.node.notices.webhooks.show_all()
        assert (listed.account, listed.dead) == ("hotel", 1)
        tries = len(receiver.messages)
        assert tries == len(DELAYS_S) + 1
        clock.move(days=30)
        await town.send()
        assert len(receiver.messages) == tries
        answers["now"] = 204
        assert await town.node.notices.webhooks.retry(await town.account("hotel")) == 1
        await town.send()
    assert len(receiver.acknowledged) == 1
    assert (await town.webhook("hotel")).dead == 0


async def test_an_endpoint_that_is_gone_is_sent_no_more_until_it_is_put_again(town, clock):
    answers = {"now": 410}
    with receiving(lambda _message: answers["now"]) as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1, 2)
        await town.send()
        sent = len(receiver.messages)
        clock.move(days=1)
        await town.send()
        shown = await town.webhook("hotel")
        assert (shown.state, shown.pending) == ("disabled", 2)
        assert len(receiver.messages) == sent
        answers["now"] = 200
        await town.put_webhook("hotel", receiver.url)
        await town.send()
    assert sorted(listing_ids(receiver.acknowledged)) == ["listing-1", "listing-2"]


async def test_the_secret_of_before_signs_for_a_day_after_another_took_its_place(town, clock):
    with receiving() as receiver:
        old = await town.put_webhook("hotel", receiver.url)
        new = await town.put_webhook("hotel", f"{receiver.url}/new")
        await town.end(1)
        await town.send()
        clock.move(hours=25)
        await town.end(2)
        await town.send()
    both, one = receiver.messages
    assert both.headers["webhook-signature"] == signatures(both, new, old)
    assert one.headers["webhook-signature"] == signatures(one, new)


async def test_an_endpoint_that_was_removed_is_sent_nothing_and_the_feed_has_it_all(town):
    with receiving() as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        await town.node.notices.webhooks.remove(await town.account("hotel"))
        await town.end(2)
        await town.send()
        assert receiver.messages == []
    assert len(await town.events("hotel")) == 2
    with pytest.raises(NotFound):
        await town.webhook("hotel")


async def test_an_endpoint_that_hangs_keeps_nobody_else_waiting(town):
    with receiving() as receiver, receiving() as hanging:
        hanging.answer = lambda _message: hanging.hang()
        await town.put_webhook("hotel", hanging.url)
        await town.put_webhook("airline", receiver.url)
        await town.end(1, 2, asked_by=("hotel", "airline"))
        lanes = await town.node.notices.sender.start_lanes()

        async def is_told():
            return len(receiver.acknowledged) == 2

        await until(is_told)
        assert hanging.acknowledged == []
        hanging.ending.set()
        for lane in lanes:
            await lane


async def test_url_and_secret_stand_sealed(town):
    with receiving() as receiver:
        secret = await town.put_webhook("hotel", f"{receiver.url}/?key=hidden")
    await town.put_webhook("hotel", f"{receiver.url}/?key=hidden")
    rows = repr(await query(town.node, "SELECT * FROM webhook"))
    assert secret not in rows
    assert "hidden" not in rows
    assert "127.0.0.1" not in rows
    [listed] = await town.node.notices.webhooks.show_all()
    assert listed.url == f"{receiver.url}/"


async def test_an_address_that_is_refused_is_refused_when_it_is_put_and_when_it_is_sent_to(town):
    node = town.node
    strict = assemble_notices(
        node.engine,
        node.work_engine,
        vault=node.sealer.vault,
        clock=town.clock,
        rules=EndpointRules(allow_http=True),
        keep_months=1,
    )
    with receiving() as receiver:
        with pytest.raises(InvalidRequest):
            await strict.webhooks.put(await town.account("hotel"), receiver.url)
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        for lane in await strict.sender.start_lanes():
            await lane
        assert receiver.messages == []
    assert (await town.webhook("hotel")).last_failure.code == "address-refused"


async def test_deliveries_outlive_the_node_that_was_to_send_them(town, config, clock):
    with receiving() as receiver:
        await town.put_webhook("hotel", receiver.url)
        await town.end(1)
        async with quiet_node(config, clock) as other:
            for lane in await other.notices.sender.start_lanes():
                await lane
        assert listing_ids(receiver.acknowledged) == ["listing-1"]
        clock.move(hours=1)
        await town.send()
    assert len(receiver.messages) == 1


async def test_a_pruned_feed_keeps_what_was_not_delivered(town, clock):
    await town.end(1)
    await town.put_webhook("hotel", "http://127.0.0.1:9/")
    await town.do(list_(person_listing(2)))
    await town.refused("hotel", 2)
    await town.do(delist(2))
    await town.tell()
    clock.move(days=100)
    await town.node.notices.keeper.prune(clock.now() - timedelta(days=99))
    [event] = await town.events("hotel")
    assert event["data"]["listing_id"] == "listing-2"


async def test_an_endpoint_may_be_put_again_and_again_while_it_is_sent_to(town):
    with receiving(lambda message: 500 if message.data["listing_id"] == "listing-1" else 200) as (
        receiver
    ):
        await town.put_webhook("hotel", receiver.url)
        await town.end(*range(1, 6))
        async with working([town.node.notices.sender.work(lambda: True)]):
            for _ in range(30):
                await town.put_webhook("hotel", receiver.url)
                await town.node.notices.webhooks.retry(await town.account("hotel"))
    assert (await town.webhook("hotel")).dead == 0
