"""Rows of environments, their versions, whom they are shared with, and the prefixes versions share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import LONG_TEXT, Base, new_id, utcnow
from pumpkin_services.takedown import Hideable


class EnvironmentRow(Hideable, Base):
    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("workspace", "name"), Index("ix_environments_name", "name"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workspace: Mapped[str]
    name: Mapped[str] = mapped_column(String(63))
    creator: Mapped[str]
    description: Mapped[str] = mapped_column(LONG_TEXT)
    visibility: Mapped[str] = mapped_column(String(16))
    preset: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(16))
    latest: Mapped[int]
    """Number of the newest version ever made; never goes back, so numbers are never used twice."""
    revision: Mapped[int]
    created: Mapped[datetime] = mapped_column(default=utcnow)
    updated: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)


class EnvironmentShareRow(Base):
    """One workspace that may use one environment."""

    __tablename__ = "environment_shares"
    __table_args__ = (Index("ix_environment_shares_workspace", "workspace"),)

    environment: Mapped[str] = mapped_column(String(26), primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)


class EnvironmentVersionRow(Base):
    """One immutable version: what was asked for, what it was locked to, and how its build went."""

    __tablename__ = "environment_versions"
    __table_args__ = (
        UniqueConstraint("environment", "number"),
        Index("ix_environment_versions_state", "state", "id"),
        Index("ix_environment_versions_digest", "digest"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    environment: Mapped[str] = mapped_column(String(26))
    number: Mapped[int]
    creator: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    requirements: Mapped[list[str]] = mapped_column(JSON)
    python_request: Mapped[str] = mapped_column(String(16))
    """The Python asked for (`3.12`); empty for the platform's own."""
    lock: Mapped[str] = mapped_column(LONG_TEXT)
    packages: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Normalised package name -> version, as locked (built) or found (interpreter)."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 over lock, Python and platform: the key of the prefix. Empty until locked."""
    python_version: Mapped[str] = mapped_column(String(32))
    python: Mapped[str] = mapped_column(String(1024))
    """Absolute path of the interpreter; set when ready."""
    prefix: Mapped[str] = mapped_column(String(1024))
    bytes: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(String(26))
    """The builder that works on it; its claim holds until `expires`."""
    expires: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=utcnow)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class EnvironmentPrefixRow(Base):
    """One built folder, shared by every version whose lock has this digest."""

    __tablename__ = "environment_prefixes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    ready: Mapped[bool]
    bytes: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[str | None] = mapped_column(String(26))
    expires: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=utcnow)
