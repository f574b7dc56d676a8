"""The demo: some 300 synthetic listings, a dozen persons to ask about, and visible settings.

`persons.toml` holds the persons and questions to ask; `persons.ndjson` holds their listings, and
`changes.ndjson` a permit and a distinction. `background.ndjson` is
`python -m loadtest.population --seed 2016 --listings 300`. Everybody was born between 1850 and
1905, so nobody alive is meant.
"""

from collections.abc import AsyncIterator
from importlib import resources

import msgspec

LISTS = ("persons.ndjson", "background.ndjson")
CHANGES = "changes.ndjson"
SETTINGS = "settings.toml"

_FOLDER = resources.files("checker.demo")


class DemoQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question about a person, and the decision on it. `name`: ask under another name.

    `issuer` is the issuing state of a passport.
    """

    service: dict[str, object]
    jurisdiction: str = "CN"
    issuer: str | None = None
    name: str | None = None
    decision: str
    codes: tuple[str, ...] = ()
    measure: str | None = None


class DemoPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the demo."""

    name: str
    is_: str = msgspec.field(name="is")
    type: str = "resident_id"
    number: str
    questions: tuple[DemoQuestion, ...]


class _Persons(msgspec.Struct, frozen=True):
    persons: tuple[DemoPerson, ...]


def demo_persons() -> tuple[DemoPerson, ...]:
    """Return the persons of the demo."""
    text = _FOLDER.joinpath("persons.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Persons).persons


def demo_settings() -> str:
    """Return the demo's settings per jurisdiction, as the text of a config file."""
    return _FOLDER.joinpath(SETTINGS).read_text(encoding="utf-8")


async def demo_list() -> AsyncIterator[bytes]:
    """Yield the demo's list as NDJSON."""
    for name in LISTS:
        yield _FOLDER.joinpath(name).read_bytes()


async def demo_changes() -> AsyncIterator[bytes]:
    """Yield the operations on the demo's list as NDJSON."""
    yield _FOLDER.joinpath(CHANGES).read_bytes()
