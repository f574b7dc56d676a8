"""The baseline that most engineers would write: FastAPI, a pydantic body, one Redis GET.

It runs under uvicorn with uvloop and httptools. `BASELINE_REDIS_URL` names its Redis.
"""

import os
from typing import Annotated

import redis.asyncio as redis
from fastapi import FastAPI
from pydantic import BaseModel, StringConstraints

from loadtest.baselines.question import baseline_key

REDIS_URL_VARIABLE = "BASELINE_REDIS_URL"

app = FastAPI()
client = redis.from_url(os.environ.get(REDIS_URL_VARIABLE, "redis://127.0.0.1:6379/0"))


class PydanticDocument(BaseModel):
    """A document as sent."""

    type: str
    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PydanticSubject(BaseModel):
    """The person who is asked about."""

    document: PydanticDocument


class PydanticCheck(BaseModel):
    """A check, without the service and the place."""

    subject: PydanticSubject


@app.post("/v1/checks")
async def check(body: PydanticCheck) -> dict[str, str]:
    """Deny each document that has a key in Redis."""
    document = body.subject.document
    is_listed = await client.get(baseline_key(document.type, document.number))
    return {"decision": "deny" if is_listed else "allow"}
