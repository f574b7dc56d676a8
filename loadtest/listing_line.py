"""Writes a listing as the contract's own line (section 5, "A listing").

An officer known by name alone has no place in this form and is left out; such an officer reaches
nobody in any form.
"""

from typing import Any

import msgspec

from loadtest.circles import Appearance, Listing
from loadtest.holders import Organization

_encoder = msgspec.json.Encoder()


def listing_line(listing: Listing) -> bytes:
    """Write one listing as one line of NDJSON, with its line feed."""
    case = listing.case
    return (
        _encoder.encode(
            {
                "id": listing.id,
                "case_number": case.number,
                "court": case.court.name,
                "filed_on": case.filed_on,
                "published_on": case.published_on,
                "expires_on": case.expires_on,
                "public": listing.is_public,
                "party": {"type": _party_type(listing.party), **_shown(listing.party)},
                "officers": [
                    {"role": officer.role, **_shown(officer)}
                    for officer in listing.officers
                    if officer.documents
                ],
            }
        )
        + b"\n"
    )


def _party_type(party: Appearance) -> str:
    return "organization" if isinstance(party.holder, Organization) else "person"


def _shown(appearance: Appearance) -> dict[str, Any]:
    return {"name": appearance.holder.name, "documents": appearance.documents}
