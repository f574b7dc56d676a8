"""Judges the shape of answers by the contract (section 2), for users of locust.

Does not know the right decision: see `loadtest.scenarios.sales`.
"""

from typing import Any


class WrongAnswersError(Exception):
    """The service gave a wrong answer, so its speed means nothing."""


DECISIONS = frozenset({"allow", "cap", "review", "deny"})


def fault_of_answer(answer: Any) -> str | None:
    """Return the fault of one answer to a check; None where the answer is right."""
    if not isinstance(answer, dict):
        return "an answer is no object"
    decision = answer.get("decision")
    if decision not in DECISIONS:
        return "an answer has no decision of the contract"
    reasons = answer.get("reasons") or []
    if decision != "allow" and not reasons:
        return f"{decision} without a reason"
    if decision == "allow" and reasons and not answer.get("permit"):
        return "allow with reasons and without a permit"
    if decision == "cap" and not answer.get("spending"):
        return "cap without spending"
    if any("code" not in reason or "measure" not in reason for reason in reasons):
        return "a reason without code or measure"
    return None


def fault_of_check(body: Any) -> str | None:
    """Return the fault of the body of a single check's 200; None where the body is right."""
    if fault := fault_of_answer(body):
        return fault
    if not isinstance(body.get("id"), str):
        return "an answer without an id"
    return fault_of_list(body.get("list"))


def fault_of_batch(body: Any, sent: int) -> str | None:
    """Return the fault of the body of a batch's 200; every item of the batch was valid."""
    if not isinstance(body, dict):
        return "a batch's answer is no object"
    results = body.get("results")
    if not isinstance(results, list) or len(results) != sent:
        return f"a batch of {sent} without {sent} results"
    faults = (fault_of_answer(result) for result in results)
    return next((fault for fault in faults if fault), None) or fault_of_list(body.get("list"))


def fault_of_list(state: Any) -> str | None:
    """Return the fault of the `list` of an answer; None where the `list` is right."""
    if not isinstance(state, dict) or not isinstance(state.get("version"), int):
        return "an answer does not say which version of the list it stands on"
    if not isinstance(state.get("as_of"), str) or not isinstance(state.get("stale"), bool):
        return "an answer does not say how old its list is"
    return None
