"""`pumpkin login`, `logout` and `whoami`."""

from __future__ import annotations

import sys
from typing import Any

import click

from pumpkin import config
from pumpkin.cli.frame import client, done, facts, json_option
from pumpkin.errors import PumpkinError


@json_option
@click.command()
@click.argument("url", required=False)
@click.option("--token", help="A token, from the portal's page Account; '-' reads it from standard input.")
@click.option("--user", help="Log in with this name and a password instead of a token.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def login(url: str | None, token: str | None, user: str | None, password_stdin: bool) -> None:
    """Keep a token for the platform at URL.

    With --user it asks for the password and makes a token. Otherwise it asks for a token, which you make on the
    portal's page Account. Kept in ~/.config/pumpkin/config.toml, readable by you only.
    """
    from pumpkin import Client
    from pumpkin.login import token_page

    options: dict[str, Any] = click.get_current_context().find_root().obj or {}
    address = config.load(url or options.get("url"), "none yet").url
    if token == "-":
        token = sys.stdin.readline().strip()
    if user and not token:
        token = _by_password(address, user, password_stdin)
    while not token:
        click.echo(f"Make a token at {token_page(address)} and paste it here.", err=True)
        token = click.prompt("Token", hide_input=True, err=True).strip()
    with Client(address, token) as made:
        me = made.whoami()
        path = config.save(made.config)
    done(f"Logged in at {address} as {me.name}; the token is in {path}.", {"url": address, "name": me.name})


def _by_password(address: str, user: str, from_stdin: bool) -> str:
    from pumpkin.login import request_token

    def ask(prompt: str) -> str:
        return sys.stdin.readline().rstrip("\n") if from_stdin else click.prompt(prompt, hide_input=True, err=True)

    password = ask("Password")
    try:
        return request_token(address, user, password)
    except PumpkinError as error:
        if error.reason != "choose_password":
            raise
        click.echo(str(error), err=True)
    chosen = ask("New password")
    if not from_stdin and ask("The same again") != chosen:
        raise PumpkinError("The two passwords differ: log in again.", field="password")
    return request_token(address, user, password, new_password=chosen)


@json_option
@click.command()
def logout() -> None:
    """Forget the token; 'pumpkin token revoke' ends it for good."""
    done("Forgot the token." if config.forget() else "There was no token.")


@json_option
@click.command()
def whoami() -> None:
    """Show who you are, where, and what you belong to."""
    made = client()
    me = made.whoami()
    places = [f"{item.workspace} ({'your own' if item.personal else item.role})" for item in me.workspaces]
    facts(
        me,
        [
            ("user", me.name + (" (admin)" if me.admin else "")),
            ("platform", made.config.url),
            ("token from", made.config.source),
            ("workspaces", "\n".join(places)),
        ],
    )
