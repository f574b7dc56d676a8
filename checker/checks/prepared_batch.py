"""The checks of a batch, side by side. A check is made only when something needs the check.

Most subjects of a batch are on no list. Such a subject needs a token and no `PreparedCheck`, which
would take as long as the token. Knows nothing of JSON.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, overload

from cache.token import Token
from checker.domain.service import Service
from checker.registry.prepared_check import PreparedCheck, PreparedSubject

Prepare: TypeAlias = Callable[[Any, tuple[Token, ...]], PreparedCheck]
"""Makes the check of a plain item as it was sent, and of its tokens."""

TokensOf: TypeAlias = Callable[[PreparedSubject], tuple[Token, ...]]
"""Makes all tokens of a subject, the document's own one first (`Sealer.tokens_of`)."""


class TokenTable(Sequence[tuple[Token, ...]]):
    """The tokens of each check of a batch. `flat` holds all tokens, side by side."""

    def __init__(self) -> None:
        self.flat: list[Token] = []
        # The index of the first token of each check.
        self._firsts: list[int] = []

    def add(self, tokens: Sequence[Token]) -> None:
        """Add a check that has these tokens."""
        self._firsts.append(len(self.flat))
        self.flat += tokens

    def add_single(self, tokens: Sequence[Token]) -> None:
        """Add a check for each token, which is its only one."""
        start = len(self.flat)
        self._firsts += range(start, start + len(tokens))
        self.flat += tokens

    def __len__(self) -> int:
        return len(self._firsts)

    @overload
    def __getitem__(self, place: int) -> tuple[Token, ...]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[Token, ...]]: ...

    def __getitem__(self, place: int | slice) -> tuple[Token, ...] | list[tuple[Token, ...]]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        stop = self._firsts[at + 1] if at + 1 < len(self) else len(self.flat)
        return tuple(self.flat[self._firsts[at] : stop])

    def places_of(self, indices: Iterable[int]) -> list[int]:
        """Return the places of the checks that hold a token with one of these indices, in order."""
        return sorted({bisect_right(self._firsts, index) - 1 for index in indices})


class PreparedBatch(Sequence[PreparedCheck]):
    """The checks of a batch in their order; `tokens` holds the tokens of each.

    `unknowable` has the places of the subjects with a document that no list can know.
    A plain item stays as it was sent until somebody asks for its check. In a batch that shares one
    service, a plain item has only a subject.
    """

    def __init__(
        self, prepare: Prepare, tokens_of: TokensOf, shared_service: Service | None = None
    ) -> None:
        self.tokens = TokenTable()
        self.unknowable: list[int] = []
        self._prepare = prepare
        self._tokens_of = tokens_of
        self._shared_service = shared_service
        self._sent: list[Any] = []

    def add(self, check: PreparedCheck) -> None:
        """Add a check that is made already."""
        if check.subject.is_unknowable:
            self.unknowable.append(len(self._sent))
        self._sent.append(check)
        self.tokens.add(self._tokens_of(check.subject))

    def add_plain(self, sent: Any, tokens: Sequence[Token]) -> None:
        """Add a plain item with its tokens."""
        self._sent.append(sent)
        self.tokens.add(tokens)

    def add_plain_single(self, sent: Sequence[Any], tokens: Sequence[Token]) -> None:
        """Add plain items with one token each."""
        self._sent += sent
        self.tokens.add_single(tokens)

    def __len__(self) -> int:
        return len(self._sent)

    @overload
    def __getitem__(self, place: int) -> PreparedCheck: ...

    @overload
    def __getitem__(self, place: slice) -> list[PreparedCheck]: ...

    def __getitem__(self, place: int | slice) -> PreparedCheck | list[PreparedCheck]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        sent = self._sent[place]
        if isinstance(sent, PreparedCheck):
            return sent
        return self._prepare(sent, self.tokens[place])

    def services(self, start: int, stop: int) -> list[Service]:
        """Return the services of the checks from `start` to before `stop`."""
        if self._shared_service is not None:
            return [self._shared_service] * len(range(len(self))[start:stop])
        return [sent.service for sent in self._sent[start:stop]]

    def references(self, start: int, stop: int) -> list[str | None] | None:
        """Return the references from `start` to before `stop`; None: no check has a reference."""
        if self._shared_service is not None:
            return None
        return [sent.reference for sent in self._sent[start:stop]]

    @property
    def with_receipt(self) -> list[int]:
        """The places of the checks that ask for a receipt."""
        if self._shared_service is not None:
            return []
        return [at for at, sent in enumerate(self._sent) if sent.receipt]
