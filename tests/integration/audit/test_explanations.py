"""A kept decision is explained by what was kept with it; the log and the report count it."""

import csv
import io
from datetime import date, timedelta

import msgspec
import pytest

from checker.audit.chain import extend_decisions
from checker.audit.export import ExportedRange, ExportFormat, export
from checker.audit.monthly_report import monthly_report
from checker.audit.outcomes import ReportedOutcome
from checker.domain.decision import Outcome, ReasonCode
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.errors import NotFound
from tests.integration.audit.audit_grounds import AT, POLICIES, decision, reason

pytestmark = pytest.mark.anyio

EVERYTHING = ExportedRange(since=None, until=None, account_id=None)
HIDDEN = reason("listing-2", is_public=False, role=Role.PRINCIPAL)


async def explained(ground, kept, account_id="hotel"):
    return await ground.audit.explanations.explain(kept.id, account_id=account_id)


async def exported(ground, wanted=EVERYTHING, form=ExportFormat.NDJSON):
    return b"".join([page async for page in export(ground.engine, wanted, form)])


async def lines(ground, wanted=EVERYTHING):
    return [msgspec.json.decode(line) for line in (await exported(ground, wanted)).splitlines()]


async def test_a_decision_is_explained_by_section_and_list_in_both_languages(ground):
    [kept] = await ground.decided(decision())
    await ground.reported(kept, note="旅客改乘")
    told = await explained(ground, kept)
    [why] = told.reasons
    assert (why.section, why.source.number) == ("二（七）1", "中办发〔2016〕64号")
    assert "二（七）1" in why.text.zh
    assert "雷州市人民法院" in why.text.zh
    assert "10日" in why.text.zh
    assert "section 二（七）1" in why.text.en
    assert (told.text.zh, told.text.en) == ("不得办理。", "The sale is refused.")
    assert told.list.version == 1
    assert told.list.as_of == "2026-11-22T01:02:03.456Z"
    assert [(each.outcome, each.note) for each in told.outcomes] == [("refused", "旅客改乘")]
    assert told.chain is None
    await extend_decisions(ground.engine)
    assert (await explained(ground, kept)).chain.number == 1


async def test_a_listing_that_is_not_public_is_shown_to_auditors_alone(ground):
    [kept] = await ground.decided(decision(reason(), HIDDEN))
    institution = await explained(ground, kept)
    auditor = await explained(ground, kept, account_id=None)
    assert [each.listing and each.listing.id for each in institution.reasons] == ["listing-1", None]
    assert [each.listing.id for each in auditor.reasons] == ["listing-1", "listing-2"]
    assert "粤0882执123号" not in institution.reasons[1].text.zh


async def test_another_accounts_decision_is_not_there(ground):
    [kept] = await ground.decided(decision())
    with pytest.raises(NotFound):
        await explained(ground, kept, account_id="airline")


async def test_a_decision_whose_policy_is_not_known_names_its_measures_still(ground):
    [kept] = await ground.decided(decision(policy=b"unknown"))
    [why] = (await explained(ground, kept)).reasons
    assert (why.measure, why.section) == ("cn-2016-64/2.7.1", None)
    assert "cn-2016-64/2.7.1" in why.text.en


async def test_the_log_names_account_time_measures_list_and_outcomes(ground):
    first, second = await ground.decided(decision(), decision(HIDDEN, account_id=None))
    await ground.reported(first)
    await ground.reported(first, ReportedOutcome.OVERRIDDEN)
    await extend_decisions(ground.engine)
    one, other = await lines(ground)
    assert (one["id"], other["id"]) == (first.id, second.id)
    assert (one["account_id"], one["account"], one["at"]) == (
        "hotel",
        "hotel",
        "2026-11-23T01:02:03.456Z",
    )
    assert (one["measures"], one["list_version"]) == (["cn-2016-64/2.7.1"], 1)
    assert one["outcomes"] == ["refused", "overridden"]
    assert (one["number"], len(one["digest"])) == (1, 64)
    assert (other["account"], other["listings"], other["outcomes"]) == (None, ["listing-2"], [])


async def test_the_log_is_read_by_time_and_account(ground):
    early, late, foreign = await ground.decided(
        decision(), decision(at=AT + timedelta(hours=1)), decision(account_id="airline")
    )
    later = ExportedRange(since=AT + timedelta(minutes=1), until=None, account_id=None)
    before = ExportedRange(since=None, until=AT + timedelta(hours=1), account_id="hotel")
    assert [each["id"] for each in await lines(ground, later)] == [late.id]
    assert [each["id"] for each in await lines(ground, before)] == [early.id]
    assert foreign.id in {each["id"] for each in await lines(ground)}


async def test_a_log_of_several_pages_has_every_row_once_and_in_order(ground):
    kept = await ground.decided(*[decision() for _ in range(2_500)])
    assert [each["id"] for each in await lines(ground)] == sorted(each.id for each in kept)


async def test_the_log_as_csv_has_the_same_rows_and_no_formula(ground):
    async with ground.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE account SET name = '=cmd()' WHERE id = 'hotel'")
    [kept] = await ground.decided(decision(reason(), HIDDEN))
    header, row = csv.reader(io.StringIO((await exported(ground, form=ExportFormat.CSV)).decode()))
    told = dict(zip(header, row, strict=True))
    assert (told["id"], told["account"]) == (kept.id, "'=cmd()")
    assert told["listings"] == "listing-1 listing-2"


async def test_a_month_is_counted_by_institution_and_authority(ground):
    local = reason(measure="leizhou/2.7.2")
    capped = reason(code=ReasonCode.CAPPED, measure="cn-2016-64/2.7.3")
    denied, overridden, *_ = await ground.decided(
        decision(reason(), local),
        decision(),
        decision(capped, outcome=Outcome.CAP),
        decision(outcome=Outcome.ALLOW, permit_id="permit-1"),
        decision(outcome=Outcome.REVIEW, account_id="airline"),
        decision(at=AT + timedelta(days=30)),
    )
    await ground.reported(denied)
    await ground.reported(overridden, ReportedOutcome.SOLD)
    for _ in range(3):
        ground.audit.tallies.count("hotel", ServiceType.AIR, Outcome.ALLOW)
    await ground.audit.tallies.add()
    told = await monthly_report(ground.engine, date(2026, 11, 1), POLICIES.measures)
    airline, hotel = told.institutions
    assert (hotel.account, hotel.checks) == ("hotel", 3)
    assert (hotel.denied, hotel.capped, hotel.permitted, hotel.reviewed) == (2, 1, 1, 0)
    assert (hotel.overridden, hotel.outcomes_missing) == (1, 0)
    assert {each.measure: each.denied for each in hotel.measures} == {
        "cn-2016-64/2.7.1": 2,
        "cn-2016-64/2.7.3": 0,
        "leizhou/2.7.2": 1,
    }
    assert (airline.reviewed, airline.outcomes_missing, airline.checks) == (1, 1, 0)
    named = {each.authority: each for each in told.authorities}
    assert named["市公安局"].denied == 1
    assert [each.measure for each in named["市公安局"].measures] == ["leizhou/2.7.2"]
    assert named[None].denied == 2


async def test_counts_of_checks_are_added_up_over_processes(ground):
    for _ in range(2):
        ground.audit.tallies.count("hotel", ServiceType.RAIL, Outcome.ALLOW)
        await ground.audit.tallies.add()
    [row] = await ground.query("SELECT day, service, checks FROM check_tally")
    assert tuple(row) == (date(2026, 11, 23), "rail", 2)
