"""Merchants of the benchmark of spending: what they send, count, and do not let pass."""

from datetime import date
from itertools import count, cycle

import msgspec
import pytest

from loadtest.answers import WrongAnswersError
from loadtest.bench_report import Report, describe, keep
from loadtest.figures import Figures
from loadtest.generator import answer_size
from loadtest.merchants import (
    AMOUNT_FEN,
    Spending,
    Tally,
    Till,
    debtors,
    held_within,
    orders,
    sales,
    sales_to_one,
)
from loadtest.population import Population
from loadtest.spending_report import SpendingReport
from tests.unit.loadtest.known_origin import ORIGIN

TODAY = date(2026, 11, 25)
POPULATION = Population(1, 200, today=TODAY)
PERSONS = debtors(POPULATION, TODAY)
SPENDING = {"limit_fen": 5_000, "held_fen": 1_000, "captured_fen": 0, "remaining_fen": 4_000}
HELD = {"id": "a", "status": "held", "amount_fen": AMOUNT_FEN, "spending": SPENDING}
CAPTURED = {"id": "a", "status": "captured", "captured_fen": AMOUNT_FEN}
REFUNDED = {"id": "a", "status": "refunded", "captured_fen": AMOUNT_FEN}
REFUSED = {"code": "cap-exceeded", "status": 409, "spending": SPENDING}


def answer(status, body):
    content = msgspec.json.encode(body)
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def till():
    return Till("key", count())


def never():
    return False


def after(looks):
    """Be over at the look after so many."""
    left = iter(range(looks))
    return lambda: next(left, None) is None


def line_of(request):
    return request.partition(b" HTTP/1.1")[0].decode()


def idempotency_key_of(request):
    return request.partition(b"Idempotency-Key: ")[2].partition(b"\r\n")[0]


def test_debtors_are_people_whom_the_list_shows_by_a_whole_number_and_come_once():
    numbers = [person.number for person in PERSONS]
    shown = {
        listing.party.holder.documents[0].number: listing
        for listing in POPULATION.listings()
        if not listing.party.is_masked
    }

    assert len(numbers) == len(set(numbers)) > 50
    assert all(shown[number].case.published_on <= TODAY for number in numbers)


def test_a_sale_is_an_authorization_and_its_capture_each_under_a_key_of_its_own():
    talk = sales(till(), iter(PERSONS[:2]), after(2))
    first = next(talk)
    second = talk.send(answer(201, HELD))
    third = talk.send(answer(200, CAPTURED))

    assert line_of(first) == line_of(third) == "POST /v1/spending/authorizations"
    assert line_of(second) == "POST /v1/spending/authorizations/a/capture"
    assert len({idempotency_key_of(each) for each in (first, second, third)}) == 3
    assert PERSONS[0].number.encode() in first
    assert PERSONS[1].number.encode() in third


def test_a_merchant_who_is_told_to_stop_ends_the_sale_and_begins_no_other():
    talk = sales(till(), iter(PERSONS), after(1))
    next(talk)
    talk.send(answer(201, HELD))
    with pytest.raises(StopIteration):
        talk.send(answer(200, CAPTURED))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"id": None, "status": "uncapped"}),
        (409, REFUSED),
        (503, {"code": "unavailable", "status": 503}),
        (201, HELD | {"amount_fen": 1}),
        (201, HELD | {"spending": SPENDING | {"captured_fen": 4_001}}),
        (201, HELD | {"spending": None}),
    ],
)
def test_whoever_is_not_sold_to_as_expected_ends_the_measurement(status, body):
    talk = sales(till(), iter(PERSONS), never)
    next(talk)
    with pytest.raises(WrongAnswersError):
        talk.send(answer(status, body))


def test_a_capture_of_another_amount_ends_the_measurement():
    talk = sales(till(), iter(PERSONS), never)
    next(talk)
    talk.send(answer(201, HELD))
    with pytest.raises(WrongAnswersError):
        talk.send(answer(200, CAPTURED | {"captured_fen": 1}))


def test_at_the_cap_a_merchant_gives_back_what_was_captured_and_goes_on():
    tally = Tally()
    talk = sales_to_one(till(), PERSONS[0], tally, after(4))
    sent = [next(talk)]
    answers = [
        answer(409, REFUSED),
        answer(201, HELD),
        answer(200, CAPTURED),
        answer(409, REFUSED),
        answer(200, REFUNDED),
        answer(201, HELD),
    ]
    sent += [talk.send(each) for each in answers]

    moves = [line_of(each).removeprefix("POST /v1/spending/authorizations") for each in sent]
    assert moves == ["", "", "/a/capture", "", "/a/refund", "", "/a/capture"]
    assert (tally.authorized, tally.captured, tally.refused, tally.refunded) == (2, 1, 2, 1)
    assert tally.captured_fen == 0


def test_what_was_captured_in_one_round_can_be_given_back_in_the_next():
    merchant, tally = till(), Tally()
    first = sales_to_one(merchant, PERSONS[0], tally, after(1))
    next(first)
    first.send(answer(201, HELD))
    with pytest.raises(StopIteration):
        first.send(answer(200, CAPTURED))
    second = sales_to_one(merchant, PERSONS[0], tally, never)
    next(second)

    assert line_of(second.send(answer(409, REFUSED))).endswith("/a/refund")


def test_a_merchant_of_one_person_takes_no_other_refusal():
    talk = sales_to_one(till(), PERSONS[0], Tally(), never)
    next(talk)
    with pytest.raises(WrongAnswersError):
        talk.send(answer(503, {"code": "unavailable", "status": 503, "spending": SPENDING}))


def test_the_baseline_is_sent_the_same_body():
    asked = next(orders(cycle(PERSONS), never)).partition(b"\r\n\r\n")[2]
    assert asked == next(sales(till(), cycle(PERSONS), never)).partition(b"\r\n\r\n")[2]


def test_sums_that_pass_the_cap_or_contradict_each_other_are_not_taken():
    assert held_within(Spending(**SPENDING)).remaining_fen == 4_000
    for wrong in ({"held_fen": 6_000, "remaining_fen": 0}, {"remaining_fen": 4_001}):
        with pytest.raises(WrongAnswersError):
            held_within(Spending(**SPENDING | wrong))


def test_a_scripted_answer_is_one_that_the_generator_reads():
    assert answer_size(answer(200, CAPTURED)) == len(answer(200, CAPTURED))


def figures(per_second, p50_ms=1.0, p99_ms=2.0):
    return Figures(
        per_second=per_second, p50_ms=p50_ms, p99_ms=p99_ms, rounds_per_second=(per_second,) * 3
    )


REPORT = SpendingReport(
    origin=ORIGIN,
    listings=200,
    persons=len(PERSONS),
    workers=2,
    connections=16,
    merchants=50,
    round_seconds=3.0,
    past_steps=1_000,
    fill_seconds=1.0,
    fresh=figures(700.0),
    baseline=figures(1000.0),
    with_past=figures(686.0),
    different=figures(900.0, p50_ms=20.0),
    different_baseline=figures(1000.0),
    one=figures(500.0, p99_ms=130.0),
    one_max_ms=150.0,
    tally=Tally(authorized=7, captured=7, refused=3, refunded=2),
    spent=Spending(limit_fen=200_000, held_fen=0, captured_fen=5_000, remaining_fen=195_000),
)


def test_a_report_of_spending_tells_what_it_is_measured_for():
    text = describe(REPORT)

    assert "ratio     0.70 to the baseline; with the past 0.980" in text
    assert "ratio     0.90 to the baseline\n" in text
    assert "6.5 of the p50 of different persons" in text
    assert "0 + 5000 of 200000 fen" in text


def test_a_report_of_spending_reads_back_as_it_was(tmp_path):
    path = keep(REPORT, tmp_path / "reports")

    assert path.name == "20261123T010203Z-spending.json"
    assert msgspec.json.decode(path.read_bytes(), type=Report) == REPORT
