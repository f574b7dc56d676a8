"""The settings of a process, from its arguments, its environment and its config file.

The config file is TOML (contract, section 9):

    [jurisdiction.<code>]   the settings of a place
    [list]                  when an answer calls its list stale; when a snapshot is refused
    [decisions], [receipts] how long decisions are kept; how long receipts verify
    [retention]             how long listings, permits, corrections and rejected lines are kept
    [fishing]               the limits from which an account seems to fish
    [log]                   the format of log lines
    [notices]               the addresses to which notices may be sent
    [redis], [postgresql]   the prefix of all keys on Redis; how long a sale waits for each store
    [policy]                the measures that bind entries of the list, and the courts' days

An unknown table or key stops the start, so a misspelt setting cannot silently mean "unset".
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final

import msgspec

from cache.errors import CacheMisconfigured
from cache.keys import DEFAULT_NAMESPACE, is_namespace
from cache.redis_url import redis_target
from checker.domain.deadlines import DueBasis
from checker.domain.fishing import FishingSettings
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.retention import DecisionSettings, RetentionSettings
from checker.domain.settings import Settings
from checker.errors import ConfigurationError
from checker.logs import LogFormat
from checker.policy.errors import PolicyError
from checker.policy.settings import load_settings

DATA_DIR_VARIABLE = "CHECKER_DATA_DIR"
CONFIG_VARIABLE = "CHECKER_CONFIG"
DATABASE_VARIABLE = "DATABASE_URL"
POOLER_VARIABLE = "DATABASE_POOLER_URL"
REDIS_VARIABLE = "REDIS_URL"
REDIS_PREFIX_VARIABLE = "CHECKER_REDIS_PREFIX"
LOG_FORMAT_VARIABLE = "CHECKER_LOG_FORMAT"
METRICS_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
DATA_DIR = Path("checker-data")
CONFIG_FILE = "config.toml"

CONFIG_BYTES_MAX: Final = 1 << 20
"""Room for the settings of every county; a device that never ends is refused."""

_HOUR_MS, _LONGEST_YEAR_DAYS = 3_600_000, 366


class ListSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the list: it is stale after `stale_after_hours` without a feed.

    A snapshot of which a larger share than `rejected_share_max` was rejected is refused.
    """

    stale_after_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 366)] = 48
    rejected_share_max: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1

    @property
    def stale_after_ms(self) -> int:
        """The same in milliseconds."""
        return self.stale_after_hours * _HOUR_MS


class ReceiptSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of receipts: `issuer` names this deployment in a receipt (`iss`).

    The key of a receipt is published for `keys_published_years` after it has ceased to sign. For
    that time anybody can verify the receipt. Twenty years bound every claim (民法典, section 188).
    """

    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "checker"
    keys_published_years: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20

    @property
    def keys_published_for(self) -> timedelta:
        """The same as a time, never shorter than so many years."""
        return timedelta(days=_LONGEST_YEAR_DAYS * self.keys_published_years)


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the log. `format` None: the command's own format."""

    format: LogFormat | None = None


class NoticeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Addresses for notices besides https to public ones: for intranets, and for tests."""

    allow_http: bool = False
    allow_private_addresses: bool = False


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All keys begin with `prefix`. `timeout_ms` bounds a question for which a sale waits."""

    prefix: str = DEFAULT_NAMESPACE
    timeout_ms: Annotated[int, msgspec.Meta(ge=5, le=5_000)] = 50

    def __post_init__(self) -> None:
        if not is_namespace(self.prefix):
            raise ValueError("1 to 64 of A-Z a-z 0-9 _ . -")


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of PostgreSQL. `timeout_ms` bounds each statement of a check."""

    timeout_ms: Annotated[int, msgspec.Meta(ge=50, le=10_000)] = 500


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of HTTP. The times and `connections_max` hold for each worker.

    A head must arrive within `header_timeout_s`, a body within `body_timeout_s`; a feed, a batch or
    a file only has to make progress. A connection is closed after `idle_timeout_s` without a
    request. `trusted_proxies` are the networks of proxies whose `Forwarded` or `X-Forwarded-For`
    names the caller.
    """

    header_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0
    body_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 15.0
    idle_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 30.0
    connections_max: Annotated[int, msgspec.Meta(ge=16, le=60_000)] = 8192
    trusted_proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for network in self.trusted_proxies:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("trusted_proxies holds a text that is no network (CIDR)") from None


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the law, for all places.

    `spc_rule_binds_dishonest`: the rule on consumption (法释〔2015〕17号) also binds entries of the
    list of the dishonest; otherwise it binds orders alone. `removal_basis`: how the courts' days
    are counted.
    """

    spc_rule_binds_dishonest: bool = False
    removal_basis: DueBasis = DueBasis.CALENDAR_ROLL


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    list: ListSettings = ListSettings()
    decisions: DecisionSettings = DecisionSettings()
    retention: RetentionSettings = RetentionSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    fishing: FishingSettings = FishingSettings()
    log: LogSettings = LogSettings()
    notices: NoticeSettings = NoticeSettings()
    redis: RedisSettings = RedisSettings()
    postgresql: PostgresSettings = PostgresSettings()
    server: ServerSettings = ServerSettings()
    policy: PolicySettings = PolicySettings()
    jurisdiction: object = None  # read by checker.policy.settings, which knows lines


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a start. A URL that is None means the embedded server.

    `config_file` is the file of the settings; None: there was no file. `may_begin`: where the
    stores hold no deployment, this process may begin one. `pooler_url`: for short transactions.
    """

    data_dir: Path
    database_url: str | None
    redis_url: str | None
    config_file: Path | None
    jurisdictions: Mapping[Jurisdiction, Settings]
    list: ListSettings = ListSettings()
    decisions: DecisionSettings = DecisionSettings()
    retention: RetentionSettings = RetentionSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    fishing: FishingSettings = FishingSettings()
    log: LogSettings = LogSettings()
    notices: NoticeSettings = NoticeSettings()
    redis: RedisSettings = RedisSettings()
    postgresql: PostgresSettings = PostgresSettings()
    server: ServerSettings = ServerSettings()
    policy: PolicySettings = PolicySettings()
    pooler_url: str | None = None
    may_begin: bool = True


def load_config(
    environ: Mapping[str, str], *, data_dir: Path | None = None, config_file: Path | None = None
) -> Config:
    """Return the configuration: arguments before the environment, the environment before the file.

    Where no config file is named, `config.toml` in the data directory is read if it is there.

    Raises:
        ConfigurationError: a file cannot be read or is not valid; names file and line. Or a
            variable is not valid; names the variable and never its value.
    """
    if data_dir is None:
        data_dir = Path(environ.get(DATA_DIR_VARIABLE) or DATA_DIR)
    if config_file is None and environ.get(CONFIG_VARIABLE):
        config_file = Path(environ[CONFIG_VARIABLE])
    if config_file is None and _exists(data_dir / CONFIG_FILE):
        config_file = data_dir / CONFIG_FILE
    text = "" if config_file is None else _text(config_file)
    file = str(config_file)
    try:
        read = msgspec.convert(tomllib.loads(text), _File)
        jurisdictions = load_settings(text, file=file)
    except PolicyError as error:
        raise ConfigurationError(str(error)) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    except RecursionError:
        raise ConfigurationError(f"{file}: the settings are nested too deeply") from None
    return Config(
        data_dir=data_dir.absolute(),
        database_url=environ.get(DATABASE_VARIABLE) or None,
        redis_url=_redis_url(environ),
        config_file=config_file,
        jurisdictions=jurisdictions,
        list=read.list,
        decisions=read.decisions,
        retention=read.retention,
        receipts=read.receipts,
        fishing=read.fishing,
        log=_log_settings(environ, read.log),
        notices=read.notices,
        redis=_redis_settings(environ, read.redis),
        postgresql=read.postgresql,
        server=read.server,
        policy=read.policy,
        pooler_url=environ.get(POOLER_VARIABLE) or None,
    )


def _redis_url(environ: Mapping[str, str]) -> str | None:
    """Return the URL of Redis; None: the embedded server."""
    named = environ.get(REDIS_VARIABLE)
    if not named:
        return None
    try:
        redis_target(named)
    except CacheMisconfigured as error:
        # `from None`: the cause may quote a password.
        raise ConfigurationError(f"{REDIS_VARIABLE} {error}") from None
    return named


def _redis_settings(environ: Mapping[str, str], read: RedisSettings) -> RedisSettings:
    """Return the settings with the environment's prefix, which all processes of a server share."""
    named = environ.get(REDIS_PREFIX_VARIABLE)
    if not named:
        return read
    try:
        return msgspec.structs.replace(read, prefix=named)
    except ValueError as error:
        raise ConfigurationError(f"{REDIS_PREFIX_VARIABLE} is {error}") from None


def _log_settings(environ: Mapping[str, str], read: LogSettings) -> LogSettings:
    """Return the settings with the environment's format, which all processes of a server share."""
    named = environ.get(LOG_FORMAT_VARIABLE)
    if not named:
        return read
    try:
        return LogSettings(format=LogFormat(named))
    except ValueError:
        text = f"{LOG_FORMAT_VARIABLE} is {' or '.join(LogFormat)}"
        raise ConfigurationError(text) from None


def _exists(file: Path) -> bool:
    """Return whether a file exists. Raises ConfigurationError where its path cannot be one."""
    try:
        return file.exists()
    except OSError as error:
        raise ConfigurationError(f"the data directory cannot be used: {error.strerror}") from error


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(CONFIG_BYTES_MAX + 1)
        if len(content) > CONFIG_BYTES_MAX:
            raise ConfigurationError(f"{file} is larger than any file of settings")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read") from error
