"""Audit lines of what the platform does by itself, without a request."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.web.tables import AuditRow

PLATFORM = "pumpkin"
"""The actor of what nobody asked for at that moment."""


def note(session: AsyncSession, action: str, *, object: str, owner: str, **detail: Any) -> None:
    """Add an audit line to a transaction: `action` on `object`, which belongs to the workspace `owner`."""
    line = AuditRow(actor=PLATFORM, kind="service", action=action, status=204, detail=detail)
    line.object, line.owner = object[:255], owner[:255]
    session.add(line)
