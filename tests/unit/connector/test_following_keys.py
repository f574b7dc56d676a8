"""The key of a step: an upgrade of the service between two tries does not change it."""

from checker.connector.plan import SourcePosition, SourceStepKind, Stamp
from checker.connector.positions import HeldPosition

POSITION = SourcePosition(
    series="s", number=5, file="changes-5.ndjson", sha256="a", stamp=Stamp(etag='"1"')
)


def test_the_key_of_a_step_is_the_one_that_earlier_releases_made():
    held = HeldPosition(None, None, "list")

    key = held.terms(POSITION, SourceStepKind.CHANGES, "ff").key

    assert (
        key.key_digest.hex() == "e5c3bc945ac7a6b113c39c04ae11f4f3526d5ab48566c3c328a1e6b4bb422537"
    )
