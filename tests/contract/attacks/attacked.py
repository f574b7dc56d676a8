"""The things that exist at the attacked service, handed to the process of schemathesis."""

from collections.abc import Mapping
from typing import NamedTuple

VARIABLE = "ATTACKED"
"""The variable of the environment that holds them as JSON."""


class Attacked(NamedTuple):
    """The things that exist at the attacked service.

    `known`: identifiers by the name of their parameter. `protected`: accounts whose keys are in
    use. `is_granted`: the role of the key may call the operations.
    """

    known: Mapping[str, str]
    protected: tuple[str, ...]
    is_granted: bool = True
