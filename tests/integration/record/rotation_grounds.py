"""A record with a value in every sealed column, and the means to rotate its encryption key."""

from uuid import uuid4

from sqlalchemy import text

from checker.audit.outcomes import Outcomes, Report, ReportedOutcome
from checker.database.token_column import keys_of
from checker.deployment_secrets import Secrets, read_secrets, replace_secrets
from checker.node.runtime import open_runtime
from checker.node.upkeep import publisher_running
from checker.rotation.rotation import Rotation
from tests.integration.record.record_grounds import SEALER, chain
from tests.support.registry_grounds import AT
from tests.support.token_keys import further_keys

TOKEN_KEY = bytes(range(32))
KEYS = {1: bytes(range(32, 64)), 2: bytes([2] * 32), 3: bytes([3] * 32)}
"""Key 1 is that of `record_grounds.SEALER`."""

WAIT_S = 20

_DECISION = (
    "INSERT INTO decision (id, at, account_id, service, jurisdiction, outcome, reasons,"
    " list_version, listings, subject) SELECT CAST(:id AS uuid), at, :account, service,"
    " jurisdiction, outcome, reasons, list_version, listings, :subject FROM decision LIMIT 1"
)
_WEBHOOK = (
    "INSERT INTO webhook (account_id, url, secret, secret_before, started_at)"
    " VALUES (:account, :url, :secret, :before, now())"
)
_QUARANTINE = (
    "INSERT INTO quarantine (feed, format, line, code, detail, raw)"
    " VALUES ('feed', 'listing', 7, 'code', 'detail', :raw)"
)
_FEED_REQUEST = (
    "INSERT INTO feed_request (key_digest, request_digest, lines, is_whole, answer, at)"
    r" VALUES ('\x0a', '\x0b', 1, true, :answer, now())"
)
_RECONCILIATION = (
    "INSERT INTO reconciliation (id, account_id, status, created_at, touched_at, lines, adverse,"
    " rejected) VALUES (gen_random_uuid(), :account, 'done', now(), now(), 1, 1, 0) RETURNING pk"
)
_RESULT = (
    "INSERT INTO reconciliation_result (reconciliation_pk, line, reference, decision)"
    " VALUES (:pk, 3, :words, 'deny')"
)


_CURRENT_TOKEN_KEY = "SELECT max(number) FROM token_key WHERE current_from IS NOT NULL"


async def fill_further(record):
    """Write a value into each sealed column that using the deployment leaves empty."""
    seal = SEALER.vault.seal
    [[account]] = await record.query("SELECT id FROM account LIMIT 1")
    decision_id = str(uuid4())
    async with record.engine.begin() as connection:
        await connection.execute(
            text(_WEBHOOK),
            {
                "account": account,
                "url": seal("https://shop.example", "webhook.url", account),
                "secret": seal("new", "webhook.secret", account),
                "before": seal("old", "webhook.secret", account),
            },
        )
        raw = seal("a line", "quarantine.raw", "feed", "7")
        await connection.execute(text(_QUARANTINE), {"raw": raw})
        answer = seal("{}", "feed_request.answer", "0a")
        await connection.execute(text(_FEED_REQUEST), {"answer": answer})
        made = await connection.execute(text(_RECONCILIATION), {"account": account})
        pk = made.scalar_one()
        words = seal("SALE-1", "reconciliation_result.reference", str(pk), "3")
        await connection.execute(text(_RESULT), {"pk": pk, "words": words})
        subject = seal("[]", "decision.subject", decision_id)
        await connection.execute(
            text(_DECISION), {"id": decision_id, "account": account, "subject": subject}
        )
    report = Report(outcome=ReportedOutcome.REFUSED, note="示例", at=AT)
    await Outcomes(record.engine, SEALER.vault).report(account, decision_id, report)
    await chain(record.engine, record.clock)


def keep_secrets(folder, *numbers):
    """Put the keys of these numbers into the data directory."""
    keys = {each: KEYS[each] for each in numbers}
    secrets = Secrets(token_key=TOKEN_KEY, token_keys=further_keys(), encryption_keys=keys)
    replace_secrets(folder, secrets)


def kept_keys(folder):
    """Return the encryption keys in the data directory by number."""
    return dict(read_secrets(folder, {}).encryption_keys)


def kept_token_keys(folder):
    """Return the token keys in the data directory by number, without the first."""
    return dict(read_secrets(folder, {}).token_keys)


def rotation_of(runtime, folder, *, environ=None, wait_s=WAIT_S, report=lambda _step: None):
    """Return the rotation that a command of this process does."""
    return Rotation(
        engine=runtime.work_engine,
        cache=runtime.cache,
        vault=runtime.sealer.vault,
        token_keys=runtime.token_keys,
        keys=runtime.joining.keys,
        log=runtime.operator_log,
        data_dir=folder,
        environ=environ or {},
        wait_s=wait_s,
        report=report,
    )


class Rotating:
    """Commands of an operator, and a record that learns the keys that they make."""

    def __init__(self, record, config):
        self.record = record
        self.config = config

    async def rotate(self, **options):
        return await self._run("rotate", options)

    async def finish(self, **options):
        return await self._run("finish", options)

    async def _run(self, what, options):
        folder = self.config.data_dir
        try:
            # The publisher builds the cache with the new token key, which the end waits for.
            async with open_runtime(self.config, {}) as runtime, publisher_running(runtime):
                return await getattr(rotation_of(runtime, folder, **options), what)()
        finally:
            keys = keys_of(self.record.engine)
            keys.learn(kept_token_keys(folder))
            [[current]] = await self.record.query(_CURRENT_TOKEN_KEY)
            keys.use(current)
