"""Rows of users, workspaces and members."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base, new_id, utcnow
from pumpkin_services.principal import WorkspaceRole


class UserRow(Base):
    """Somebody who has been here, or whom an admin made here. The Hub keeps identity, this what the platform adds."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    display_name: Mapped[str] = mapped_column(String(100), default="")
    admin: Mapped[bool] = mapped_column(default=False)
    """Whether the Hub called them an admin when last asked."""
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Their Hub roles when last asked."""
    frozen: Mapped[bool] = mapped_column(default=False, index=True)
    frozen_reason: Mapped[str] = mapped_column(String(255), default="")
    frozen_by: Mapped[str] = mapped_column(String(255), default="")
    synced: Mapped[bool] = mapped_column(default=True)
    """Whether the Hub has been told that they are frozen, or not any more."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    last_seen: Mapped[datetime | None]
    """NULL while somebody an admin made has yet to come."""
    revision: Mapped[int] = mapped_column(default=1)


class WorkspaceRow(Base):
    """A workspace that is a Hub group. Personal workspaces have no row: they are the user."""

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    creator: Mapped[str] = mapped_column(String(255), default="")
    deleted: Mapped[bool] = mapped_column(default=False)
    """Kept for a while so that a stale word from the Hub does not bring it back."""
    synced: Mapped[datetime | None]
    """When the Hub's group last followed this row; NULL while it has yet to."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class MemberRow(Base):
    """Who belongs to a workspace, and as what."""

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_user", "user"),)

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    role: Mapped[WorkspaceRole] = mapped_column(String(16))
    added: Mapped[datetime] = mapped_column(default=utcnow)
    added_by: Mapped[str] = mapped_column(String(255), default="")
