"""The addresses of accounts and their keys."""

from checker.accounts.views import AccountView, KeyView, MadeKey
from checker.api.account_keys import KeyRotation, KeysPage, KeyToMake
from checker.api.accounts import (
    PAGE_SIZE,
    PAGE_SIZE_MAX,
    AccountsPage,
    ChangedAccount,
    NewAccount,
)
from checker.api.exchanges.exchange import Exchange, Exchanges

_ACCOUNT = "/v1/accounts/{account_id}"
_KEY = "/v1/accounts/{account_id}/keys/{key_id}"
_PAGE = {
    "after": {"type": "integer", "minimum": 0, "default": 0},
    "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX, "default": PAGE_SIZE},
}

EXCHANGES: Exchanges = {
    ("/v1/accounts", "post"): Exchange(
        summary="Make an account",
        body=NewAccount,
        example={
            "name": "湛江某酒店",
            "role": "institution",
            "services": ["lodging", "venue"],
            "jurisdiction": "4408",
            "items_per_minute": 600,
            "items_per_day": 100_000,
        },
        created=AccountView,
        problems=(400, 401, 403, 409, 413, 503),
    ),
    ("/v1/accounts", "get"): Exchange(
        summary="All accounts, oldest first",
        answer=AccountsPage,
        parameters={**_PAGE, "flagged": {"type": "boolean", "default": False}},
        problems=(400, 401, 403, 503),
    ),
    (_ACCOUNT, "get"): Exchange(
        summary="One account", answer=AccountView, problems=(400, 401, 403, 404, 503)
    ),
    (_ACCOUNT, "patch"): Exchange(
        summary="Change an account's name, scope or quotas, or disable it",
        body=ChangedAccount,
        example={"items_per_day": 200_000},
        answer=AccountView,
        problems=(400, 401, 403, 404, 409, 413, 503),
    ),
    (f"{_ACCOUNT}/clear_flag", "post"): Exchange(
        summary="Let an account that was flagged go on at its usual pace",
        answer=AccountView,
        problems=(400, 401, 403, 404, 503),
    ),
    (f"{_ACCOUNT}/keys", "post"): Exchange(
        summary="Make a key for an account, shown this once",
        body=KeyToMake,
        needs_body=False,
        example={"services": ["lodging"], "expires_at": "2027-12-31T16:00:00.000Z"},
        created=MadeKey,
        problems=(400, 401, 403, 404, 409, 413, 503),
    ),
    (f"{_ACCOUNT}/keys", "get"): Exchange(
        summary="An account's keys, oldest first; never a key itself",
        answer=KeysPage,
        parameters=_PAGE,
        problems=(400, 401, 403, 404, 503),
    ),
    (f"{_KEY}/rotate", "post"): Exchange(
        summary="Make a successor of a key; the old one ends after the overlap",
        body=KeyRotation,
        needs_body=False,
        example={"overlap_seconds": 86_400},
        created=MadeKey,
        problems=(400, 401, 403, 404, 409, 413, 503),
    ),
    (_KEY, "delete"): Exchange(
        summary="Revoke a key, on every node within a second",
        answer=KeyView,
        problems=(400, 401, 403, 404, 409, 503),
    ),
}
