"""A request is repeated where that can do no harm, and an error never looks like `allow`."""

import httpx
import pytest

from checker.client import ApiProblem, NotAnswered, RetryPolicy, SaleVerdict, check, void
from checker.client.answers import CheckAnswer
from checker.client.clients import _Attempts
from checker.client.operations import ApiOperation
from checker.domain.service import Air

SERVICE = Air(flight="CZ3101")
NUMBER = "440882187307041239"
POLICY = RetryPolicy(attempts_max=3, first_wait_s=0.1, patience_s=60.0)


def answer(status: int, **headers: str) -> httpx.Response:
    problem = {"code": "unavailable", "detail": "no list", "status": status}
    return httpx.Response(status, json=problem, headers=headers)


def once() -> ApiOperation[CheckAnswer]:
    return check("resident_id", NUMBER, service=SERVICE)


def with_reference() -> ApiOperation[CheckAnswer]:
    return check("resident_id", NUMBER, service=SERVICE, reference="ORDER-1")


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_that_was_not_done_is_sent_again_after_the_wait_that_is_asked_for(
    status: int,
) -> None:
    attempts = _Attempts(once(), POLICY)
    assert attempts.wait_after(answer(status, **{"retry-after": "7"})) == 7.0
    assert 0 < attempts.wait_after(answer(status)) <= 0.2
    with pytest.raises(ApiProblem) as refused:
        attempts.wait_after(answer(status))
    assert refused.value.code == "unavailable"


def test_a_wait_beyond_the_patience_of_the_client_is_not_begun() -> None:
    with pytest.raises(ApiProblem):
        _Attempts(once(), POLICY).wait_after(answer(503, **{"retry-after": "3600"}))


def test_a_lost_answer_is_asked_for_again_only_where_the_request_has_a_name_of_its_own() -> None:
    lost = httpx.ReadTimeout("")
    assert _Attempts(with_reference(), POLICY).wait_after(lost) > 0
    assert _Attempts(void("1"), POLICY).wait_after(lost) > 0
    with pytest.raises(NotAnswered):
        _Attempts(once(), POLICY).wait_after(lost)
    with pytest.raises(ApiProblem):
        _Attempts(once(), POLICY).wait_after(answer(504))


def test_a_request_that_was_never_sent_is_sent_again() -> None:
    attempts = _Attempts(once(), POLICY)
    for _ in range(POLICY.attempts_max - 1):
        assert attempts.wait_after(httpx.ConnectError("")) > 0
    with pytest.raises(NotAnswered):
        attempts.wait_after(httpx.ConnectError(""))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_a_refusal_is_the_answer(status: int) -> None:
    with pytest.raises(ApiProblem) as refused:
        _Attempts(with_reference(), POLICY).wait_after(answer(status))
    assert refused.value.status == status


def test_an_answer_that_is_no_problem_is_a_refusal_too() -> None:
    with pytest.raises(ApiProblem) as refused:
        _Attempts(once(), POLICY).wait_after(httpx.Response(404, text="<html>"))
    assert refused.value.code == ""


def test_each_order_of_money_has_a_key_of_its_own_and_no_operation_shows_a_person() -> None:
    first, second = void("1"), void("1")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert NUMBER not in repr(once())


def test_a_decision_of_a_later_version_counts_as_review() -> None:
    read = once().read(
        b'{"id":"1","decision":"later","new":1,"list":{"version":1,"as_of":"","stale":false}}'
    )
    assert read.verdict is SaleVerdict.REVIEW
