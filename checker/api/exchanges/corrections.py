"""The addresses of corrections."""

from checker.api.corrections import (
    PAGE_CORRECTIONS,
    PAGE_CORRECTIONS_MAX,
    CorrectionsPage,
    CorrectionStatus,
    CorrectionSummary,
    CorrectionView,
    FileCorrection,
    Received,
    Rule,
)
from checker.api.exchanges.exchange import Exchange, Exchanges

EXCHANGES: Exchanges = {
    ("/v1/corrections", "post"): Exchange(
        summary="Say that somebody is on the list by mistake",
        body=FileCorrection,
        example={
            "listing_id": "707091354",
            "ground": "已于2016年5月履行完毕",
            "contact": "someone@example.com",
        },
        created=Received,
        problems=(400, 401, 403, 404, 413, 429, 503),
        keyless_too=True,
    ),
    ("/v1/corrections", "get"): Exchange(
        summary="The corrections, oldest first; those that are open have the overdue among them",
        answer=CorrectionsPage,
        parameters={
            "status": {"type": "string", "enum": ["open", "overdue", "ruled"]},
            "after": {"type": "integer", "minimum": 0, "default": 0},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": PAGE_CORRECTIONS_MAX,
                "default": PAGE_CORRECTIONS,
            },
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/corrections/{correction_id}", "get"): Exchange(
        summary="How a correction stands; for those who rule, with what was written",
        answer=CorrectionStatus,
        other_answer=CorrectionView,
        problems=(400, 401, 403, 404, 429, 503),
        keyless_too=True,
    ),
    ("/v1/corrections/{correction_id}/ruling", "post"): Exchange(
        summary="Rule on a correction; upheld, its listings end in the same step",
        body=Rule,
        example={"ruling": "upheld", "note": "判决已撤销"},
        answer=CorrectionSummary,
        problems=(400, 401, 403, 404, 409, 413, 503),
    ),
}
