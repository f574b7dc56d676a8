"""Who asks at the counters of the oracle's test: everybody whom the file shows, and innocents."""

from collections import Counter
from itertools import cycle, islice

from loadtest.crowd import Form
from loadtest.document_numbers import BIRTHDAYS, resident_check_digit, uscc_check_character
from tests.integration.registry.naive_platform import SERVICES, Question

WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def crowd(platform, population, rng, size):
    """Draw questions in equal parts from every way of asking."""
    masked = [entry for entry in platform.entries if "*" in entry.number]
    companies = [entry for entry in platform.entries if entry.number.startswith("code ")]
    persons = [
        entry for entry in platform.entries if len(entry.number) == 18 and "*" not in entry.number
    ]
    shown = Counter(entry.number for entry in persons)
    tied = [entry for entry in persons if shown[entry.number] > 1]
    travellers = [entry for entry in platform.entries if 8 <= len(entry.number) <= 9]
    innocents = population.crowd(size, 0, form=Form.ZXGK)
    ways = cycle(
        (
            lambda: _person(rng.choice(persons), rng),
            lambda: _company(rng.choice(companies), rng),
            lambda: _masked(rng.choice(masked), rng),
            lambda: _traveller(rng.choice(travellers), rng),
            lambda: _innocent(next(innocents)),
            lambda: _namesake(next(innocents), rng.choice(platform.entries)),
            lambda: _nearly(rng.choice(masked), rng),
            lambda: _person(rng.choice(tied), rng),
        )
    )
    return [
        Question(*way(), rng.randrange(len(SERVICES)), rng.choice(("CN", "440882")))
        for way in islice(ways, size)
    ]


def _named(entry, rng):
    return rng.choice((entry.name, None, entry.name, "示例别人"))


def _person(entry, rng):
    return "resident_id", _spelled(entry.number, rng), _named(entry, rng)


def _spelled(number, rng):
    spellings = [number, number.lower(), number.translate(WIDE), f"{number[:6]} {number[6:]}"]
    if number[6:8] == "19":
        spellings.append(f"{number[:6]}{number[8:17]}")
    return rng.choice(spellings)


def _company(entry, rng):
    code = entry.number.removeprefix("code ")
    body = f"91440882{code}"
    kind, number = rng.choice(
        (
            ("org_code", code),
            ("org_code", f"{code[:8]}-{code[8]}"),
            ("uscc", body + uscc_check_character(body)),
        )
    )
    return kind, number, _named(entry, rng)


def _masked(entry, rng):
    return "resident_id", rng.choice(_completions(entry.number)), _named(entry, rng)


def _nearly(entry, rng):
    """Ask with the name of a masked entry and a number that differs in what it shows."""
    number = rng.choice(_completions(entry.number))
    body = f"{number[:14]}{(int(number[14:17]) + 1) % 1000:03}"
    return "resident_id", body + resident_check_digit(body), entry.name


def _completions(pattern):
    """Every valid number that a pattern may stand for; the hidden ones are of month and day."""
    bodies = (f"{pattern[:10]}{day}{pattern[14:17]}" for day in BIRTHDAYS)
    numbers = (body + resident_check_digit(body) for body in bodies)
    return [
        number
        for number in numbers
        if all(known in ("*", asked) for known, asked in zip(pattern, number, strict=True))
    ]


def _traveller(entry, rng):
    kind = "hk_macao_permit" if entry.number[0] in "HM" and len(entry.number) == 9 else "passport"
    return kind, entry.number, _named(entry, rng)


def _innocent(subject):
    return subject.document.type.value, subject.document.number, subject.name


def _namesake(subject, entry):
    return subject.document.type.value, subject.document.number, entry.name
