"""Operations of the feed, as objects of its lines."""

from tests.support.registry_grounds import COURT, document, resident_id


def list_(listing):
    return {"op": "list", "listing": listing}


def delist(index, ground="fulfilled", **day):
    return {"op": "delist", "listing_id": f"listing-{index}", "ground": ground, **day}


def shield(index):
    return {"op": "shield", "listing_id": f"listing-{index}"}


def unshield(index):
    return {"op": "unshield", "listing_id": f"listing-{index}"}


def fulfil(index, **day):
    return {"op": "fulfil", "listing_id": f"listing-{index}", **day}


def officers(index, rows):
    return {"op": "officers", "listing_id": f"listing-{index}", "officers": rows}


def retain(index, *measures, until):
    return {
        "op": "retain",
        "listing_id": f"listing-{index}",
        "measures": list(measures),
        "until": until,
        "basis": "法释〔2015〕17号",
    }


def bind(*documents):
    return {"op": "bind", "documents": list(documents)}


def passport(index):
    return document(f"P{10_000_000 + index}", "passport")


def travel_permit(index):
    return document(f"H{10_000_000 + index}", "hk_macao_permit")


def permit(permit_id="permit-1", index=1, **changes):
    granted = {
        "id": permit_id,
        "document": document(resident_id(index)),
        "services": ["air"],
        "valid_from": "2026-11-23",
        "valid_until": "2026-11-30",
        "uses": None,
        "court": COURT,
        "ground": "因病就医",
    }
    return {"op": "permit", "permit": granted | changes}


def withdraw(permit_id="permit-1"):
    return {"op": "withdraw_permit", "permit_id": permit_id}
