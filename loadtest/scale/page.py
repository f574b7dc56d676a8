"""The tables of docs/scale.md, as Markdown by the name of their markers."""

from collections.abc import Sequence

from cache.lease import SETTLED_S
from loadtest.rows.row import spaced
from loadtest.scale.capacity import (
    GENERATIONS,
    MIB,
    SECOND_US,
    Layout,
    Rates,
    bounds_of,
    lay_out,
    store_load_us,
    wait_of,
)
from loadtest.scale.day import REJOIN_S, Day, DayResult, ScaleFailure
from loadtest.scale.inputs import ASSUMED, Assumptions, MeasuredFigure, values_of
from loadtest.scale.registers import REGISTERS, Register

PAGE = "scale.md"
SEED = 1
QUIET_TOKEN_US = 0.8
"""The time of a token on a quiet machine."""

Laid = Sequence[tuple[Register, Layout]]


def sections(
    measured: dict[str, MeasuredFigure], assumed: Assumptions, seed: int = SEED
) -> dict[str, str]:
    """Return the tables by the names of their markers."""
    values = values_of(measured, assumed.token_us)
    quiet = values_of(measured, QUIET_TOKEN_US)
    laid = [(register, lay_out(register, values, assumed)) for register in REGISTERS]
    return {
        "scale-answers": _answers(laid, values, assumed),
        "scale-assumed": _assumed(assumed),
        "scale-measured": _measured(measured),
        "scale-layout": _layout(laid, values, quiet, assumed),
        "scale-bounds": _bounds(laid, values, assumed),
        "scale-check": _check(values_of(measured)),
        "scale-failures": _failures(laid, values, assumed, seed),
    }


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    """Return a figure with three significant digits, and whole from a hundred on."""
    return spaced(value) if value >= 100 else f"{value:.3g}"


def _answers(laid: Laid, values: dict[str, float], assumed: Assumptions) -> str:
    rows = []
    for register, layout in laid:
        first = bounds_of(register, layout, values, assumed)[0]
        used = layout.workers * layout.worker_mib / 1024 + 2 * layout.redis_gib
        machines = [
            f"{layout.machines} serve ({assumed.cores_per_machine} cores each)",
            f"2 PostgreSQL ({layout.postgres_cores})",
            f"2 Redis ({layout.redis_cores})",
        ]
        breaks = f"{first.part}, at {_number(first.headroom)} × the peak"
        yuan = f"{layout.million_checks_yuan:.2f}"
        rows.append([register.title, ", ".join(machines), f"{used:.1f} GiB", yuan, breaks])
    heads = ["register", "machines", "memory of workers and Redis", "yuan for a million checks"]
    speed = (
        f"On the machines of this table a token takes {_number(values['yardstick_us'])} µs; on a "
        f"quiet machine {QUIET_TOKEN_US}. `--token-us` sets it, and all processor times with it."
    )
    return f"{_table([*heads, 'breaks first'], rows)}\n\n{speed}"


def _assumed(assumed: Assumptions) -> str:
    return _table(
        ["assumption", "value", "option"],
        [
            [text, f"{getattr(assumed, name):g}", f"`--{name.replace('_', '-')}`"]
            for name, text in ASSUMED.items()
        ],
    )


def _measured(measured: dict[str, MeasuredFigure]) -> str:
    rows = [
        [
            figure.means,
            f"{_number(figure.value)} {figure.unit}",
            figure.source,
            f"`{figure.commit}`",
            "before the lane" if figure.is_stale else "",
        ]
        for figure in measured.values()
    ]
    return _table(["figure", "value", "source", "commit", ""], rows)


def _layout(
    laid: Laid, values: dict[str, float], quiet: dict[str, float], assumed: Assumptions
) -> str:
    columns = [
        _column(register, layout, values, assumed) | _on_quiet(register, quiet, assumed)
        for register, layout in laid
    ]
    names = list(columns[0])
    return _table(
        ["", *(register.title for register, _ in laid)],
        [[name, *(column[name] for column in columns)] for name in names],
    )


def _column(
    register: Register, layout: Layout, values: dict[str, float], assumed: Assumptions
) -> dict[str, str]:
    rates = Rates.at_peak(register)
    usual = wait_of(rates, layout.workers, values)
    less = wait_of(rates, layout.workers - assumed.cores_per_machine, values)
    millions = register.listed / 1e6
    return {
        "listed persons": spaced(register.listed),
        "checks a year": f"{register.checks_of_the_year / 1e9:.1f} · 10⁹",
        "peak, checks/s": spaced(register.peak_checks_per_second),
        "kept answers/s at the peak": _number(rates.adverse),
        "orders of spending/s at the peak": _number(rates.spending),
        f"machines of {assumed.cores_per_machine} cores that serve": str(layout.machines),
        "workers": str(layout.workers),
        "busy share of a worker; with a machine lost": f"{usual.busy:.2f}; {less.busy:.2f}",
        "wait for the worker, p99; with a machine lost": (
            f"{usual.p99_ms:.2f} ms; {less.p99_ms:.2f} ms"
        ),
        "PostgreSQL, cores, primary and standby each": str(layout.postgres_cores),
        "Redis, cores, primary and replica each": str(layout.redis_cores),
        "memory of a worker, during a rebuild": f"{layout.worker_mib:.0f} MiB",
        "memory of Redis, during a rebuild": f"{layout.redis_gib:.2f} GiB",
        f"disk of PostgreSQL after {assumed.years_kept:g} years": f"{layout.disk_gib:.0f} GiB",
        "most kept answers/s: PostgreSQL; publishing process": _most_kept(layout, values, assumed),
        "rebuild of Redis": f"{values['rebuild_s_per_million'] * millions:.1f} s",
        "import of the whole list": f"{values['import_s_per_million'] * millions / 60:.0f} min",
        "yuan a month": spaced(layout.month_yuan),
        "**yuan for a million checks**": f"**{layout.million_checks_yuan:.2f}**",
    }


def _most_kept(layout: Layout, values: dict[str, float], assumed: Assumptions) -> str:
    """Return the kept answers a second that two parts bear, if nothing else came."""
    nothing = Rates(innocent=0, adverse=0, spending=0)
    one_core = assumed.utilisation_max * SECOND_US
    idle = store_load_us("postgres", nothing, layout.workers, values)
    postgres = (one_core * layout.postgres_cores - idle) / values["adverse_postgres_us"]
    publisher = (one_core - values["idle_publisher_us"]) / values["adverse_publisher_us"]
    return f"{spaced(postgres)}; {spaced(publisher)}"


def _on_quiet(register: Register, quiet: dict[str, float], assumed: Assumptions) -> dict[str, str]:
    layout = lay_out(register, quiet, assumed)
    machines = f"{layout.machines}; {layout.postgres_cores}; {layout.million_checks_yuan:.2f}"
    return {
        f"on quiet machines (a token in {QUIET_TOKEN_US} µs): machines that serve; cores of "
        "PostgreSQL; yuan for a million checks": machines
    }


def _bounds(laid: Laid, values: dict[str, float], assumed: Assumptions) -> str:
    rows = []
    for register, layout in laid:
        for place, bound in enumerate(bounds_of(register, layout, values, assumed), 1):
            part = f"**{bound.part}**" if place == 1 else bound.part
            title = register.title if place == 1 else ""
            rows.append(
                [title, part, bound.demand, f"{_number(bound.headroom)} ×", bound.grows_with]
            )
    return _table(["register", "bound", "needed at the peak", "headroom", "grows with"], rows)


def _check(values: dict[str, float]) -> str:
    rows = [
        _speed("innocent", values),
        _speed("adverse", values),
        _speed("spending", values),
        _compared(
            "memory of a worker with ten million persons, MiB",
            values["worker_base_mib"] + 1e7 * values["filter_bytes_per_person"] / MIB,
            values["worker_with_ten_million_mib"],
        ),
        _compared(
            "highest memory of Redis with ten million persons, MiB",
            GENERATIONS * 1e7 * values["redis_bytes_per_person"] / MIB,
            values["redis_peak_mib"],
        ),
        _compared(
            "p99 less p50 at 500 checks/s on one worker, ms",
            wait_of(Rates(innocent=500, adverse=0, spending=0), 1, values).p99_ms,
            values["quiet_p99_ms"] - values["quiet_p50_ms"],
        ),
    ]
    return _table(["figure of one node", "model", "measured", "model / measured"], rows)


def _speed(kind: str, values: dict[str, float]) -> list[str]:
    """Compare the speed that the busiest processor allows with the speed that was measured."""
    parts = [values[f"{kind}_{part}_us"] for part in ("worker", "publisher", "postgres", "redis")]
    cores = values["cores"]
    all_us = (sum(parts) + values["generator_us"]) / cores
    model = SECOND_US / max(parts[0], all_us)
    return _compared(f"{kind}, requests/s, one worker", model, values[f"{kind}_per_second"])


def _compared(name: str, model: float, measured: float) -> list[str]:
    return [name, _number(model), _number(measured), f"{model / measured:.2f}"]


def _failures(laid: Laid, values: dict[str, float], assumed: Assumptions, seed: int) -> str:
    rows = []
    for register, layout in laid:
        for failure in ScaleFailure:
            day = Day(register, layout, values, assumed, failure=failure, seed=seed)
            result = day.walk()
            title = register.title if failure is ScaleFailure.NOTHING else ""
            change = _change(failure, register, values, assumed)
            rows.append([title, failure.value, *_ends(result), change])
    heads = ["register", "fails", "asked again", "answered late", "given up", "503s and refusals"]
    return _table([*heads, "longest wait", "trouble lasts", "a change takes"], rows)


def _ends(result: DayResult) -> list[str]:
    return [
        _part(result.troubled, result.questions),
        _part(result.late, result.questions),
        _part(result.given_up, result.questions),
        spaced(result.again),
        f"{result.longest_s:.0f} s",
        f"{result.seconds} s",
    ]


def _part(count: int, whole: int) -> str:
    return f"{spaced(count)} ({100 * count / whole:.3g} %)" if count else "0"


def _change(
    failure: ScaleFailure, register: Register, values: dict[str, float], assumed: Assumptions
) -> str:
    rebuilt_s = values["rebuild_s_per_million"] * register.listed / 1e6
    match failure:
        case ScaleFailure.NOTHING:
            return f"{values['change_p99_ms']:.0f} ms (p99)"
        case ScaleFailure.REDIS:
            return f"{SETTLED_S} s, for {assumed.redis_failover_s + rebuilt_s:.0f} s"
        case ScaleFailure.NODE | ScaleFailure.PUBLISHER:
            return f"{SETTLED_S} s, for some seconds"
        case _:
            return f"503 for {assumed.postgres_failover_s + REJOIN_S:.0f} s, then {SETTLED_S} s"
