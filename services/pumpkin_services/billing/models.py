"""What balances, ledger and statements look like on the wire. Money is integers in millionths of the unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pumpkin_services.web import CursorQuery, Moment, PageQuery, Wire

LedgerKind = Literal["charge", "refund", "storage", "recharge", "adjustment", "opening"]
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
    workspace: list[Workspace] = Field(default=[], max_length=500, description="Just these, in this order.")


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
    """Per hour; of storage, per GiB and day."""
    bytes: int | None
    """Of storage: what was kept when the day was charged."""


class LedgerFilter(Wire):
    """Which lines of the ledger."""

    q: str | None = Field(default=None, max_length=200, description="Text in the note, or who booked it.")
    workspace: Workspace | None = None
    kind: LedgerKind | None = None
    workload: str | None = Field(default=None, max_length=26)
    start: Moment | None = Field(default=None, description="From this time on (ISO 8601 with a zone).")
    end: Moment | None = Field(default=None, description="Before this time.")


class LedgerQuery(LedgerFilter, CursorQuery):
    """Filters of the ledger list."""


class TotalsQuery(Wire):
    """Which period; the present month (UTC) unless said."""

    start: Moment | None = Field(default=None, description="From this time on (ISO 8601 with a zone).")
    end: Moment | None = Field(default=None, description="Before this time.")


class WorkspaceTotal(Wire):
    """What one workspace received, used and spent in a period."""

    workspace: str
    received_micro: int
    spent_micro: int
    storage_micro: int
    """How much of that was for storage."""
    milliseconds: int
    """Replica time: two replicas for a second make 2000."""


class Totals(Wire):
    """What every workspace received and spent in a period."""

    start: datetime
    end: datetime
    received_micro: int
    spent_micro: int
    storage_micro: int
    milliseconds: int
    currency: str
    items: list[WorkspaceTotal]
    """The dearest first, 1,000 at most; the sums are those of all."""
    left_out: int


class StatementQuery(TotalsQuery):
    """Which workspace and period; the present month (UTC) unless said."""

    workspace: Workspace


class StatementLine(Wire):
    """What one workload used and cost in the period, or what keeping data did."""

    kind: Literal["workload", "storage"]
    workload: str | None
    spec: str
    creator: str
    milliseconds: int
    """Replica time: two replicas for a second make 2000. Of storage, how long it was kept."""
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
