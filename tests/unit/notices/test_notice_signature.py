"""Messages are signed as Standard Webhooks says."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from checker.notices.signature import new_secret, signed_headers


def test_the_specifications_own_example_is_signed_as_it_shows():
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        '{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_256_bits_and_no_two_are_alike():
    made = {new_secret() for _ in range(10)}
    assert len(made) == 10
    assert {len(base64.b64decode(each.removeprefix("whsec_"))) for each in made} == {32}


def test_either_secret_verifies_while_one_takes_the_others_place():
    old, new, other = (new_secret() for _ in range(3))
    headers = signed_headers([new, old], "1", datetime.now(UTC), '{"a": 1}')
    for secret in (old, new):
        assert Webhook(secret).verify('{"a": 1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify('{"a": 1}', headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_what_was_changed_on_the_way_does_not_verify(changed):
    secret = new_secret()
    at = datetime.now(UTC)
    headers = signed_headers([secret], "1", at, "{}")
    body = "{ }" if changed == "body" else "{}"
    if changed in headers:
        headers[changed] = str(int(at.timestamp()) + 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_a_message_that_is_replayed_later_does_not_verify():
    secret = new_secret()
    headers = signed_headers([secret], "1", datetime(2026, 1, 1, tzinfo=UTC), "{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify("{}", headers)
