"""`pumpkin workspace` and `pumpkin user`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, confirm, done, facts, table

if TYPE_CHECKING:
    from pumpkin import models

workspace = Noun("workspace", help="Workspaces own things and pay for them; your own is called like you.")
user = Noun("user", help="Users (for admins).")


@workspace.command("list")
@click.option("--all", "everything", is_flag=True, help="Everybody's (admins).")
def list_workspaces(everything: bool) -> None:
    """List your workspaces."""
    columns: Columns[models.Workspace] = [
        ("NAME", lambda item: item.name),
        ("ROLE", lambda item: "your own" if item.personal and item.role else item.role or ""),
        ("MEMBERS", lambda item: item.members),
        ("", lambda item: item.description),
    ]
    table(client().accounts.workspaces(everything=everything), columns, empty="None.")


@workspace.command("create")
@click.argument("name")
@click.option("--description", default="")
def create(name: str, description: str) -> None:
    """Make a workspace; you become its owner."""
    made = client().accounts.create_workspace(name, description=description)
    done(f"Made the workspace {made.name}.", made)


@workspace.command("delete")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Delete a workspace that owns nothing any more."""
    confirm(f"Delete the workspace {name}", yes=yes)
    client().accounts.delete_workspace(name)
    done(f"Deleted the workspace {name}.")


@workspace.command("members")
@click.argument("name")
def members(name: str) -> None:
    """List who belongs to a workspace."""
    columns: Columns[models.Member] = [
        ("USER", lambda item: item.user),
        ("ROLE", lambda item: item.role),
        ("ADDED", lambda item: words.ago(item.added)),
    ]
    table(client().accounts.members(name).items, columns, empty="Nobody.")


@workspace.command("add")
@click.argument("name")
@click.argument("user_", metavar="USER")
@click.option("--role", type=click.Choice(["owner", "member", "viewer"]), default="member", show_default=True)
def add(name: str, user_: str, role: str) -> None:
    """Add a user to a workspace, or change their role there."""
    client().accounts.add_member(name, user_, role=role)  # pyright: ignore[reportArgumentType]
    done(f"{user_} is now {role} of {name}.")


@workspace.command("remove")
@click.argument("name")
@click.argument("user_", metavar="USER")
def remove(name: str, user_: str) -> None:
    """Take a user out of a workspace."""
    client().accounts.remove_member(name, user_)
    done(f"{user_} no longer belongs to {name}.")


@user.command("list")
@click.option("-q", "--search", "q", help="Only names that contain this.")
@click.option("--frozen/--not-frozen", default=None)
def list_users(q: str | None, frozen: bool | None) -> None:
    """List users."""
    columns: Columns[models.User] = [
        ("NAME", lambda item: item.name),
        ("ROLE", lambda item: "admin" if item.admin else ""),
        ("STATE", lambda item: f"frozen: {item.frozen_reason}" if item.frozen else ""),
        ("SEEN", lambda item: words.ago(item.last_seen)),
    ]
    table(client().accounts.users(q=q, frozen=frozen), columns, empty="No users.")


@user.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show one user."""
    item = client().accounts.user(name)
    frozen = f"by {item.frozen_by}: {item.frozen_reason}" if item.frozen else ""
    facts(
        item,
        [("name", item.name), ("called", item.display_name), ("roles", ", ".join(item.roles)), ("frozen", frozen),
         ("seen", words.ago(item.last_seen))],
    )  # fmt: skip


@user.command("freeze")
@click.argument("name")
@click.option("--reason", default="", help="They are shown it.")
def freeze(name: str, reason: str) -> None:
    """Shut a user out: their servers stop and their tokens end."""
    item = client().accounts.freeze(name, reason=reason)
    done(f"{name} is frozen.", item)


@user.command("thaw")
@click.argument("name")
def thaw(name: str) -> None:
    """Let a frozen user in again."""
    item = client().accounts.thaw(name)
    done(f"{name} may come in again.", item)
