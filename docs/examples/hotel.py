"""A resort hotel holds an amount at check-in, and captures what was spent at check-out.

python docs/examples/hotel.py http://127.0.0.1:8000 KEY
"""

import sys

from checker.client import ApiProblem, Client, authorize, capture, refund
from checker.domain.service import Resort
from checker.domain.service_terms import ResortVenue


def stay(client: Client, number: str, name: str, held_fen: int, spent_fen: int) -> str:
    """Return what became of a stay, in a word."""
    service = Resort(venue=ResortVenue.RATED_RESORT, amount_fen=held_fen)
    try:
        held = client.send(authorize("resident_id", number, name=name, service=service))
    except ApiProblem as problem:
        return problem.code
    if held.id is None:
        return held.status  # nobody caps this guest, and nothing is kept about them
    paid = client.send(capture(held.id, spent_fen))
    # The guest leaves on the first day, and the resort gives the money back.
    client.send(refund(held.id, spent_fen))
    return paid.status


if __name__ == "__main__":
    url, key = sys.argv[1:3]
    with Client(url, key) as ours:
        print(stay(ours, "440882189302030777", "李同名", 50_000, 42_000))
        print(stay(ours, "440882189001011230", "陈示例", 50_000, 42_000))
        print(stay(ours, "440882189001011230", "陈示例", 99_999_900, 1))
