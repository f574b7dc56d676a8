"""`GET /v1/measures`: every measure in force, with its section, place, services and roles."""

from typing import Final

import msgspec

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply
from checker.api.operation import NOT_MODIFIED, Success, Tag
from checker.api.pages import tagged_reply
from checker.domain.measure import MeasureDescription

LIST: Final = Tag(name="list", description="The list of judgment defaulters, and the measures.")


class MeasuresInForce(msgspec.Struct, frozen=True, kw_only=True):
    """All measures in force, national ones first, in the order of their documents."""

    measures: tuple[MeasureDescription, ...]


@endpoint(
    "GET",
    "/v1/measures",
    may=(Action.SEE_MEASURES,),
    tag=LIST,
    answers=(
        Success(
            kinds=(MeasuresInForce,),
            example={
                "measures": [
                    {
                        "id": "cn-2016-64/2.7.1",
                        "jurisdiction": "CN",
                        "source": {
                            "title": {"zh": "关于加快推进失信被执行人信用监督", "en": "Opinions"},
                            "number": "中办发〔2016〕64号",
                        },
                        "section": "二（七）1",
                        "title": {"zh": "乘坐火车、飞机限制", "en": "Trains and flights"},
                        "services": ["rail", "air"],
                        "roles": ["debtor", "legal_representative"],
                        "authorities": ["中国铁路总公司"],
                        "listing_kinds": ["dishonest"],
                    }
                ]
            },
            headers={"ETag": "The tag of the measures, for `If-None-Match`"},
        ),
        NOT_MODIFIED,
    ),
)
async def list_measures(call: Call) -> Reply:
    """List all measures in force, with their sources.

    A measure is one section of one legal document: the services it restricts, where, and for whom.
    """
    book = call.runtime.policies
    measures = MeasuresInForce(measures=tuple(one.describe() for one in book.measures))
    wanted = call.request.headers.get("if-none-match")
    return tagged_reply(measures, wanted, "private, no-cache")
