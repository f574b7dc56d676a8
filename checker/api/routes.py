"""All handlers that Litestar routes to; their addresses stand with them."""

from typing import Final

from litestar.types import ControllerRouterHandler

from checker.api.account_keys import (
    create_account_key,
    list_account_keys,
    revoke_account_key,
    rotate_account_key,
)
from checker.api.accounts import (
    change_account,
    clear_flag,
    create_account,
    list_accounts,
    show_account,
)
from checker.api.checks import create_batch, create_check
from checker.api.corrections import (
    file_correction,
    list_corrections,
    rule_on_correction,
    show_correction,
)
from checker.api.decisions import (
    explain_decision,
    export_decisions,
    report_outcome,
    show_report,
)
from checker.api.feed import post_changes, put_snapshot
from checker.api.health import explain_problem, healthz, readyz
from checker.api.list import show_list
from checker.api.measures import list_measures
from checker.api.metrics_page import show_metrics
from checker.api.notices import list_notices
from checker.api.openapi import assets_router, show_document, show_page
from checker.api.quarantine import list_quarantine, retry_quarantined, show_quarantined
from checker.api.receipts import list_receipt_keys
from checker.api.reconciliations import (
    create_reconciliation,
    list_reconciliations,
    show_reconciliation,
    stream_results,
)
from checker.api.spending import (
    authorize_spending,
    capture_authorization,
    increment_authorization,
    refund_authorization,
    show_authorization,
    void_authorization,
)
from checker.api.webhooks import (
    list_webhooks,
    put_webhook,
    remove_webhook,
    retry_webhook,
    show_webhook,
)

ROUTES: Final[list[ControllerRouterHandler]] = [
    create_check,
    create_batch,
    report_outcome,
    export_decisions,
    explain_decision,
    show_report,
    file_correction,
    list_corrections,
    show_correction,
    rule_on_correction,
    create_reconciliation,
    list_reconciliations,
    show_reconciliation,
    stream_results,
    authorize_spending,
    increment_authorization,
    capture_authorization,
    void_authorization,
    refund_authorization,
    show_authorization,
    put_snapshot,
    post_changes,
    list_quarantine,
    retry_quarantined,
    show_quarantined,
    list_notices,
    put_webhook,
    show_webhook,
    remove_webhook,
    retry_webhook,
    list_webhooks,
    list_measures,
    show_list,
    create_account,
    list_accounts,
    show_account,
    change_account,
    clear_flag,
    create_account_key,
    list_account_keys,
    rotate_account_key,
    revoke_account_key,
    list_receipt_keys,
    healthz,
    readyz,
    show_metrics,
    explain_problem,
    show_document,
    show_page,
    assets_router(),
]
