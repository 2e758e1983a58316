"""`pumpkin spec` and `pumpkin pool`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, table

if TYPE_CHECKING:
    from pumpkin import models

spec = Noun("spec", help="Specs: shapes to run on, and their prices.")
pool = Noun("pool", help="Pools: machines, what they offer, and to whom.")


@spec.command("list")
@click.option("--kind", type=click.Choice(["job", "notebook"]), help="Only what may be used for this.")
@click.option("--all", "everything", is_flag=True, help="Disabled ones too (admins).")
def specs(**query: Any) -> None:
    """List the specs you may use, and which are free now."""
    made = client()
    free = {item.name for item in made.workloads.queue().free_specs}
    columns: Columns[models.Spec] = [
        ("NAME", lambda item: item.name),
        ("SHAPE", words.shape),
        ("PRICE", lambda item: words.price(item.price_micro)),
        ("NOW", lambda item: "free" if item.name in free else "taken"),
        ("", lambda item: item.description),
    ]
    table(made.resources.specs(**query), columns, empty="There is no spec you may use: ask an admin for a pool.")


@pool.command("list")
def pools() -> None:
    """List the pools you may use."""
    columns: Columns[models.Pool] = [
        ("NAME", lambda item: item.name),
        ("FOR", lambda item: ", ".join(item.kinds)),
        ("SPECS", lambda item: ", ".join(item.specs) or "all"),
        ("NODES", lambda item: ", ".join(item.nodes) or "all"),
        ("", lambda item: item.description),
    ]
    table(client().resources.pools(), columns, empty="There is no pool you may use.")
