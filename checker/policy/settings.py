"""The settings per jurisdiction: `[jurisdiction.<code>]` in the config file (contract, section 9).

An amount that is not set stays unset. A measure that needs the amount gives `review`.
"""

from collections.abc import Mapping

from checker.domain.clock import CapPeriod
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction, path
from checker.domain.service_terms import AMOUNT_MAX_FEN
from checker.domain.settings import Settings
from checker.policy.toml_table import Table

TABLE = "jurisdiction"

_PERIOD = "resort_cap_period"
_COUNTER = "resort_cap_counter"
_KEYS = Settings.__struct_fields__
_AMOUNTS = tuple(key for key in _KEYS if key not in {_PERIOD, _COUNTER})


def load_settings(text: str, *, file: str) -> Mapping[Jurisdiction, Settings]:
    """Return the settings in the `text` of a config file, and ignore its other tables.

    Each jurisdiction has only its own settings; `PolicyBook` adds the inherited ones. Raises
    `PolicyError` with `file`, line and key.
    """
    config = Table.parse(text, file=file)
    settings: dict[Jurisdiction, Settings] = {}
    if TABLE not in config:
        return settings
    places = config.table(TABLE)
    for code in places:
        place = _jurisdiction_of(places, code, code)
        if place in settings:
            places.fail(f"jurisdiction {place} is set twice", code)
        settings[place] = _settings(places.table(code), place)
    return settings


def _jurisdiction_of(table: Table, code: str, key: str) -> Jurisdiction:
    try:
        return parse_jurisdiction(code)
    except InvalidJurisdiction as error:
        table.fail(f"unknown jurisdiction {code!r}: {error}", key)


def _settings(table: Table, place: Jurisdiction) -> Settings:
    table.allow_keys(_KEYS)
    amounts = {key: _amount(table, key) for key in _AMOUNTS if key in table}
    return Settings(
        **amounts,
        resort_cap_period=table.word(_PERIOD, CapPeriod) if _PERIOD in table else None,
        resort_cap_counter=_counter(table, place) if _COUNTER in table else None,
    )


def _counter(table: Table, place: Jurisdiction) -> Jurisdiction:
    """Return the place whose counter a cap uses: the place itself, or a place around it."""
    counter = _jurisdiction_of(table, table.text(_COUNTER), _COUNTER)
    if counter not in path(place):
        table.fail(f"{_COUNTER} must be one of {', '.join(path(place))}", _COUNTER)
    return counter


def _amount(table: Table, key: str) -> int:
    amount = table.whole_number(key)
    if amount > AMOUNT_MAX_FEN:
        table.fail(f"{key} is above {AMOUNT_MAX_FEN} fen", key)
    return amount
