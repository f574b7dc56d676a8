"""The settings per jurisdiction: `[jurisdiction.<code>]` in the config file (contract, section 9).

An amount that is not set stays unset, and what depends on it gives `review`.
"""

from collections.abc import Mapping

from checker.domain.clock import CapPeriod
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service_terms import AMOUNT_MAX_FEN
from checker.domain.settings import Settings
from checker.policy.toml_table import Table

TABLE = "jurisdiction"

_PERIOD = "resort_cap_period"
_KEYS = Settings.__struct_fields__


def load_settings(text: str, *, file: str) -> Mapping[Jurisdiction, Settings]:
    """Read the settings out of the `text` of a config file; its other tables are not looked at.

    Each jurisdiction has what is set for itself; `PolicyBook` lets it inherit. Raises
    `PolicyError` with `file`, line and key.
    """
    config = Table.parse(text, file=file)
    settings: dict[Jurisdiction, Settings] = {}
    if TABLE not in config:
        return settings
    places = config.table(TABLE)
    for code in places:
        place = _jurisdiction(places, code)
        if place in settings:
            places.fail(f"jurisdiction {place} is set twice", code)
        settings[place] = _settings(places.table(code))
    return settings


def _jurisdiction(places: Table, code: str) -> Jurisdiction:
    try:
        return parse_jurisdiction(code)
    except InvalidJurisdiction as error:
        places.fail(f"unknown jurisdiction {code!r}: {error}", code)


def _settings(table: Table) -> Settings:
    table.allow_keys(_KEYS)
    amounts = {key: _amount(table, key) for key in table if key != _PERIOD}
    period = table.word(_PERIOD, CapPeriod) if _PERIOD in table else None
    return Settings(**amounts, resort_cap_period=period)


def _amount(table: Table, key: str) -> int:
    amount = table.whole_number(key)
    if amount > AMOUNT_MAX_FEN:
        table.fail(f"{key} is above {AMOUNT_MAX_FEN} fen", key)
    return amount
