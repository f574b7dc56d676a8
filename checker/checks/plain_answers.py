"""The answers of plain allows, single and in a batch, made from templates.

The templates are a serialised `Answer` and a serialised `BatchItem`, so an answer from a template
cannot differ from another one.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from checker.audit.decisions import BatchIds
from checker.checks.answer import Answer, BatchItem, ListState
from checker.domain.decision import Outcome

_ANY_ID: Final = "0" * 36
_ANY_REFERENCE: Final = "1" * 36
_encode: Final = msgspec.json.Encoder().encode
_BEFORE, _AFTER = _encode(BatchItem(id=_ANY_ID, decision=Outcome.ALLOW)).split(_ANY_ID.encode())
_DIGITS: Final = BatchIds.COUNTER_DIGITS


class AllowedAnswers:
    """Makes the answers of single checks that are allowed without a reason and without a receipt.

    The template is made anew when the state of the list is another object.
    """

    __slots__ = ("_after", "_before", "_between", "_list")

    def __init__(self) -> None:
        self._list: ListState | None = None
        self._before = self._between = self._after = b""

    def body(self, answer_id: str, state: ListState, reference: str | None) -> bytes:
        """Return the JSON of an answer."""
        if state is not self._list:
            self._begin(state)
        named = b"null" if reference is None else _encode(reference)
        return b"%b%b%b%b%b" % (
            self._before,
            answer_id.encode(),
            self._between,
            named,
            self._after,
        )

    def _begin(self, state: ListState) -> None:
        template = _encode(
            Answer(id=_ANY_ID, decision=Outcome.ALLOW, list=state, reference=_ANY_REFERENCE)
        )
        self._before, rest = template.split(_ANY_ID.encode(), 1)
        self._between, self._after = rest.rsplit(_encode(_ANY_REFERENCE), 1)
        self._list = state


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
    return _encode(items)[1:-1]  # without the brackets of the array
