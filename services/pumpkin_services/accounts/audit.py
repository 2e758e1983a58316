"""Reading the audit log: the lines are written by the edge, with every change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.accounts.models import AuditFilter, AuditLine, AuditQuery
from pumpkin_services.db import Database
from pumpkin_services.web import Page, paginate
from pumpkin_services.web.tables import AuditRow

COLUMNS = ("id", "time", "actor", "kind", "action", "object", "owner", "status", "address", "detail")


async def list_audit(session: AsyncSession, *, query: AuditQuery) -> Page[AuditLine]:
    """Return lines of the audit log, newest first."""
    rows, following = await paginate(session, _filtered(query), key=AuditRow.id, query=query)
    return Page(items=[AuditLine.model_validate(row) for row in rows], next=following)


async def audit_rows(database: Database, *, query: AuditFilter) -> AsyncIterator[list[Any]]:
    """Iterate over all matching lines, oldest first, as the values of `COLUMNS`."""
    statement = _filtered(query).order_by(AuditRow.id).execution_options(yield_per=500)
    async with database.read() as session:
        async for row in await session.stream_scalars(statement):
            cells = [getattr(row, name) for name in COLUMNS]
            yield [cells[0], row.time.isoformat(), *cells[2:-1], json.dumps(row.detail, ensure_ascii=False)]


def _filtered(query: AuditFilter) -> Select[AuditRow]:
    statement = select(AuditRow)
    if query.changes:
        statement = statement.where(~AuditRow.action.startswith("GET "))
    if query.q:
        columns = (AuditRow.actor, AuditRow.action, AuditRow.object, AuditRow.owner, AuditRow.address)
        detail = cast(AuditRow.detail, Text)
        # Some databases keep the detail as it was written: other letters than ASCII as escapes.
        places = [*((column, query.q) for column in columns), (detail, query.q), (detail, json.dumps(query.q)[1:-1])]
        statement = statement.where(or_(*(place.icontains(text, autoescape=True) for place, text in places)))
    for column in ("actor", "object", "owner"):
        value = getattr(query, column)
        if value is not None:
            statement = statement.where(getattr(AuditRow, column) == value)
    if query.action:
        statement = statement.where(AuditRow.action.startswith(query.action, autoescape=True))
    if query.start:
        statement = statement.where(AuditRow.time >= query.start)
    if query.end:
        statement = statement.where(AuditRow.time < query.end)
    return statement
