"""`pumpkin token`: personal tokens for scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pumpkin.cli import words
from pumpkin.cli.frame import Columns, Noun, client, confirm, done, table, wants_json
from pumpkin.errors import PumpkinError

if TYPE_CHECKING:
    from pumpkin import models

token = Noun("token", help="Tokens for scripts: what each may do, and for how long.")


@token.command("list")
def list_tokens() -> None:
    """List your tokens; nobody can show their secrets again."""
    columns: Columns[models.Token] = [
        ("ID", lambda item: item.id),
        ("NOTE", lambda item: item.note + (" (this one)" if item.current else "")),
        ("MAY", lambda item: "everything you may" if item.everything else " ".join(item.scopes)),
        ("MADE", lambda item: words.ago(item.created)),
        ("USED", lambda item: words.ago(item.last_used) or "never"),
        ("ENDS", lambda item: _left(item.expires)),
    ]
    table(client().tokens.list(), columns, empty="None.")


@token.command("create")
@click.argument("note")
@click.option("--scope", "scopes", multiple=True, metavar="MODULE:VERB", help="May be repeated: workloads:write, …")
@click.option("--read-only", is_flag=True, help="See everything, change nothing.")
@click.option("--ci", is_flag=True, help="Upload code and submit jobs.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lasts; until revoked unless given.")
def create(note: str, scopes: tuple[str, ...], read_only: bool, ci: bool, days: int | None) -> None:
    """Make a token and print it: the only time it is shown.

    It can do no more than the token you are logged in with, and lasts no longer.
    """
    from pumpkin._sync.tokens import CI, READ_ONLY

    chosen = [*scopes, *(READ_ONLY if read_only else ()), *(CI if ci else ())]
    if not chosen:
        raise PumpkinError("Say what it may do: --read-only, --ci or --scope MODULE:VERB.", field="scope")
    made = client().tokens.create(note, chosen, lifetime=None if days is None else days * 86_400)
    # Alone on standard output, so that it can be handed on without being shown.
    if not wants_json():
        click.echo(f"Made {made.id}, which may {' '.join(made.scopes)}. Keep it now, it is not shown again:", err=True)
    done(made.token, made)


@token.command("revoke")
@click.argument("id_", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def revoke(id_: str, yes: bool) -> None:
    """End a token at once, by its ID."""
    confirm(f"Revoke {id_}: whatever uses it is refused from then on", yes=yes)
    client().tokens.revoke(id_)
    done(f"Revoked {id_}.")


def _left(expires: datetime | None) -> str:
    return "" if expires is None else f"in {words.span((expires - datetime.now(UTC)).total_seconds())}"
