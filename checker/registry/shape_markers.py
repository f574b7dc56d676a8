"""Shape markers: tokens that prove which shapes of masked numbers the list does not hold.

A check with a name has one more token for each shape of masked numbers (`checker.domain.masking`).
Most lists hold one shape, or none. Each shape has a marker. The marker stands among the outlines as
soon as the list has a document of its shape, and stays:

- PostgreSQL computes markers together with the outlines (`checker.registry.projection`). So a
  marker travels as every token does: through outbox, generation, stream and lease. Each change of a
  masked number carries the marker of its shape.
- A marker that is proven absent proves all tokens of its shape absent, of the same list.
- A marker outlives the listings of its shape, because the rows of ended listings stay. Then checks
  ask for more tokens than they need, and no answer changes.

A marker names no person, so no key is needed to make one. The outline of a marker has no link: it
shows nothing adverse, and clears nobody. No check asks the cache or the registry for a marker.
"""

from hashlib import blake2b
from typing import Final

from cache.token import TOKEN_BYTES, Token
from checker.domain.masking import SHAPES
from checker.registry.outline import COMPLETE

MARKER_OUTLINE: Final = bytes([COMPLETE])

_USE = b"shape-marker"

MARKERS: Final = tuple(
    Token(blake2b(shape.name.encode(), digest_size=TOKEN_BYTES, person=_USE).digest())
    for shape in SHAPES
)
"""The markers in the order of `SHAPES`. They are a format: Redis and PostgreSQL hold them."""
