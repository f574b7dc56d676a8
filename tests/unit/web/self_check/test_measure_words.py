"""Measures in words: every clause of every policy has words, and figures are those of the place."""

import re

import pytest

from checker.domain.clock import CapPeriod
from checker.domain.jurisdiction import NATION
from checker.domain.measure import Effect
from checker.domain.settings import Settings
from checker.policy.loader import builtin_policies, load_policies
from checker.web.language import Language, PageWords
from checker.web.self_check.law import law_documents
from checker.web.self_check.measure_words import cap_text, clause_text, measure_text

POLICIES = load_policies(builtin_policies(), {})
SET = Settings(
    high_school_fee_fen=6_000_000,
    high_premium_fen=1_000_000,
    resort_cap_fen=200_000,
    resort_cap_period=CapPeriod.MONTH,
)


def lines_of(measure_id: str, language: Language, settings: Settings) -> list[str]:
    [measure] = [each for each in POLICIES.measures if each.id == measure_id]
    words = PageWords(language)
    return [clause_text(words, clause, settings) for clause in measure.clauses]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("settings", [Settings(), SET], ids=["unset", "set"])
def test_every_clause_of_every_policy_has_words(language: Language, settings: Settings) -> None:
    words = PageWords(language)
    for measure in POLICIES.measures:
        text = measure_text(words, measure, measure.clauses, settings)
        assert len({line.text for line in text.lines}) == len(measure.clauses), measure.id
        assert not [line.text for line in text.lines if re.search(r"[_{}]|: $|：$", line.text)]


def test_trains_are_told_apart_by_their_letter() -> None:
    lines = lines_of("cn-2016-64/2.7.1", Language.ZH, SET)
    assert "铁路：G 字头列车 · 全部席别" in lines
    assert "铁路：D 字头、C 字头、S 字头列车 · 商务座、特等座、优选一等座、一等座" in lines
    assert "Train: G trains · every seat" in lines_of("cn-2016-64/2.7.1", Language.EN, SET)


def test_a_figure_is_that_of_the_place_and_never_made_up() -> None:
    assert lines_of("cn-2016-64/2.7.4", Language.EN, SET) == [
        "Private school: a fee for a year of ¥60,000.00 or more"
    ]
    [unset] = lines_of("cn-2016-64/2.7.4", Language.EN, Settings())
    assert "no figure is set" in unset
    assert not re.search("[0-9]", unset)


def test_a_cap_is_shown_with_its_period() -> None:
    for period in CapPeriod:
        settings = Settings(resort_cap_fen=200_000, resort_cap_period=period)
        assert "¥2,000.00" in cap_text(PageWords(Language.EN), settings)
    assert "no figure is set" in cap_text(PageWords(Language.EN), Settings())


@pytest.mark.parametrize("language", Language)
def test_the_page_of_the_law_has_every_measure_once(language: Language) -> None:
    documents = law_documents(PageWords(language), POLICIES)
    shown = {text.id for each in documents for text in (*each.consumption, *each.matters)}
    assert shown == POLICIES.measure_ids
    assert documents[0].jurisdiction == NATION
    assert all(each.are_matters_of_debtor for each in documents)


def test_every_effect_has_a_word() -> None:
    for language in Language:
        assert all(PageWords(language)(f"law.effect.{effect}") for effect in Effect)
