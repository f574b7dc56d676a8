"""A typed client of the API, for sellers who write Python.

    from checker.client import Client, check
    from checker.domain.service import Rail, Seat

    with Client("https://checker.example", key) as client:
        answer = client.send(check("resident_id", number, name=name, service=Rail(...)))
        if answer.verdict is not SaleVerdict.ALLOW:
            ...

An operation is a value: `check(...)` asks nobody. `Client.send` sends it and waits, and
`await AsyncClient.send` does the same in an event loop. So each operation is written once.
"""

from checker.client.answers import (
    BookingAnswer,
    CheckAnswer,
    HeldMoney,
    ItemAnswer,
    ManyAnswers,
    NoticesRead,
    SaleVerdict,
)
from checker.client.clients import AsyncClient, Client, RetryPolicy
from checker.client.errors import ApiProblem, ClientError, NotAnswered
from checker.client.offline import is_receipt_about, verify_receipt, verify_webhook
from checker.client.operations import (
    ApiOperation,
    authorization,
    authorize,
    capture,
    check,
    check_many,
    notices,
    refund,
    report_outcome,
    void,
)

__all__ = [
    "ApiOperation",
    "ApiProblem",
    "AsyncClient",
    "BookingAnswer",
    "CheckAnswer",
    "Client",
    "ClientError",
    "HeldMoney",
    "ItemAnswer",
    "ManyAnswers",
    "NotAnswered",
    "NoticesRead",
    "RetryPolicy",
    "SaleVerdict",
    "authorization",
    "authorize",
    "capture",
    "check",
    "check_many",
    "is_receipt_about",
    "notices",
    "refund",
    "report_outcome",
    "verify_receipt",
    "verify_webhook",
    "void",
]
