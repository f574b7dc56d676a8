"""What operations come to: what is answered now, and what is told of the past."""

from tests.support.registry_grounds import (
    check_of,
    decision_of,
    document_of,
    outcome_of,
    resident_id,
    settled,
    standing_then,
)


async def told(node, *indices):
    """What is answered at once, and again when the node answers from what it holds itself."""
    at_once = [await outcome_of(node, index) for index in indices]
    await settled(node)
    assert [await outcome_of(node, index) for index in indices] == at_once
    return at_once


async def codes(node, index, service=None):
    decision = await decision_of(node, check_of(resident_id(index), service=service))
    return decision.outcome.value, [reason.code.value for reason in decision.reasons]


async def roles_then(node, index, version):
    standing = await standing_then(node, document_of(resident_id(index)), version)
    return [link.role.value for link in standing.links]
