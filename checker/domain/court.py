"""Courts by their names, in the form in which the names of courts are compared."""

from collections.abc import Iterable

from checker.domain.text import compact


class Courts:
    """The courts for which a sender speaks."""

    __slots__ = ("_forms",)

    def __init__(self, names: Iterable[str]) -> None:
        self._forms = frozenset(map(court_form, names))

    def holds(self, court: str) -> bool:
        """Whether a court of this name is one of them."""
        return court_form(court) in self._forms


def court_form(name: str) -> str:
    """Return the name of a court in half width and upper case, without spaces and hyphens."""
    return compact(name)
