"""The answers that schemathesis takes for failures, and why each is none."""

import re
from typing import NamedTuple

from schemathesis import Case, Response
from schemathesis.core import NOT_SET

OK, PRECONDITION_FAILED = 200, 412


class Explained(NamedTuple):
    """Fields that may refuse a request which fits its schema, by operation, and the reason."""

    operations: str
    pointers: str
    reason: str


_SUBJECT = r"(/subject)?(/document|/also/\d+)/(number|issuer)"

REFUSED = (
    Explained("create_check|create_authorization", _SUBJECT, "no schema knows check digits"),
    Explained(
        "create_check|create_batch", "/service(/seat)?", "a seat is named in one of two ways"
    ),
    Explained("create_authorization", "/service/amount_fen", "`Resort` is also checked, with 0"),
    Explained("file_correction", "/listing_id", "a correction names one of two things"),
    Explained("create_reconciliation", "", "the columns of CSV are in no schema"),
    Explained("put_webhook", "/url", "the host of the URL has no address"),
    Explained("put_snapshot|post_changes", r"/\d+|", "too many lines of the feed are rejected"),
    Explained("create_account|change_account", "/name", "the name cannot be printed"),
    Explained("create_account|change_account", r"/networks/\d+", "no schema knows CIDR"),
    Explained("create_account|change_account", "/courts", "only a court has courts"),
    Explained("create_account|change_account", r"/courts/\d+", "the name cannot be printed"),
    Explained("rule_on_correction", "/(effect|listing_ids)", "the effect is not of this ruling"),
    Explained("(create|rotate)_account_key", "/expires_at", "the instant is over"),
    Explained("export_decisions", "/(from|to)", "the day is not in this month"),
    Explained("export_decisions", "/account", "the id cannot be printed"),
    Explained("list_notices", "/after", "the shape of a cursor is no part of the contract"),
)

ACCEPTED = (Explained("create_reconciliation|post_changes", "", "an empty file has no lines"),)
"""Operations that may answer 200 to a request which does not fit its schema."""


def is_explained_refusal(name: str, response: Response) -> bool:
    told = response.json()
    if told["code"] == "idempotency-key-reused" or response.status_code == PRECONDITION_FAILED:
        return True
    faults = [each["pointer"] for each in told.get("errors", ())]
    return bool(faults) and all(
        any(
            re.fullmatch(each.operations, name) and re.fullmatch(each.pointers, fault)
            for each in REFUSED
        )
        for fault in faults
    )


def is_explained_acceptance(name: str, case: Case, response: Response) -> bool:
    """Return True if the answer to a batch or a feed reports the items that it refuses."""
    told = response.json()
    match name:
        case "create_batch" if response.status_code == OK:
            return any("error" in each for each in told["results"])
        case "put_snapshot" | "post_changes" | "create_reconciliation" if told["rejected"]:
            return True
        case _:
            has_body = case.body is not NOT_SET and case.body != []
            return not has_body and any(re.fullmatch(e.operations, name) for e in ACCEPTED)
