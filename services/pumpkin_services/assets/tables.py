"""Datasets, algorithms and models: one table, for they differ in little but their kind."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import LONG_TEXT, Base, new_id, utcnow
from pumpkin_services.takedown import Hideable


class AssetRow(Hideable, Base):
    """A named thing with versions."""

    __tablename__ = "assets"
    __table_args__ = (
        UniqueConstraint("kind", "workspace", "name"),
        Index("ix_assets_kind_id", "kind", "id"),
        Index("ix_assets_kind_name", "kind", "name"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    workspace: Mapped[str]
    name: Mapped[str] = mapped_column(String(63))
    creator: Mapped[str]
    description: Mapped[str] = mapped_column(LONG_TEXT, default="")
    visibility: Mapped[str] = mapped_column(String(16), default="private")
    preset: Mapped[bool] = mapped_column(default=False)
    type: Mapped[str] = mapped_column(String(64), default="")
    framework: Mapped[str] = mapped_column(String(64), default="")
    entrypoint: Mapped[str] = mapped_column(String(1000), default="")
    keep_last: Mapped[int | None] = mapped_column(default=None)
    """The retention rule: keep so many of the newest versions …"""
    keep_days: Mapped[int | None] = mapped_column(default=None)
    """… and those younger than so many days; both NULL keep all."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    updated: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class AssetLabelRow(Base):
    """One label of one named thing."""

    __tablename__ = "asset_labels"

    asset_id: Mapped[str] = mapped_column(String(26), ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(String(63), primary_key=True, index=True)


class AssetShareRow(Base):
    """A named thing may be read by the people of another workspace."""

    __tablename__ = "asset_shares"

    asset_id: Mapped[str] = mapped_column(String(26), ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)
