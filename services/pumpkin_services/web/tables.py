"""The tables the edge itself keeps: idempotency records and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base, new_id, utcnow


class IdempotencyRow(Base):
    """The answer given to one (caller, Idempotency-Key), kept for a day."""

    __tablename__ = "idempotency"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of caller and key."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body: the same key with another request is a mistake."""
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary(1 << 24))
    created: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class AuditRow(Base):
    """One change, or one admin's read of somebody else's data."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_actor", "actor", "id"), Index("ix_audit_object", "object", "id"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    time: Mapped[datetime] = mapped_column(default=utcnow)
    actor: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    """`user`, `service` or `workload`."""
    action: Mapped[str]
    """Method and path template of the route: `POST /jobs`."""
    object: Mapped[str] = mapped_column(String(255), default="")
    owner: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[int]
    address: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
