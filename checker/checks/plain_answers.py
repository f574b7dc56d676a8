"""The results of plain allows in a batch, made together from one template.

The template is a serialised `BatchItem`, so it cannot differ from the other results.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from checker.audit.decisions import BatchIds
from checker.checks.answer import BatchItem
from checker.domain.decision import Outcome

_ANY_ID: Final = "0" * 36
_BEFORE, _AFTER = msgspec.json.encode(BatchItem(id=_ANY_ID, decision=Outcome.ALLOW)).split(
    _ANY_ID.encode()
)
_DIGITS: Final = BatchIds.COUNTER_DIGITS


def plain_allows(ids: BatchIds, start: int, stop: int) -> bytes:
    """Return the results at the places from `start` to before `stop`, with commas between them.

    Each result is an `allow` with a counted id, and has nothing else.
    """
    result = b"%b%b%b%b," % (_BEFORE, ids.begin.encode(), b"0" * _DIGITS, _AFTER)
    rows = np.tile(np.frombuffer(result, dtype=np.uint8), (stop - start, 1))
    # A number of four bytes has eight hexadecimal digits.
    numbers = np.arange(start, stop, dtype=">u4").tobytes().hex().encode()
    digits = np.frombuffer(numbers, dtype=np.uint8).reshape(-1, 8)[:, -_DIGITS:]
    first = len(_BEFORE) + len(ids.begin)
    rows[:, first : first + _DIGITS] = digits
    return rows.tobytes()[:-1]


def referenced_allows(ids: BatchIds, start: int, references: Sequence[str | None]) -> bytes:
    """Return the results at the places from `start` on as `plain_allows`, with their references."""
    items = [
        BatchItem(id=ids[at], decision=Outcome.ALLOW, reference=reference)
        for at, reference in enumerate(references, start)
    ]
    return msgspec.json.encode(items)[1:-1]  # without the brackets of the array
