"""The baseline, as most engineers write it: one handler, a pydantic body, one Redis GET.

Deliberately without keys, roles, rules and proof of absence, so it does less than the service it
is measured against. Run by uvicorn with uvloop and httptools, one worker; `BASELINE_REDIS_URL`
names its Redis.
"""

import os
from typing import Annotated

import redis.asyncio as redis
from fastapi import FastAPI
from pydantic import BaseModel, StringConstraints

REDIS_URL_VARIABLE = "BASELINE_REDIS_URL"

app = FastAPI()
client = redis.from_url(os.environ.get(REDIS_URL_VARIABLE, "redis://127.0.0.1:6379/0"))


class BaselineCheck(BaseModel):
    """A document as sent."""

    type: str
    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]


@app.post("/checks")
async def check(body: BaselineCheck) -> dict[str, str]:
    """Deny each document that has a key in Redis."""
    is_listed = await client.get(baseline_key(body.type, body.number))
    return {"decision": "deny" if is_listed else "allow"}


def baseline_key(document_type: str, number: str) -> str:
    """Return the Redis key of a document."""
    return f"{document_type}:{number}"
