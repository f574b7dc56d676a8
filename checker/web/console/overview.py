"""The overview: first what is wrong and where to act, then every figure with a link to its rows."""

from checker.api.exchange import Reply
from checker.domain.clock import shanghai_day
from checker.web.console.alerts import alerts_of
from checker.web.console.charts import month_chart
from checker.web.console.figures import ConsoleFigures
from checker.web.console.room import CONSOLE, console_page, show
from checker.web.home import list_age
from checker.web.visit import Visit


@console_page(CONSOLE)
async def show_overview(visit: Visit) -> Reply:
    """Show the figures; the script of the page asks for them again, alone."""
    shared: ConsoleFigures = visit.request.app.state.figures
    figures = await shared.overview()
    month = figures.month.value
    today = shanghai_day(visit.runtime.clock.now())
    return show(
        visit,
        "figures" if visit.is_partial else "overview",
        room="overview",
        figures=figures,
        alerts=alerts_of(figures, list_age(visit)),
        chart=None if month is None else month_chart(month.daily.days, today),
        titles={each.id: each for each in visit.runtime.policies.measures},
        now=visit.runtime.clock.now(),
    )
