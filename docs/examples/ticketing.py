"""A ticket office sells a seat: it asks before the booking, and reports what it did.

python docs/examples/ticketing.py http://127.0.0.1:8000 KEY
"""

import sys

from checker.client import Client, ClientError, SaleVerdict, check, report_outcome
from checker.domain.service import Rail
from checker.domain.service_terms import Seat


def may_book(client: Client, number: str, name: str, order: str) -> bool:
    """Return whether the seat may be sold. What cannot be asked about is not sold."""
    asked = check(
        "resident_id",
        number,
        name=name,
        service=Rail(train="G79", seat=Seat.SECOND),
        reference=order,
    )
    try:
        answer = client.send(asked)
    except ClientError as error:
        print(f"{order}: not sold, because {error}")
        return False
    print(f"{order}: {answer.decision}")
    for reason in answer.reasons:
        print(f"  {reason.measure} ({reason.code})")
    if answer.verdict is SaleVerdict.ALLOW:
        return True
    client.send(report_outcome(answer.id, "refused"))
    return False


if __name__ == "__main__":
    url, key = sys.argv[1:3]
    with Client(url, key) as ours:
        may_book(ours, "440882189302030777", "李同名", "ORDER-1")
        may_book(ours, "440882189001011230", "陈示例", "ORDER-2")
