"""Versions, the objects their bytes lie in, and who holds what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base, new_id, utcnow


class VersionRow(Base):
    """A version, from the first byte of its upload to the mark that is left of it when it is deleted."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("asset_id", "number"),
        Index("ix_versions_asset_id", "asset_id", "state", "id"),
        Index("ix_versions_state", "state", "touched"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    asset_id: Mapped[str] = mapped_column(String(26))
    workspace: Mapped[str]
    number: Mapped[int | None]
    """1, 2, 3, … in order of commit; never used again, whatever is deleted."""
    state: Mapped[str] = mapped_column(String(16), default="uploading")
    """`uploading`, `verifying`, `ready`, `failed` or `deleted`."""
    manifest_id: Mapped[str | None] = mapped_column(String(26))
    """The object that holds the gzipped manifest."""
    manifest_hash: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the canonical manifest, not compressed: what the version is."""
    files: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    verified_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(255), unique=True)
    """What made it, when the platform did: the key that makes making it idempotent."""
    creator: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=utcnow)
    touched: Mapped[datetime] = mapped_column(default=utcnow)
    committed: Mapped[datetime | None]


class ObjectRow(Base):
    """An object of the store: a pack of chunks or a manifest. The row is made before the bytes are sent."""

    __tablename__ = "objects"
    __table_args__ = (Index("ix_objects_workspace", "workspace"), Index("ix_objects_doomed", "doomed"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    """`packs` or `manifests`: the first part of the key."""
    workspace: Mapped[str]
    """Whose storage it counts against."""
    creator: Mapped[str]
    """Who sent it: this person may know of all it holds."""
    size: Mapped[int] = mapped_column(BigInteger)
    registered: Mapped[bool] = mapped_column(default=False)
    """Whether its bytes are there and were seen to hash right."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    doomed: Mapped[datetime | None]
    """When the collector first found no version referring to it."""

    @property
    def key(self) -> str:
        """The key in the object store."""
        return f"{self.kind}/{self.id}"


class ChunkRow(Base):
    """Where a chunk lies. The same chunk may lie in several packs: people do not see each other's uploads."""

    __tablename__ = "chunks"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(26), ForeignKey("objects.id"), primary_key=True, index=True)
    offset: Mapped[int]
    size: Mapped[int]


class VersionObjectRow(Base):
    """A version (unfinished ones too) needs an object: the reference count, by pack and not by file."""

    __tablename__ = "version_objects"

    version_id: Mapped[str] = mapped_column(String(26), ForeignKey("versions.id"), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(26), ForeignKey("objects.id"), primary_key=True, index=True)
    whole: Mapped[bool] = mapped_column(default=False)
    """Whether every chunk of the object is in the version: who may read the version may then read the object."""
    used: Mapped[int | None]
    """How many chunks of a pack the version has; null while it is unfinished, or if it is from before this was kept."""


class ImportRow(Base):
    """A version the platform fetches from another server by itself, and what became of it."""

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_asset_id", "asset_id", "id"),
        Index("ix_imports_state", "state", "touched"),
        Index("ix_imports_workspace", "workspace", "state"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    asset_id: Mapped[str] = mapped_column(String(26))
    workspace: Mapped[str]
    name: Mapped[str]
    creator: Mapped[str]
    url: Mapped[str] = mapped_column(Text)
    """Once the import is over, without its query: that may be a secret."""
    format: Mapped[str] = mapped_column(String(8))
    ref: Mapped[str]
    """Of git: the branch, tag or commit asked for."""
    commit_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """`waiting`, `fetching`, `unpacking`, `ready` or `failed`."""
    attempt: Mapped[int] = mapped_column(default=0)
    """Grows with each claim: who was deposed can write nothing more."""
    fetched: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[int | None]
    """The version it made."""
    error: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    touched: Mapped[datetime] = mapped_column(default=utcnow)
    """When the process at work last said so."""
    finished: Mapped[datetime | None]


class PinRow(Base):
    """A version in use: it cannot be deleted while somebody holds it."""

    __tablename__ = "pins"

    version_id: Mapped[str] = mapped_column(String(26), ForeignKey("versions.id"), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)
    """The id of the workload that reads it."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
