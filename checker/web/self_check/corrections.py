"""Corrections by the person: filed on the page, and followed by the number of the correction.

The page files as the API does without a key (`checker.api.corrections`): the same validation,
bounds and days. The same words about the same entry are the same correction while it is open, so a
form that is sent twice files once.

The number is random and cannot be guessed. Everybody who has the number sees the state. So the
number never stands in the address of a page, because logs would keep the address.
"""

from functools import partial
from typing import Final

import msgspec

from checker.api.correction_bodies import FileCorrection
from checker.api.corrections import file_without_key, filing_of, find_without_key
from checker.api.exchange import Reply
from checker.corrections.correction import Correction, GroundCode
from checker.decoding import decode
from checker.domain.text import compact
from checker.errors import InvalidRequest, NotFound, QuotaExceeded, Unavailable
from checker.web.home import list_age
from checker.web.self_check.citations import CITED_IN_FULL
from checker.web.self_check.self_check import SELF_CHECK, refused
from checker.web.shown import day_in_words, shanghai_minute
from checker.web.visit import Form, Visit, page

CORRECTIONS: Final = f"{SELF_CHECK}/corrections"
NEW: Final = f"{CORRECTIONS}/new"
CORRECTION_ID: Final = "correction_id"
ABOUT: Final = ("listing_id", "decision_id")
WRITTEN: Final = ("ground_code", "ground", "contact")

_FILING: Final = msgspec.json.Decoder(FileCorrection)
_encode: Final = msgspec.json.Encoder().encode


@page("GET", CORRECTIONS)
async def show_corrections(visit: Visit) -> Reply:
    """Show the forms: to follow a correction, and to file one about a refusal."""
    return _corrections(visit, None)


@page("POST", CORRECTIONS)
async def follow(visit: Visit) -> Reply:
    """Show the state of the correction of a number."""
    form = await visit.form()
    number = compact(form.get(CORRECTION_ID, "")).lower()
    try:
        found = await find_without_key(visit.runtime, number, visit.address)
    except NotFound:
        return _corrections(visit, None, status=404, is_unknown=True)
    except (QuotaExceeded, Unavailable) as error:
        return refused(visit, error)
    return _corrections(visit, found)


@page("POST", NEW)
async def file_correction(visit: Visit) -> Reply:
    """File a correction about an entry, or about a refusal, and show its number."""
    form = await visit.form()
    # Browsers send a line break as two characters, and count it as one.
    sent = {
        name: form[name].strip().replace("\r\n", "\n")
        for name in (*ABOUT, *WRITTEN)
        if name in form
    }
    try:
        filing = filing_of(decode(_FILING, _encode(sent)), visit.address, None)
        filed = await file_without_key(visit.runtime, filing)
    except InvalidRequest as error:
        faults = tuple(each.pointer.removeprefix("/") for each in error.faults)
        return _again(visit, form, 422, faults)
    except NotFound:
        return _again(visit, form, 404, ("unknown",))
    except (QuotaExceeded, Unavailable) as error:
        status, fault = (429, "too_many") if isinstance(error, QuotaExceeded) else (503, "not_now")
        return _again(visit, form, status, (fault,), retry_after_s=error.retry_after_s)
    return visit.show(
        "self_check/filed.html",
        list=list_age(visit),
        filed=filed,
        courts=_courts(filed),
        day=partial(day_in_words, visit.language),
    )


def _again(
    visit: Visit,
    form: Form,
    status: int,
    faults: tuple[str, ...],
    *,
    retry_after_s: int | None = None,
) -> Reply:
    """Return the form with what the person wrote, so that nothing is written twice."""
    return visit.show(
        "self_check/file_again.html",
        status=status,
        headers={} if retry_after_s is None else {"retry-after": str(retry_after_s)},
        list=list_age(visit),
        filled={name: form.get(name, "") for name in (*ABOUT, *WRITTEN)},
        faults=faults,
        grounds=tuple(GroundCode),
    )


def _corrections(
    visit: Visit, found: Correction | None, *, status: int = 200, is_unknown: bool = False
) -> Reply:
    ruled_at = None if found is None else found.ruled_at
    return visit.show(
        "self_check/corrections.html",
        status=status,
        list=list_age(visit),
        found=found,
        courts=() if found is None else _courts(found),
        day=partial(day_in_words, visit.language),
        cited=CITED_IN_FULL,
        state=None if found is None else found.status(visit.runtime.corrections.today),
        ruled_at=None if ruled_at is None else shanghai_minute(ruled_at),
        is_unknown=is_unknown,
        filled={},
        faults=(),
        grounds=tuple(GroundCode),
    )


def _courts(found: Correction) -> tuple[str, ...]:
    """Return the courts that rule on a correction, each once."""
    return tuple(dict.fromkeys(each.court for each in found.listings))
