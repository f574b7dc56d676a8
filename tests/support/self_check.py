"""The self-check over HTTP: forms are sent as a browser sends them, with the token of a visit."""

import re

import httpx

SELF_CHECK = "/self-check"
CORRECTIONS = f"{SELF_CHECK}/corrections"
NEW = f"{CORRECTIONS}/new"


def send_form(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form of the self-check. The client keeps the cookie of its first visit."""
    page = client.get(SELF_CHECK).text
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None
    return client.post(path, data={"form_token": found[1], **fields})


def look_up(
    client: httpx.Client, name: str, number: str, kind: str = "resident_id", lang: str = "zh"
) -> httpx.Response:
    """Look somebody up."""
    return send_form(
        client,
        f"{SELF_CHECK}?lang={lang}",
        name=name,
        document_type=kind,
        document_number=number,
    )


def listed(page: httpx.Response) -> str | None:
    """Return the word of `data-listed`; None: the page has no result."""
    found = re.search(r'data-listed="(\w+)"', page.text)
    return None if found is None else found[1]
