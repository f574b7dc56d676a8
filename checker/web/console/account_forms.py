"""The forms about accounts and keys, as the bodies that an operator would send to the API.

An empty field is absent. A list has one item a line. No box of a service that is ticked means all
services, as in the API.
"""

from datetime import date, datetime
from typing import Any, Final

import msgspec

from checker.api.account_bodies import ChangedAccount, NewAccount
from checker.api.account_keys import KeyRotation, KeyToMake
from checker.decoding import decode
from checker.domain.clock import SHANGHAI, instant_text
from checker.domain.service import ServiceType
from checker.errors import Fault, InvalidRequest
from checker.web.visit import Form

SERVICE_STEM: Final = "service."
_NUMBERS: Final = ("items_per_minute", "items_per_day")
_LISTS: Final = ("networks", "courts")

_encode = msgspec.json.Encoder().encode
_new_account = msgspec.json.Decoder(NewAccount)
_changed_account = msgspec.json.Decoder(ChangedAccount)
_new_key = msgspec.json.Decoder(KeyToMake)
_rotation = msgspec.json.Decoder(KeyRotation)


def new_account_of(form: Form) -> NewAccount:
    """Return the account that a form asks for. Raises InvalidRequest."""
    sent = {name: form[name] for name in ("name", "role", "jurisdiction") if name in form}
    return decode(_new_account, _encode(sent | _scope(form, is_change=False)))


def changed_account_of(form: Form) -> ChangedAccount:
    """Return the changes that a form asks for: its fields replace those of the account.

    Raises InvalidRequest.
    """
    sent: dict[str, Any] = {"jurisdiction": form.get("jurisdiction")}
    if "name" in form:
        sent["name"] = form["name"]
    return decode(_changed_account, _encode(sent | _scope(form, is_change=True)))


def new_key_of(form: Form) -> KeyToMake:
    """Return the key that a form asks for. Raises InvalidRequest."""
    sent = _scope(form, is_change=False) | _expiry(form)
    return decode(_new_key, _encode({**sent, "jurisdiction": form.get("jurisdiction")}))


def rotation_of(form: Form) -> KeyRotation:
    """Return the rotation that a form asks for. Raises InvalidRequest."""
    hours = form.get("overlap_hours", "")
    sent = {"overlap_seconds": _number("overlap_hours", hours) * 3600} if hours else {}
    return decode(_rotation, _encode(sent))


def _scope(form: Form, *, is_change: bool) -> dict[str, Any]:
    found: dict[str, Any] = {name: _number(name, form.get(name, "0")) for name in _NUMBERS}
    services = [each.value for each in ServiceType if f"{SERVICE_STEM}{each}" in form]
    lists: dict[str, list[str]] = {"services": services}
    for name in _LISTS:
        lists[name] = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
    for name, items in lists.items():
        if items:
            found[name] = items
        elif is_change and f"has.{name}" in form:
            found[name] = None
    return found


def _expiry(form: Form) -> dict[str, str]:
    """Return the end of a key: the end of the day in Shanghai that the form names."""
    text = form.get("expires_on")
    if text is None:
        return {}
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _fault("expires_on", "is a day as YYYY-MM-DD") from None
    end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=SHANGHAI)
    return {"expires_at": instant_text(end)}


def _number(name: str, text: str) -> int:
    digits = text.replace(",", "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise _fault(name, "is a whole number")
    return int(digits)


def _fault(name: str, text: str) -> InvalidRequest:
    return InvalidRequest("a field is not as it must be", [Fault(f"/{name}", text)])
