"""A check, a cap, a batch, a hold and two refusals by the client that is generated for Python.

Reads a JSON object from standard input; writes the fields that it read from the answers.
"""

import json
import sys

from checker_client import AuthenticatedClient
from checker_client.api.checks import create_batch, create_check
from checker_client.api.list_ import show_list
from checker_client.api.spending import create_authorization
from checker_client.models import (
    Answer,
    AuthorizationView,
    AuthorizeRequest,
    BatchAnswer,
    BatchItem,
    BatchOfSubjects,
    Check,
    Document,
    DocumentType,
    ItemError,
    Problem,
    Rail,
    RailType,
    Resort,
    ResortType,
    ResortVenue,
    Seat,
    Subject,
    Uncapped,
)
from checker_client.types import Unset

task = json.load(sys.stdin)
client = AuthenticatedClient(base_url=task["url"], token=task["key"])
train = Rail(type_=RailType.RAIL, train="G79", seat=Seat.SECOND)


def subject(number: str) -> Subject:
    return Subject(document=Document(type_=DocumentType.RESIDENT_ID, number=number))


def resort(amount_fen: int) -> Resort:
    return Resort(type_=ResortType.RESORT, venue=ResortVenue.RATED_RESORT, amount_fen=amount_fen)


def check(service: Rail | Resort) -> Answer:
    body = Check(subject=subject(task["listed"]), service=service)
    answer = create_check.sync(client=client, body=body)
    assert isinstance(answer, Answer), answer
    return answer


def hold(amount_fen: int, key: str) -> AuthorizationView | Uncapped | Problem | None:
    body = AuthorizeRequest(subject=subject(task["listed"]), service=resort(amount_fen))
    return create_authorization.sync(client=client, body=body, idempotency_key=key)


def shown(result: BatchItem | ItemError) -> str:
    return result.error.code if isinstance(result, ItemError) else result.decision.value


denied = check(train)
capped = check(resort(50_000))
assert capped.spending is not None
batch = create_batch.sync(
    client=client,
    body=BatchOfSubjects(
        service=train,
        subjects=[subject(task["listed"]), subject(task["innocent"]), subject("1")],
    ),
)
assert isinstance(batch, BatchAnswer), batch
held = hold(50_000, task["hold_key"])
assert isinstance(held, AuthorizationView), held
over = hold(200_000, task["over_key"])
assert isinstance(over, Problem), over
assert not isinstance(over.spending, Unset), over
assert over.spending is not None
stranger = AuthenticatedClient(base_url=task["url"], token="unknown")
refused = show_list.sync(client=stranger)
assert isinstance(refused, Problem), refused

sys.stdout.write(
    json.dumps(
        {
            "denied": [
                denied.decision.value,
                *(each.listing.id if each.listing else None for each in denied.reasons),
            ],
            "capped": [capped.decision.value, capped.spending.limit_fen],
            "batch": [shown(each) for each in batch.results],
            "held": [held.status.value, held.amount_fen],
            "over": [over.code, over.spending.remaining_fen],
            "refused": refused.code,
        }
    )
)
