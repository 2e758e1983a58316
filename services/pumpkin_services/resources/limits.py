"""Rules of limits: what one user or one workspace may have at once, defaults and exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import table
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Invalid, check_revision
from pumpkin_services.resources.models import EffectiveLimits, Limit, LimitQuery, LimitValues, Subject
from pumpkin_services.resources.tables import LimitRow
from pumpkin_services.web import Page, paginate

DEFAULT = "*"
_LIMITS = table(LimitRow)
LIMITS = select(_LIMITS).where(
    _LIMITS.c.kind == bindparam("kind"), _LIMITS.c.subject.in_(bindparam("subjects", expanding=True))
)
FIELDS = ("running", "queued", "accelerators", "storage_bytes")


class LimitService:
    """Limits per user and per workspace, `*` being the default of each kind."""

    async def list_limits(self, session: AsyncSession, _principal: Principal, *, query: LimitQuery) -> Page[Limit]:
        """Return what is set, newest first."""
        statement = select(LimitRow)
        if query.kind:
            statement = statement.where(LimitRow.kind == query.kind)
        if query.q:
            statement = statement.where(LimitRow.subject.contains(query.q, autoescape=True))
        rows, following = await paginate(session, statement, key=LimitRow.id, query=query)
        return Page(items=[Limit.model_validate(row) for row in rows], next=following)

    async def set_limit(
        self,
        session: AsyncSession,
        _principal: Principal,
        *,
        kind: str,
        subject: str,
        values: LimitValues,
        if_match: int | None,
    ) -> Limit:
        """Set the limit of a user, a workspace or the default `*`; all four values are replaced."""
        checked = _kind(kind)
        if len(subject) > 255:
            raise Invalid("No user or workspace has a name of more than 255 characters.", field="subject")
        row = await self._row(session, checked, subject)
        if row is None:
            check_revision(0, if_match)
            row = LimitRow(kind=checked, subject=subject, revision=0)
            session.add(row)
        check_revision(row.revision, if_match)
        for field in FIELDS:
            setattr(row, field, getattr(values, field))
        row.revision += 1
        await session.flush()
        return Limit.model_validate(row)

    async def unset_limit(
        self, session: AsyncSession, _principal: Principal, *, kind: str, subject: str, if_match: int | None
    ) -> None:
        """Forget an exception (or the default); one that is not set is fine."""
        row = await self._row(session, _kind(kind), subject)
        if row is not None:
            check_revision(row.revision, if_match)
            await session.delete(row)

    async def limit(self, session: AsyncSession, *, kind: Subject, subject: str) -> LimitValues:
        """Return what holds for one user or workspace, with the default filled in; None is no limit."""
        return (await self.limits(session, kind=kind, subjects=[subject]))[subject]

    async def mine(self, session: AsyncSession, principal: Principal) -> EffectiveLimits:
        """Return what holds for the caller and for each of their workspaces."""
        return EffectiveLimits(
            user=await self.limit(session, kind="user", subject=principal.name),
            workspaces=await self.limits(session, kind="workspace", subjects=principal.workspaces),
        )

    async def limits(self, session: AsyncSession, *, kind: Subject, subjects: Iterable[str]) -> dict[str, LimitValues]:
        """Return what holds for each of some users or workspaces."""
        wanted, rows = list(subjects), dict[str, Any]()
        for start in range(0, len(wanted), 500):
            names = [*wanted[start : start + 500], DEFAULT]
            rows |= {row.subject: row for row in await session.execute(LIMITS, {"kind": kind, "subjects": names})}
        answer: dict[str, LimitValues] = {}
        for subject in wanted:
            values: dict[str, int | None] = {}
            for field in FIELDS:
                own = getattr(rows.get(subject), field, None)
                values[field] = own if own is not None else getattr(rows.get(DEFAULT), field, None)
            answer[subject] = LimitValues(**values)
        return answer

    async def _row(self, session: AsyncSession, kind: str, subject: str) -> LimitRow | None:
        return await session.scalar(select(LimitRow).where(LimitRow.kind == kind, LimitRow.subject == subject))


def _kind(kind: str) -> Subject:
    if kind == "user" or kind == "workspace":
        return kind
    raise Invalid("Limits are set for a 'user' or a 'workspace'.", field="kind")
