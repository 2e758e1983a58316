"""`pumpkin admin`: machines, usage, the audit log; specs, pools, limits and budgets have files of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpkin.cli import admin_limits, admin_specs, words
from pumpkin.cli.frame import Columns, Noun, client, done, table

if TYPE_CHECKING:
    from pumpkin import models

admin = Noun("admin", help="Running the house (for admins).")


@admin.command("nodes")
def nodes() -> None:
    """List the machines."""
    columns: Columns[models.Node] = [
        ("NAME", lambda item: item.name),
        ("CORES", lambda item: f"{item.used_cpu_milli / 1000:g}/{item.usable_cpu_milli / 1000:g}"),
        ("MEMORY", lambda item: f"{words.size(item.used_memory)}/{words.size(item.usable_memory)}"),
        ("ACCELERATORS", lambda item: f"{len(item.used_accelerators or ())}/{len(item.usable_accelerators)}"),
        ("STATE", lambda item: f"drained: {item.drain_reason}" if item.drained else "" if item.alive else "silent"),
    ]
    table(client().resources.nodes(), columns, empty="No machines.")


@admin.command("drain")
@click.argument("node")
@click.option("--reason", default="")
def drain(node: str, reason: str) -> None:
    """Give a machine no new workloads."""
    client().request("POST", f"/resources/nodes/{node}/drain", body={"reason": reason})
    done(f"{node} gets no new workloads.")


@admin.command("undrain")
@click.argument("node")
def undrain(node: str) -> None:
    """Give a machine workloads again."""
    client().request("POST", f"/resources/nodes/{node}/undrain")
    done(f"{node} gets workloads again.")


@admin.command("usage")
def usage() -> None:
    """Show who uses what right now."""
    columns: Columns[models.UsageItem] = [
        ("WORKLOAD", lambda item: item.workload),
        ("NAME", lambda item: item.name),
        ("USER", lambda item: f"{item.workspace}/{item.creator}"),
        ("REPLICA", lambda item: item.replica),
        ("NODE", lambda item: item.node),
        ("SHAPE", _held),
        ("SINCE", lambda item: words.ago(item.since)),
    ]
    table(client().resources.usage().items, columns, empty="Nothing runs.")


def _held(item: Any) -> str:
    accelerators = f", {len(item.accelerators)} accelerators" if item.accelerators else ""
    return f"{item.cpu_milli / 1000:g} cores, {words.size(item.memory)}{accelerators}"


@admin.command("audit")
@click.option("--actor", help="Only what this user did.")
@click.option("--owner", help="Only what this workspace owns.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
def audit(**query: Any) -> None:
    """Print the audit log, newest first."""
    columns: Columns[models.AuditLine] = [
        ("TIME", lambda item: f"{item.time.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("WHO", lambda item: item.actor),
        ("ACTION", lambda item: item.action),
        ("OBJECT", lambda item: item.object),
        ("FROM", lambda item: item.address),
    ]
    table(client().accounts.audit(**query), columns, empty="No lines.")


for command in (*admin_specs.COMMANDS, *admin_limits.COMMANDS):
    admin.add_command(command)
