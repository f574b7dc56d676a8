"""`checker check`: one check without HTTP."""

import re
import sys
from typing import Any, Final

import click
import msgspec

from cache.token import Token
from checker.accounts.keys import AccountRole, Caller
from checker.checks.answer import Answer, answer_of
from checker.checks.request import read_check
from checker.cli.endings import ExitCode
from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.domain.clock import SystemClock, shanghai_day
from checker.domain.decision import Outcome
from checker.domain.document import Document, DocumentType
from checker.domain.service import ServiceType
from checker.node.runtime import Runtime
from checker.policy.vocabulary import FIELDS

# With --exit-code a script can distinguish decisions.
EXIT_CODES = {
    Outcome.ALLOW: ExitCode.DONE,
    Outcome.CAP: ExitCode.CAP,
    Outcome.REVIEW: ExitCode.REVIEW,
    Outcome.DENY: ExitCode.DENY,
}
_COLORS = {
    Outcome.ALLOW: "green",
    Outcome.CAP: "yellow",
    Outcome.REVIEW: "yellow",
    Outcome.DENY: "red",
}
_NUMBER = re.compile(r"^-?[0-9]{1,30}$")
_WORDS = {"true": True, "false": False}
COMMAND_LINE: Final = Caller(
    key_pk=0,
    account_id="command line",
    name="command line",
    role=AccountRole.INSTITUTION,
    services=None,
    jurisdiction=None,
)


@click.command()
@click.option(
    "--document",
    required=True,
    help="TYPE:NUMBER, e.g. resident_id:4408…; a number alone is a resident ID; - reads it from "
    "standard input, where no list of processes shows it.",
)
@click.option("--name", help="The name on the document.")
@click.option(
    "--service",
    required=True,
    help="As JSON, or in words: 'rail train=G79 seat=second'.",
)
@click.option("--jurisdiction", help="The place of service; default: CN.")
@click.option("--exit-code", is_flag=True, help="Exit with 0 allow, 10 cap, 11 review, 12 deny.")
@json_option
@deployment_options
def check(  # noqa: PLR0917 - click passes options by name
    config: Config,
    document: str,
    name: str | None,
    service: str,
    jurisdiction: str | None,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Ask whether a subject may buy a service."""
    question = {
        "subject": {"document": document_as_asked(document), "name": name},
        "service": service_as_asked(service),
        "jurisdiction": jurisdiction,
    }

    body = _body(question)
    today = shanghai_day(SystemClock().now())
    # A wrong question is refused before anything is started to answer it.
    read_check(body, COMMAND_LINE, today, _no_token)

    async def work(runtime: Runtime) -> Answer:
        prepared = read_check(body, COMMAND_LINE, today, runtime.sealer.document_token)
        decided = await runtime.checks.decide((prepared,), account_id=None)
        return answer_of(decided.decisions[0], decided.list, None, answer_id=decided.ids[0])

    answer = run_in_deployment(config, work)
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if exit_code:
        sys.exit(EXIT_CODES[answer.decision])


def _no_token(_document: Document) -> Token:
    return Token(b"")


def _body(question: dict[str, Any]) -> bytes:
    """Return the question as a request's body."""
    try:
        return msgspec.json.encode(question)
    except UnicodeEncodeError:
        # `from None`: the cause repeats the document.
        raise click.UsageError("the options are not written in UTF-8") from None


def document_as_asked(text: str) -> dict[str, str]:
    """Return the document of `TYPE:NUMBER` or of a resident ID alone; `-`: from standard input."""
    if text == "-":
        text = sys.stdin.readline().strip()
    kind, colon, number = text.partition(":")
    if not colon:
        kind, number = DocumentType.RESIDENT_ID, text
    return {"type": kind, "number": number}


def service_as_asked(text: str) -> dict[str, Any]:
    """Return the service of a JSON object, or of words such as `rail train=G79 seat=second`."""
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise click.BadParameter("is not a JSON object", param_hint="--service") from error
    kind, *fields = text.split() or [""]
    kinds = FIELDS[ServiceType(kind)] if kind in set(ServiceType) else {}
    service: dict[str, Any] = {"type": kind}
    for field in fields:
        name, _, value = field.partition("=")
        service[name] = _value(value, kinds.get(name))
    return service


def _value(text: str, kind: type | None) -> object:
    """Return the value after `=` as `kind`; else the text itself, which the check then refuses."""
    if kind is bool:
        return _WORDS.get(text, text)
    if kind is int and _NUMBER.match(text):
        return int(text)
    return text


def _print(answer: Answer) -> None:
    decision = click.style(answer.decision.value, fg=_COLORS[answer.decision], bold=True)
    click.echo(f"{decision}  (list version {answer.list.version}, as of {answer.list.as_of})")
    for reason in answer.reasons:
        listing = "no listing shown" if reason.listing is None else reason.listing.case_number
        court = "" if reason.remedy is None else reason.remedy.court
        role = "" if reason.role is None else f"as {reason.role}"
        click.echo(f"  {reason.code}  {reason.measure}  {role}  {listing}  {court}")
    if answer.spending is not None:
        room = answer.spending
        click.echo(f"  {room.remaining_fen} of {room.limit_fen} fen left until {room.resets_at}")
