"""Reads the conditions of a clause, and checks each against the kind of its field."""

from collections.abc import Mapping
from enum import StrEnum

from checker.domain.measure import AtLeast, AtLeastSetting, Condition, Is, OneOf
from checker.domain.settings import Threshold
from checker.policy.toml_table import Table
from checker.policy.vocabulary import FieldKind

_IN = "in"
_IS = "is"
_AT_LEAST = "at_least"
_AT_LEAST_SETTING = "at_least_setting"


def read_conditions(when: Table, fields: Mapping[str, FieldKind]) -> tuple[Condition, ...]:
    """Return the conditions of a table by field. Raises `PolicyError`."""
    when.allow_keys(fields)
    return tuple(_condition(when.table(field), field, fields[field]) for field in when)


def _condition(table: Table, field: str, kind: FieldKind) -> Condition:
    allowed = _operators(kind)
    table.allow_keys(allowed)
    given = list(table)
    if len(given) != 1:
        table.fail(f"{field} needs exactly one of: {', '.join(allowed)}")
    if issubclass(kind, StrEnum):
        return OneOf(field=field, values=frozenset(table.words(_IN, kind)))
    if kind is bool:
        return Is(field=field, value=table.truth(_IS))
    if given[0] == _AT_LEAST:
        return AtLeast(field=field, least=table.whole_number(_AT_LEAST))
    return AtLeastSetting(field=field, threshold=table.word(_AT_LEAST_SETTING, Threshold))


def _operators(kind: FieldKind) -> tuple[str, ...]:
    if issubclass(kind, StrEnum):
        return (_IN,)
    return (_IS,) if kind is bool else (_AT_LEAST, _AT_LEAST_SETTING)
