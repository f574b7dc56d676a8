"""Laws of alternatives: each one is allowed when it is asked next."""

from functools import partial

from hypothesis import given

from checker.domain.alternatives import ALTERNATIVES_MAX, alternatives_to
from checker.domain.decision import Decision, Outcome
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Service, type_of
from checker.domain.standing import Link, Standing
from tests.property.domain.question_strategies import QUESTIONS, STANDINGS, Question
from tests.support.every_service import LISTING

DEBTOR = Link(role=Role.DEBTOR, listing=LISTING)


@given(question=QUESTIONS, standing=STANDINGS)
def test_an_alternative_is_allowed_when_it_is_asked_next(
    question: Question, standing: Standing
) -> None:
    policy = question.policy

    def asked_next(person: Standing, service: Service) -> Decision:
        return decide(
            person,
            service,
            policy=policy,
            now=question.now,
            to_organization=question.to_organization,
        )

    # Most of the standings that are drawn allow everything, so a debtor is asked about too.
    for person in (standing, Standing(links=(*standing.links, DEBTOR))):
        found = alternatives_to(question.service, policy.settings, partial(asked_next, person))
        assert len(set(found)) == len(found) <= ALTERNATIVES_MAX
        for service in found:
            assert asked_next(person, service).outcome is Outcome.ALLOW
            assert type_of(service) is type_of(question.service)
            assert service != question.service
