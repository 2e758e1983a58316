"""`pumpkin billing`: balances, statements, recharges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, done, emit, table, wants_json
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import models

billing = Noun("billing", help="Balances and what was spent.")
DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@billing.command("balance")
@click.option("--all", "everything", is_flag=True, help="Every workspace's (admins).")
def balance(everything: bool) -> None:
    """Show what your workspaces have and spend."""
    columns: Columns[models.Balance] = [
        ("WORKSPACE", lambda item: item.workspace),
        ("BALANCE", lambda item: words.money(item.balance_micro - item.accrued_micro, item.currency)),
        ("THIS MONTH", lambda item: words.money(item.month_spent_micro, item.currency)),
        ("BUDGET", lambda item: "" if item.budget_micro is None else words.money(item.budget_micro, item.currency)),
        ("NOW", lambda item: f"{words.money(item.burn_micro)}/h" if item.burn_micro else ""),
        ("LASTS", lambda item: "" if item.seconds_left is None else words.span(item.seconds_left)),
    ]
    table(client().billing.balances(everything=everything), columns, empty="No balances.")


@billing.command("storage")
@click.option("--all", "everything", is_flag=True, help="Every workspace that keeps anything (admins).")
def storage(everything: bool) -> None:
    """Show what your workspaces keep in the store, the most first."""
    columns: Columns[models.Stored] = [
        ("WORKSPACE", lambda item: item.workspace),
        ("KEEPS", lambda item: words.size(item.bytes)),
        ("LIMIT", lambda item: "" if item.limit_bytes is None else words.size(item.limit_bytes)),
        ("VERSIONS", lambda item: str(item.versions)),
        ("PER GIB AND DAY", lambda item: words.money(item.price_micro, item.currency) if item.price_micro else "free"),
    ]
    table(client().billing.storage(everything=everything), columns, empty="No workspaces.")


@billing.command("statement")
@click.argument("workspace", required=False)
@click.option("--start", type=DAY, help="From this day on (UTC); the present month unless given.")
@click.option("--end", type=DAY, help="Before this day.")
def statement(workspace: str | None, start: datetime | None, end: datetime | None) -> None:
    """Show a workspace's account of a period, per workload and for storage."""
    made = client()
    found = made.billing.statement(
        workspace or made.whoami().name,
        start=start.replace(tzinfo=UTC) if start else None,
        end=end.replace(tzinfo=UTC) if end else None,
    )
    if wants_json():
        emit(found)
        return
    sign = found.currency
    click.echo(f"{found.workspace}, {found.start:%Y-%m-%d} to {found.end:%Y-%m-%d}")
    for name in ("opening", "received", "spent", "closing"):
        click.echo(f"  {name:<9}{words.money(getattr(found, name + '_micro'), sign):>14}")
    for line in found.lines:
        ran = words.span(line.milliseconds / 1000)
        what, cost = line.workload or line.kind, words.money(line.cost_micro, sign)
        click.echo(f"  {what:<26}  {line.spec:<14} {ran:>8}  {cost:>12}")


@billing.command("recharge")
@click.argument("workspace")
@click.argument("amount")
@click.option("--reference", help="Your own key (a payment number): the same one is booked only once.")
@click.option("--note", default="")
def recharge(workspace: str, amount: str, reference: str | None, note: str) -> None:
    """Add AMOUNT to a workspace's balance (admins)."""
    try:
        value = words.micro(amount)
    except ValueError as error:
        raise PumpkinError(str(error), field="amount", reason="invalid") from error
    line = client().billing.recharge(workspace, value, reference=reference, note=note)
    done(f"{workspace} received {words.money(line.amount_micro)}.", line)
