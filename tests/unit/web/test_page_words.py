"""Every word that a page may need is there, in both languages, and none is there for nothing."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import checker.web
from checker.accounts.keys import AccountRole
from checker.audit.outcomes import ReportedOutcome
from checker.audit.wording import CODES, ROLES
from checker.corrections.correction import CorrectionState, GroundCode, Ruling
from checker.domain.decision import Outcome, ReasonCode
from checker.domain.document import DocumentType
from checker.domain.errors import InvalidReason
from checker.domain.fishing import FishingGround
from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.notices.webhooks import WebhookState
from checker.operators.action import ActionOutcome, Door, OperatorAction
from checker.registry.entry import PartyType, RejectCode
from checker.registry.listing_search import FoundState
from checker.registry.versions import ChangeKind
from checker.sheets.header_words import SERVICE_FIELDS, SheetField
from checker.spending.authorization import AuthorizationStatus
from checker.web.console.alerts import AlertKind
from checker.web.console.room import ROOMS
from checker.web.desk.orders import DeskOrder
from checker.web.desk.reader_line import ReaderFault
from checker.web.desk.service_forms import FieldKind, fields_of
from checker.web.desk.verdict import INVALID, UNAVAILABLE
from checker.web.language import Language, MissingWord, PageWords, all_words, language_of
from checker.web.manifests.jobs import FAULTS
from checker.web.manifests.pages import SAYINGS
from checker.web.manifests.runs import DECISIONS as DECISIONS_OF_ROWS

WEB = Path(checker.web.__file__).parent
DECISIONS = [*Outcome, INVALID, UNAVAILABLE]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def needed() -> set[str]:
    """Return the keys that are built from closed sets."""
    choices = {
        f"value.{field.name}.{choice}"
        for service in ServiceType
        for field in fields_of(service)
        if field.kind is FieldKind.CHOICE
        for choice in field.choices
        if not choice.isdigit()
    }
    return (
        choices
        | {f"service.{service}" for service in ServiceType}
        | {f"document.{kind}" for kind in DocumentType}
        | {f"field.{field.name}" for service in ServiceType for field in fields_of(service)}
        | {f"headline.{decision}" for decision in DECISIONS}
        | {f"headline.{d}.{s}" for d in Outcome for s in ServiceType} & set(all_words())
        | {f"say.{decision}" for decision in DECISIONS}
        | {f"fault.{reason}" for reason in [*InvalidReason, *ReaderFault]}
        | {f"outcome.{outcome}" for outcome in ReportedOutcome}
        | {f"order.{order}" for order in DeskOrder}
        | {f"held.{status}" for status in AuthorizationStatus}
        | {"instead.star_rating.0"}
        | {f"sheet_fault.{fault}" for fault in FAULTS}
        | {f"sheet_column.{field}" for field in SheetField}
        | {f"sheet_column.{column.field}" for column in SERVICE_FIELDS.values()}
        | {f"manifest_decision.{each}" for each in DECISIONS_OF_ROWS}
        | {f"manifest_marked.{each}" for each in DECISIONS_OF_ROWS if each != Outcome.ALLOW}
        | {f"manifest_said.{each}" for each in SAYINGS}
        | console_words()
    )


def console_words() -> set[str]:
    """Return the keys of the console that are built from closed sets."""
    sets: dict[str, Iterable[str]] = {
        "action": OperatorAction,
        "result": ActionOutcome,
        "door": Door,
        "alert": AlertKind,
        "do": AlertKind,
        "role": AccountRole,
        "reject": RejectCode,
        "change": ChangeKind,
        "correction": CorrectionState,
        "ruling": Ruling,
        "ground": GroundCode,
        "webhook": WebhookState,
        "kind": ListingKind,
        "party": PartyType,
        "flag": FishingGround,
        "outcome": Outcome,
        "listing": FoundState,
        "room": [name for name, _ in ROOMS],
    }
    return {f"console.{stem}.{word}" for stem, words in sets.items() for word in words}


def named_in_files() -> set[str]:
    """Return the keys that templates and modules name in full, and the stems that they begin."""
    texts = [
        path.read_text(encoding="utf-8") for path in [*WEB.rglob("*.py"), *WEB.rglob("*.html")]
    ]
    return {key for text in texts for key in re.findall(r'"([a-z_]+\.[a-z_.-]*)"', text)}


def test_every_value_of_a_closed_set_has_its_word() -> None:
    assert sorted(needed() - set(all_words())) == []
    assert set(CODES) == set(ReasonCode)
    assert set(ROLES) == set(Role)


def test_every_word_that_a_page_names_is_there() -> None:
    stems = {key for key in named_in_files() if key.endswith(".")}
    keys = {key for key in named_in_files() if not key.endswith((".", ".html", ".js", ".css"))}
    known = set(all_words())
    missing = [key for key in keys if key not in known and key.partition(".")[0] in top_levels()]
    assert missing == []
    assert [stem for stem in stems if not any(key.startswith(stem) for key in known)] == []


def test_no_word_is_there_for_nothing() -> None:
    named = named_in_files()
    stems = tuple(key for key in named if key.endswith("."))
    doors = {f"home.{door}{end}" for door in DOORS for end in ("", "_text")}
    unused = set(all_words()) - needed() - named - doors
    assert sorted(key for key in unused if not key.startswith(stems)) == []


DOORS = ("clerk", "operator", "public", "programmer")


def top_levels() -> set[str]:
    return {key.partition(".")[0] for key in all_words()}


def test_chinese_is_chinese_and_english_is_not() -> None:
    for key, title in all_words().items():
        if key == "site.other_language":
            continue
        assert title.zh, key
        assert title.en, key
        assert not CHINESE.search(title.en), key


@pytest.mark.parametrize("language", Language)
def test_both_languages_take_the_same_values(language: Language) -> None:
    words = PageWords(language)
    for key, title in all_words().items():
        asked = set(re.findall(r"\{(\w+)\}", title.zh)) | set(re.findall(r"\{(\w+)\}", title.en))
        shown = words(key, **dict.fromkeys(asked, "X"))
        assert "{" not in shown, key


def test_a_word_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MissingWord):
        PageWords(Language.ZH)("no.such")


def test_the_language_that_is_asked_for_comes_before_the_kept_one_and_chinese_is_the_rest() -> None:
    assert language_of("en", "zh") is Language.EN
    assert language_of(None, "en") is Language.EN
    assert language_of("fr", "de") is Language.ZH
