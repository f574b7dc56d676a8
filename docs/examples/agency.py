"""A travel agency asks about a whole group before an outbound tour, in an event loop.

python docs/examples/agency.py http://127.0.0.1:8000 KEY
"""

import asyncio
import sys
from collections.abc import Sequence

from checker.client import ApiProblem, AsyncClient, SaleVerdict, check_many
from checker.client.operations import subject_of
from checker.domain.service import OutboundTour
from checker.domain.service_terms import TourProduct


async def held_up(url: str, key: str, group: Sequence[tuple[str, str]]) -> list[int]:
    """Return the places of the travellers who cannot go yet: refused, unclear, or not checked."""
    subjects = [subject_of("resident_id", number, name) for number, name in group]
    service = OutboundTour(product=TourProduct.GROUP_TOUR)
    async with AsyncClient(url, key) as client:
        answer = await client.send(check_many(subjects, service=service))
    return [
        place
        for place, result in enumerate(answer.results)
        if isinstance(result, ApiProblem) or result.verdict is not SaleVerdict.ALLOW
    ]


GROUP = (
    ("440882189302030777", "李同名"),
    ("440882189001011230", "陈示例"),
    ("44088218930203077", "王少一"),
)

if __name__ == "__main__":
    print(asyncio.run(held_up(*sys.argv[1:3], GROUP)))
