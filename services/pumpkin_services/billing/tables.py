"""Rows of money. All amounts are integers in millionths of the currency unit, all times epoch milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column

from pumpkin_services.db import Base, new_id, utcnow


class BalanceRow(Base):
    """What one workspace has; always the sum of its ledger."""

    __tablename__ = "balances"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workspace: Mapped[str] = mapped_column(String(255), unique=True)
    balance_micro: Mapped[int] = mapped_column(BigInteger, default=0)
    budget_micro: Mapped[int | None] = mapped_column(BigInteger)
    """At most so much is spent in one calendar month (UTC); NULL sets no bound but the balance."""
    created: Mapped[datetime] = mapped_column(default=utcnow)
    revision: Mapped[int] = mapped_column(default=1)


class MonthRow(Base):
    """What one workspace spent in one calendar month (UTC), so that a budget costs no sum over the ledger."""

    __tablename__ = "months"

    workspace: Mapped[str] = mapped_column(String(255), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """`2026-11`."""
    spent_micro: Mapped[int] = mapped_column(BigInteger, default=0)


class LedgerRow(Base):
    """One line of the ledger; never changed, never removed. A positive amount adds to the balance."""

    __tablename__ = "ledger"
    __table_args__ = (
        # One charge per replica and interval, whoever writes it and how often.
        UniqueConstraint("workload", "attempt", "replica", "start_ms", name="uq_ledger_interval"),
        Index("ix_ledger_workspace", "workspace", "id"),
        Index("ix_ledger_workspace_time", "workspace", "time"),
        Index("ix_ledger_time", "time"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    time: Mapped[datetime] = mapped_column(default=utcnow)
    workspace: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    """`charge`, `refund`, `storage`, `recharge`, `adjustment` or `opening`."""
    amount_micro: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str | None] = mapped_column(String(255), unique=True)
    """What makes a recharge or an adjustment one and the same when it is sent again."""
    actor: Mapped[str] = mapped_column(String(255), default="")
    note: Mapped[str] = mapped_column(String(1000), default="")
    # Of charges and refunds only, but the times and the price, which a line of storage has too:
    workload: Mapped[str | None] = mapped_column(String(26))
    attempt: Mapped[int | None]
    replica: Mapped[str | None] = mapped_column(String(100))
    start_ms: Mapped[int | None] = mapped_column(BigInteger)
    end_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Before `start_ms` in a refund, which takes time back."""
    spec: Mapped[str] = mapped_column(String(63), default="")
    price_micro: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Of storage only: what was kept when the day was charged."""


class StorageClockRow(Base):
    """How far charging for storage is: one row, locked by whoever charges."""

    __tablename__ = "storage_clock"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    """The day (UTC) that is charged next: `2026-11-29`."""
    after: Mapped[str] = mapped_column(String(255), default="")
    """Of that day the workspaces up to this name are charged."""
    price_micro: Mapped[int] = mapped_column(BigInteger)
    """What that day costs per GiB: a new price counts from the next day on."""


class StorageDayRow(Base):
    """What one workspace kept on one day (UTC): charged once."""

    __tablename__ = "storage_days"

    workspace: Mapped[str] = mapped_column(String(255), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    price_micro: Mapped[int] = mapped_column(BigInteger)
    rest: Mapped[int] = mapped_column(BigInteger)
    """What was too little for a whole micro-unit, in 2⁻³⁰ of one; the next day begins with it."""


class MeterRow(Base):
    """A replica that runs (or ran), and up to when it has been charged."""

    __tablename__ = "meters"
    __table_args__ = (
        UniqueConstraint("workload", "attempt", "replica"),
        Index("ix_meters_open", "closed", "workspace"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    workspace: Mapped[str]
    workload: Mapped[str] = mapped_column(String(26))
    attempt: Mapped[int]
    replica: Mapped[str] = mapped_column(String(100))
    creator: Mapped[str]
    spec: Mapped[str] = mapped_column(String(63))
    price_micro: Mapped[int] = mapped_column(BigInteger)
    start_ms: Mapped[int] = mapped_column(BigInteger)
    charged_ms: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[bool] = mapped_column(default=False)


class LedgerIsAppendOnly(Exception):
    """Somebody tried to change or remove a line of the ledger: a bug, whoever it was."""


@event.listens_for(LedgerRow, "before_update")
@event.listens_for(LedgerRow, "before_delete")
def _refuse_flush(_mapper: Any, _connection: Any, row: LedgerRow) -> None:
    raise LedgerIsAppendOnly(row.id)


@event.listens_for(Session, "do_orm_execute")
def _refuse_statement(state: ORMExecuteState) -> None:
    if (state.is_update or state.is_delete) and state.bind_mapper is LedgerRow.__mapper__:
        raise LedgerIsAppendOnly(str(state.statement))
