"""Measures in plain words, made from the policy data itself, so that the words never go stale.

Each clause of a measure is one line: the service, its conditions, and the effect. A figure stands
in the line as the place has set it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec

from checker.domain.measure import (
    AtLeast,
    AtLeastSetting,
    Clause,
    Condition,
    Effect,
    Is,
    Measure,
    OneOf,
)
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.service_terms import TrainClass
from checker.domain.settings import Settings
from checker.web.language import PageWords, all_words
from checker.web.shown import yuan

_TRAIN_CLASS: Final = "train_class"
_LABELLED: Final = frozenset({"national_grade"})
"""Fields whose values say nothing without the name of the field."""


class MeasureLine(msgspec.Struct, frozen=True, kw_only=True):
    """One clause in words. `effect` is a word of `Effect`; `for_all`: it binds all five roles."""

    text: str
    effect: Effect
    for_all: bool


class MeasureText(msgspec.Struct, frozen=True, kw_only=True):
    """One measure in words: its section, its title, and a line for each clause."""

    id: str
    section: str
    title: str
    lines: tuple[MeasureLine, ...]


def measure_text(
    words: PageWords, measure: Measure, clauses: Sequence[Clause], settings: Settings
) -> MeasureText:
    """Return a measure in words, with a line for each of `clauses`."""
    return MeasureText(
        id=measure.id,
        section=measure.section,
        title=words.of(measure.title),
        lines=tuple(
            MeasureLine(
                text=clause_text(words, clause, settings),
                effect=clause.effect,
                for_all=clause.roles >= frozenset(Role),
            )
            for clause in clauses
        ),
    )


def cited(words: PageWords, measure: Measure) -> str:
    """Return the document of a measure as it is cited: its number, or its title without one."""
    return measure.source.number or words.of(measure.source.title)


def clause_text(words: PageWords, clause: Clause, settings: Settings) -> str:
    """Return the service of a clause with all its conditions."""
    parts = [text for each in clause.conditions if (text := _condition_text(words, each, settings))]
    if [each.field for each in clause.conditions] == [_TRAIN_CLASS]:
        parts.append(words("law.every_seat"))
    if clause.effect is Effect.CAP:
        parts.append(cap_text(words, settings))
    named = words(f"service.{clause.service}")
    if clause.service is ServiceType.MATTER:
        return " · ".join(parts)
    return words("law.line", service=named, conditions=" · ".join(parts) or words("law.every"))


def _condition_text(words: PageWords, condition: Condition, settings: Settings) -> str:
    field = condition.field
    match condition:
        case OneOf(values=values) if field == _TRAIN_CLASS:
            named = _joined(words, (_train(words, each) for each in TrainClass if each in values))
            return words("law.trains", classes=named)
        case OneOf(values=values):
            stem = {"berth": "seat", "ship_class": "class"}.get(field, field)
            named = _joined(words, (words.value(stem, each) for each in _in_order(stem, values)))
            if field in _LABELLED:
                return words("law.labelled", field=words(f"field.{field}"), values=named)
            return named
        case AtLeast(least=least):
            return words("law.at_least." + field, least=least)
        case AtLeastSetting(threshold=threshold):
            figure = settings.threshold(threshold)
            label = words("law.figure." + field)
            if figure is None:
                return words("law.figure_unset", field=label)
            return words("law.figure_set", field=label, amount=yuan(figure))
        case Is(value=value):
            label = words(f"field.{field}")
            return label if value else words("desk.without", field=label)
        case _:
            assert_never(condition)


def cap_text(words: PageWords, settings: Settings) -> str:
    """Return the cap on spending at resorts, as the place has set it."""
    cap = settings.resort_cap
    if cap is None:
        return words("law.cap_unset")
    return words("law.cap_per." + cap.period, amount=yuan(cap.limit_fen))


def _train(words: PageWords, train_class: TrainClass) -> str:
    if train_class is TrainClass.ORDINARY:
        return words("law.ordinary_trains")
    return words("law.train", letter=train_class)


def _joined(words: PageWords, texts: Iterable[str]) -> str:
    return words("law.comma").join(texts)


def _in_order(field: str, values: frozenset[str]) -> list[str]:
    """Return values in the order in which the words name them, which is that of the domain."""
    stem = f"value.{field}."
    known = [key.removeprefix(stem) for key in all_words() if key.startswith(stem)]
    return sorted(values, key=known.index)
