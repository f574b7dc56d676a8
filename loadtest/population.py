"""Synthetic lists and crowds of any size from a seed: the same seed gives the same bytes.

    python -m loadtest.population --seed 1 --listings 100000 --format zxgk > list.ndjson

Everything streams: ten million listings take no more memory than ten. No number belongs to anybody
living, and no number of an innocent is on the list.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from random import Random

from loadtest.circles import LISTINGS, PEOPLE_MAX, Listing, Shares, circle
from loadtest.crowd import CrowdSubject, ListForm, askable, innocent, reached
from loadtest.document_numbers import CAPACITY, NumberSpace
from loadtest.draw import below, pick
from loadtest.holders import Holder, SyntheticPerson, organization, person
from loadtest.listing_line import listing_line
from loadtest.zxgk import zxgk_line

LISTINGS_MAX = CAPACITY // PEOPLE_MAX * LISTINGS // 2
"""12.5 million: half of the numbers remain for people who are on no list."""

DEFAULT_DAY = date(2026, 11, 23)
_ORGANIZATIONS_IN_A_CROWD = 0.05


class Population:
    """One list, and the people around it.

    `today` is the day on which `shares` hold, such as the share of expired listings.

    Raises:
        ValueError: the list is empty, or larger than the numbers allow.
    """

    def __init__(
        self,
        seed: int,
        listings: int,
        *,
        shares: Shares | None = None,
        today: date = DEFAULT_DAY,
    ) -> None:
        if seed < 0:
            raise ValueError("a seed is not negative")
        if not 1 <= listings <= LISTINGS_MAX:
            raise ValueError(f"a list has 1 to {LISTINGS_MAX} listings, not {listings}")
        self._seed = seed
        self._size = listings
        self._circles = -(-listings // LISTINGS)
        self._shares = shares or Shares()
        self._today = today
        self._space = NumberSpace(seed)

    def listings(self) -> Iterator[Listing]:
        """Yield every listing in the order of the ids."""
        for number in range(self._circles):
            yield from self._circle(number)

    def listing_lines(self) -> Iterator[bytes]:
        """Yield the lines of the list in the contract's own form."""
        return map(listing_line, self.listings())

    def zxgk_lines(self) -> Iterator[bytes]:
        """Yield the lines of the list in the form of the publication platform."""
        rng = Random(self._seed)
        return (zxgk_line(listing, rng) for listing in self.listings())

    def lines(self, form: ListForm) -> Iterator[bytes]:
        """Yield the lines of the list in one of the forms."""
        return self.zxgk_lines() if form is ListForm.ZXGK else self.listing_lines()

    def holders(self, form: ListForm = ListForm.LISTING) -> Iterator[Holder]:
        """Yield each person that the list reaches by a document, once."""
        for number in range(self._circles):
            yield from askable(self._circle(number), form)

    def people(self) -> Iterator[SyntheticPerson]:
        """Yield the natural persons among the holders: debtors and officers."""
        return (holder for holder in self.holders() if isinstance(holder, SyntheticPerson))

    def crowd(
        self, size: int, listed_share: float, *, form: ListForm = ListForm.LISTING
    ) -> Iterator[CrowdSubject]:
        """Yield `size` subjects; `listed_share` of them are on the list as published in `form`.

        Not every listing restricts: `CrowdSubject.links` may be masked, over, or in the future.
        Innocents are all different people. A listed person may come several times.
        """
        if not 0 <= listed_share <= 1:
            raise ValueError(f"the share of the listed is {listed_share}, not between 0 and 1")
        if size > CAPACITY - self._circles * PEOPLE_MAX:
            raise ValueError(f"there are no numbers for a crowd of {size}")
        rng = Random(self._seed)
        for place in range(size):
            if rng.random() < listed_share:
                yield self._listed_subject(form, rng)
            else:
                yield innocent(self._innocent_holder(place, rng), rng)

    def _circle(self, number: int) -> tuple[Listing, ...]:
        made = circle(
            number, space=self._space, seed=self._seed, shares=self._shares, today=self._today
        )
        return made[: self._size - number * LISTINGS]

    def _listed_subject(self, form: ListForm, rng: Random) -> CrowdSubject:
        """Return a subject of a random circle that has somebody with a document."""
        while True:
            listings = self._circle(below(rng, self._circles))
            if holders := askable(listings, form):
                return reached(pick(rng, holders), listings, form, rng)

    def _innocent_holder(self, place: int, rng: Random) -> Holder:
        if rng.random() < _ORGANIZATIONS_IN_A_CROWD:
            return organization(self._space, self._circles * LISTINGS + place, rng)
        index = self._circles * PEOPLE_MAX + place
        return person(self._space, index, rng, elsewhere_share=self._shares.elsewhere)


def write(lines: Iterable[bytes], *, lines_at_once: int = 1000) -> None:
    """Write lines to standard output until the end, or until the reader closes the pipe."""
    remaining = iter(lines)
    try:
        while block := b"".join(islice(remaining, lines_at_once)):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stderr.close()


def main() -> None:
    """Write a list to standard output."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.population", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=1000)
    parser.add_argument("--format", type=ListForm, choices=list(ListForm), default=ListForm.LISTING)
    parser.add_argument("--today", type=date.fromisoformat, default=DEFAULT_DAY)
    options = parser.parse_args()
    population = Population(options.seed, options.listings, today=options.today)
    write(population.lines(options.format))


if __name__ == "__main__":
    main()
