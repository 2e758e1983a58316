"""`pumpkin admin limits`, `set-limit`, `unset-limit` and `budget`: how much of everything, and of money."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from pumpkin import _models as models
from pumpkin.cli import words
from pumpkin.cli.frame import MONEY, Columns, client, done, table

KIND = click.Choice(["user", "workspace"])


@click.command("limits")
@click.option("--kind", type=KIND)
def limits(kind: Any) -> None:
    """List the limits that are set; '*' is the default of its kind."""
    columns: Columns[models.Limit] = [
        ("KIND", lambda item: item.kind),
        ("WHO", lambda item: item.subject),
        ("RUNNING", lambda item: _number(item.running)),
        ("QUEUED", lambda item: _number(item.queued)),
        ("ACCELERATORS", lambda item: _number(item.accelerators)),
        ("STORAGE", lambda item: "" if item.storage_bytes is None else words.size(item.storage_bytes)),
    ]
    table(client().resources.limits_set(kind=kind), columns, empty="No limits are set.")


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


@click.command("set-limit")
@click.argument("kind", type=KIND)
@click.argument("who")
@click.option("--running", type=click.IntRange(0), help="Workloads at once.")
@click.option("--queued", type=click.IntRange(0), help="Workloads waiting.")
@click.option("--accelerators", type=click.IntRange(0), help="Accelerators at once.")
@click.option("--storage", type=float, metavar="GIB", help="Kept in versions.")
def set_limit(kind: str, who: str, storage: float | None, **values: Any) -> None:
    """Set the limits of WHO, '*' for the default of its kind; those not given are the default's."""
    body = {**values, "storage_bytes": None if storage is None else round(storage * 2**30)}
    answer = client().request("PUT", _path(kind, who), body=body)
    done(f"Set the limits of the {kind} {who}.", models.Limit.model_validate_json(answer.content))


@click.command("unset-limit")
@click.argument("kind", type=KIND)
@click.argument("who")
def unset_limit(kind: str, who: str) -> None:
    """Have the default hold for WHO again."""
    client().request("DELETE", _path(kind, who))
    done(f"The default holds for the {kind} {who}.")


@click.command("budget")
@click.argument("workspace")
@click.argument("amount", type=MONEY, required=False)
@click.option("--none", "lifted", is_flag=True, help="No bound but the balance.")
def budget(workspace: str, amount: int | None, lifted: bool) -> None:
    """Bound what a workspace spends per calendar month to AMOUNT."""
    if (amount is None) != lifted:
        raise click.UsageError("Give either an amount or --none.")
    path = f"/billing/balances/{quote(workspace, safe='')}"
    answer = client().request("PATCH", path, body={"budget_micro": amount})
    balance = models.Balance.model_validate_json(answer.content)
    bound = "as much as its balance" if amount is None else words.money(amount, balance.currency)
    done(f"{workspace} may spend {bound} per month.", balance)


def _path(kind: str, who: str) -> str:
    return f"/resources/limits/{kind}/{quote(who, safe='*')}"


COMMANDS = (limits, set_limit, unset_limit, budget)
