"""What is filed for correction in the registry's tests, and by whom."""

from checker.corrections.correction import Ruling
from checker.corrections.intake import Filing
from tests.support.registry_grounds import (
    check_of,
    decide,
    name_of,
    person_listing,
    publish,
    resident_id,
    settled,
)

COURT, SELLER, OTHER_SELLER = "the court", "a seller", "another seller"
GROUND, CONTACT = "此案已结清", "示例人甲 13800000000"


async def listed_for_correction(node):
    """Put three persons on the list, the third of them hidden, and make accounts."""
    await publish(node, [person_listing(1), person_listing(2), person_listing(3, public=False)])
    async with node.engine.begin() as connection:
        for each in (COURT, SELLER, OTHER_SELLER):
            await connection.exec_driver_sql(
                "INSERT INTO account (id, name, role) VALUES ($1, $1, 'institution')", (each,)
            )
    return await settled(node)


def about(index=None, **more):
    """What is filed about a person's listing, without a key unless it is said whose."""
    fields = {
        "listing_id": None if index is None else f"listing-{index}",
        "decision_id": None,
        "ground": GROUND,
        "contact": CONTACT,
        "account_id": None,
    }
    return Filing(**(fields | more))


async def refused(node, index, account_id=SELLER):
    """Have a person refused; gives the decision's id."""
    check = check_of(resident_id(index), name_of(index))
    decided = await decide(node, check, account_id=account_id)
    assert decided.decisions[0].outcome.value == "deny"
    return decided.ids[0]


async def rule(node, filed, ruling=Ruling.UPHELD, **more):
    return await node.corrections.rule(filed.id, ruling, **({"ruled_by": COURT} | more))
