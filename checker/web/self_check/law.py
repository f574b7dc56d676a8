"""The page of the law in plain words, made from the policies in force.

The words are our own. Documents are cited by number and section.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from checker.api.exchange import Reply
from checker.audit.wording import ROLES
from checker.domain.decision import APPLY_DAYS, REVIEW_DAYS
from checker.domain.jurisdiction import NATION, Jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import Measure
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.settings import Settings
from checker.domain.standing import REMOVAL_DAYS
from checker.policy.book import PolicyBook
from checker.web.home import list_age
from checker.web.language import PageWords
from checker.web.self_check.citations import CITED
from checker.web.self_check.measure_words import MeasureText, cap_text, cited, measure_text
from checker.web.visit import Visit, page

LAW: Final = "/law"


class LawDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One legal document: title, place, the kinds of listings that it binds, measures."""

    title: str
    cited: str
    jurisdiction: Jurisdiction
    kinds: tuple[ListingKind, ...]
    consumption: tuple[MeasureText, ...]
    matters: tuple[MeasureText, ...]

    @property
    def are_matters_of_debtor(self) -> bool:
        """Whether no measure on matters binds all five roles."""
        return not any(line.for_all for text in self.matters for line in text.lines)


@page("GET", LAW)
async def show_law(visit: Visit) -> Reply:
    """Show the law."""
    policies = visit.runtime.policies
    settings: Settings = policies.effective(NATION).settings
    return visit.show(
        "self_check/law.html",
        list=list_age(visit),
        documents=law_documents(visit.words, policies),
        roles=tuple(Role),
        cap_words=cap_text(visit.words, settings),
        role_words=ROLES,
        cited=CITED,
        apply_days=APPLY_DAYS,
        review_days=REVIEW_DAYS,
        removal_days=REMOVAL_DAYS,
    )


def law_documents(words: PageWords, policies: PolicyBook) -> tuple[LawDocument, ...]:
    """Return the documents of all measures in force, the widest place first."""
    by_document: dict[str, list[Measure]] = {}
    for measure in policies.measures:
        by_document.setdefault(measure.id.partition("/")[0], []).append(measure)
    return tuple(_document(words, policies, group) for group in by_document.values())


def _document(words: PageWords, policies: PolicyBook, measures: Sequence[Measure]) -> LawDocument:
    first = measures[0]
    settings = policies.effective(first.jurisdiction).settings
    kinds = frozenset[ListingKind]().union(*(each.listing_kinds for each in measures))

    def texts(*, are_matters: bool) -> tuple[MeasureText, ...]:
        parts = (
            (
                each,
                [
                    clause
                    for clause in each.clauses
                    if (clause.service is ServiceType.MATTER) is are_matters
                ],
            )
            for each in measures
        )
        return tuple(
            measure_text(words, each, clauses, settings) for each, clauses in parts if clauses
        )

    return LawDocument(
        title=words.of(first.source.title),
        cited=cited(words, first),
        jurisdiction=first.jurisdiction,
        kinds=tuple(kind for kind in ListingKind if kind in kinds),
        consumption=texts(are_matters=False),
        matters=texts(are_matters=True),
    )
