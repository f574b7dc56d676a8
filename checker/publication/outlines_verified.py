"""Verifies that the kept outlines are those that the list makes."""

from sqlalchemy import func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.faults import FAULTS_SHOWN_MAX, Faults
from checker.registry.projection import all_outlines
from checker.registry.schema import outline
from checker.registry.shape_markers import MARKER_OUTLINE


async def verify_outlines(connection: AsyncConnection, faults: Faults) -> None:
    """Make all outlines again, and compare them with the kept outlines."""
    made = all_outlines().subquery("made")
    kept = outline.alias("kept")
    token = func.coalesce(made.c.token, kept.c.token)
    different = (
        select(
            token.label("token"),
            made.c.token.is_(None).label("is_added"),
            kept.c.token.is_(None).label("is_missing"),
            func.count().over().label("faults"),
        )
        .select_from(made.outerjoin(kept, made.c.token == kept.c.token, full=True))
        .where(made.c.outline.is_distinct_from(kept.c.outline))
        # A marker outlives the documents of its shape.
        .where(or_(made.c.token.is_not(None), kept.c.outline != MARKER_OUTLINE))
        .order_by(literal_column("1"))
        .limit(FAULTS_SHOWN_MAX)
    )
    for place, row in enumerate(await connection.execute(different)):
        word = "is missing" if row.is_missing else "is made up" if row.is_added else "is false"
        fault = f"the outline of the token {row.token.hex()[:8]}… {word}: the list makes another"
        faults.add(fault, 1 if place else max(1, row.faults - FAULTS_SHOWN_MAX + 1))
