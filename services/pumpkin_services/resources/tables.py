"""Rows of nodes, specs, pools and limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pumpkin_services.db import Base, new_id, utcnow


class NodeRow(Base):
    """A machine that runs workloads: what was found on it, and what an admin lets the platform have."""

    __tablename__ = "nodes"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    cpu_milli: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    accelerators: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`{"index", "type", "memory", "uuid"}` of each accelerator found."""
    cpu_milli_limit: Mapped[int | None]
    memory_limit: Mapped[int | None] = mapped_column(BigInteger)
    accelerators_off: Mapped[list[int]] = mapped_column(JSON, default=list)
    """Indexes an admin has taken out."""
    drained: Mapped[bool] = mapped_column(default=False)
    drain_reason: Mapped[str] = mapped_column(String(255), default="")
    heartbeat: Mapped[datetime] = mapped_column(default=utcnow)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class LoadRow(Base):
    """What a node's workloads used at one moment, and what they held."""

    __tablename__ = "node_loads"
    __table_args__ = (Index("ix_node_loads_node", "node", "time"), Index("ix_node_loads_time", "time"))

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    node: Mapped[str] = mapped_column(String(255))
    time: Mapped[datetime]
    cpu_milli: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    held_cpu_milli: Mapped[int]
    held_memory: Mapped[int] = mapped_column(BigInteger)
    accelerators: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`{"index", "utilization", "memory"}` of each one held."""
    keep: Mapped[bool]
    """The first of its five minutes: stays when the others are thinned."""


class SpecRow(Base):
    """A sellable shape; workloads copy its values, so editing one never changes what runs."""

    __tablename__ = "specs"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    cpu_milli: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    accelerators: Mapped[int] = mapped_column(default=0)
    accelerator_type: Mapped[str] = mapped_column(String(255), default="")
    price_micro: Mapped[int] = mapped_column(BigInteger, default=0)
    enabled: Mapped[bool] = mapped_column(default=True)
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class PoolRow(Base):
    """Nodes and specs, and who may use them for what. An empty `nodes` or `specs` means all of them."""

    __tablename__ = "pools"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    nodes: Mapped[list[str]] = mapped_column(JSON, default=list)
    specs: Mapped[list[str]] = mapped_column(JSON, default=list)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    everyone: Mapped[bool] = mapped_column(default=False)
    workspaces: Mapped[list[str]] = mapped_column(JSON, default=list)
    users: Mapped[list[str]] = mapped_column(JSON, default=list)
    hub_roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    priority: Mapped[int] = mapped_column(default=0)
    enabled: Mapped[bool] = mapped_column(default=True)
    guarantee_percent: Mapped[int] = mapped_column(default=0)
    deserved_percent: Mapped[int] = mapped_column(default=0)
    reclaimable: Mapped[bool] = mapped_column(default=False)
    parent: Mapped[str] = mapped_column(String(63), default="")
    """The pool it is a part of, if of any."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class LimitRow(Base):
    """How much one user or workspace may have at once; NULL takes the default's value, and there no limit."""

    __tablename__ = "limits"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(16))
    """`user` or `workspace`."""
    subject: Mapped[str] = mapped_column(String(255))
    """A name, or `*`: the default."""
    running: Mapped[int | None]
    queued: Mapped[int | None]
    accelerators: Mapped[int | None]
    storage_bytes: Mapped[int | None] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(default=1)
