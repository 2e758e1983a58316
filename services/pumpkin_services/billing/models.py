"""What balances, ledger and statements look like on the wire. Money is integers in millionths of the unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pumpkin_services.web import Moment, PageQuery, Wire

LedgerKind = Literal["charge", "refund", "recharge", "adjustment", "opening"]
Amount = Annotated[int, Field(ge=-(10**15), le=10**15, description="In millionths of the currency unit.")]
Workspace = Annotated[str, Field(min_length=1, max_length=255)]
Note = Annotated[str, Field(max_length=1000)]
Reference = Annotated[
    str,
    Field(
        min_length=1, max_length=200, description="Your own key (a payment number): the same one is booked only once."
    ),
]


class Balance(Wire):
    """What a workspace has, spends and may spend."""

    workspace: str
    balance_micro: int
    budget_micro: int | None
    """At most so much per calendar month (UTC); null sets no bound but the balance."""
    month_spent_micro: int
    burn_micro: int
    """What its running workloads cost per hour."""
    accrued_micro: int
    """What they have cost since they were last charged."""
    seconds_left: int | None
    """How long balance and budget last at this rate; null when nothing that costs is running."""
    currency: str
    revision: int


class BalanceQuery(PageQuery):
    """Filters of the list of balances."""

    all: bool = Field(default=False, description="Every workspace's (admins only).")


class BudgetPatch(Wire):
    """Bound what a workspace spends per calendar month (UTC); null lifts the bound."""

    budget_micro: Annotated[int, Field(ge=0, le=10**15)] | None


class Recharge(Wire):
    """Add money to a workspace."""

    workspace: Workspace
    amount_micro: int = Field(ge=1, le=10**15, description="In millionths of the currency unit.")
    reference: Reference | None = None
    note: Note = ""


class Adjustment(Wire):
    """Correct a balance by a signed amount; the ledger keeps both."""

    workspace: Workspace
    amount_micro: Amount
    reference: Reference | None = None
    note: str = Field(min_length=1, max_length=1000, description="Why: it stays in the ledger.")


class LedgerLine(Wire):
    """One line of the ledger. A positive amount adds to the balance; times of use are epoch milliseconds."""

    id: str
    time: datetime
    workspace: str
    kind: LedgerKind
    amount_micro: int
    reference: str | None
    actor: str
    note: str
    workload: str | None
    attempt: int | None
    replica: str | None
    start_ms: int | None
    end_ms: int | None
    spec: str
    price_micro: int | None


class LedgerFilter(Wire):
    """Which lines of the ledger."""

    workspace: Workspace | None = None
    kind: LedgerKind | None = None
    workload: str | None = Field(default=None, max_length=26)
    start: Moment | None = Field(default=None, description="From this time on (ISO 8601 with a zone).")
    end: Moment | None = Field(default=None, description="Before this time.")


class LedgerQuery(LedgerFilter, PageQuery):
    """Filters of the ledger list; `q` looks into notes."""


class StatementQuery(Wire):
    """Which workspace and period; the present month (UTC) unless said."""

    workspace: Workspace
    start: Moment | None = Field(default=None, description="From this time on (ISO 8601 with a zone).")
    end: Moment | None = Field(default=None, description="Before this time.")


class StatementLine(Wire):
    """What one workload used and cost in the period."""

    workload: str
    spec: str
    creator: str
    milliseconds: int
    """Replica time: two replicas for a second make 2000."""
    cost_micro: int


class Statement(Wire):
    """A workspace's account of a period: opening + received - spent = closing."""

    workspace: str
    start: datetime
    end: datetime
    opening_micro: int
    received_micro: int
    spent_micro: int
    closing_micro: int
    currency: str
    lines: list[StatementLine]
    """The dearest first, 1,000 at most; the CSV has them all."""
    lines_left_out: int
