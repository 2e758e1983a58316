"""`pumpkin admin …-spec` and `…-pool`: what may be run on, at what price, and by whom."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from pumpkin import _models as models
from pumpkin.cli import words
from pumpkin.cli.frame import MONEY, client, confirm, done
from pumpkin.errors import PumpkinError

names = partial(click.option, multiple=True, metavar="NAME")


@click.command("add-spec")
@click.argument("name")
@click.option("--cores", type=float, required=True)
@click.option("--memory", type=float, required=True, metavar="GIB")
@click.option("--accelerators", type=click.IntRange(0), default=0)
@click.option("--accelerator-type", default="", help="As the machines name it; any unless given.")
@click.option("--price", type=MONEY, default="0", help="Per hour.", show_default=True)
@click.option("--description", default="")
def add_spec(name: str, **given: Any) -> None:
    """Add a spec."""
    answer = client().request("POST", "/resources/specs", body={"name": name, **_spec(given)})
    done(f"Added the spec {name}.", models.Spec.model_validate_json(answer.content))


@click.command("edit-spec")
@click.argument("name")
@click.option("--cores", type=float)
@click.option("--memory", type=float, metavar="GIB")
@click.option("--accelerators", type=click.IntRange(0))
@click.option("--accelerator-type")
@click.option("--price", type=MONEY, help="Per hour.")
@click.option("--description")
@click.option("--enabled/--disabled", default=None, help="Whether anything new may run on it.")
def edit_spec(name: str, **given: Any) -> None:
    """Change a spec; what runs keeps the shape and the price it started with."""
    answer = client().request("PATCH", f"/resources/specs/{name}", body=_something(_spec(given)))
    spec = models.Spec.model_validate_json(answer.content)
    state = "" if spec.enabled else ", disabled"
    done(f"{name} is {words.shape(spec)}, {words.price(spec.price_micro)}{state}.", spec)


@click.command("remove-spec")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove_spec(name: str, yes: bool) -> None:
    """Remove a spec; what runs keeps running."""
    confirm(f"Remove the spec {name}", yes=yes)
    client().request("DELETE", f"/resources/specs/{name}")
    done(f"Removed the spec {name}.")


def _pool_options(command: Any) -> Any:
    for option in (
        click.option("--disabled/--enabled", "disabled", default=None, help="Whether nothing new may run in it."),
        click.option("--priority", type=int, help="Of several pools that fit, the highest is used."),
        click.option(
            "--reclaimable/--not-reclaimable",
            default=None,
            help="Whether jobs beyond what it deserves may be ended for others (on a cluster).",
        ),
        click.option(
            "--deserved",
            "deserved_percent",
            type=click.IntRange(0, 100),
            help="Percent of its nodes where several pools want them (on a cluster).",
        ),
        click.option(
            "--guarantee",
            "guarantee_percent",
            type=click.IntRange(0, 100),
            help="Percent of its nodes that nobody else gets (on a cluster).",
        ),
        click.option("--parent", help="Make it a part of this pool (on a cluster), with '' of none."),
        names("--hub-role", "hub_roles", help="Open to those with this Hub role; repeatable."),
        names("--user", "users", help="Open to this user; repeatable."),
        names("--workspace", "workspaces", help="Open to this workspace; repeatable."),
        click.option("--everyone/--not-everyone", default=None, help="Open to everybody."),
        click.option("--kind", "kinds", type=click.Choice(["job", "notebook"]), multiple=True, help="For these only."),
        names("--spec", "specs", help="Offer this spec; repeatable; all unless given."),
        names("--node", "nodes", help="Use this machine; repeatable; all unless given."),
        click.option("--description"),
    ):
        command = option(command)
    return command


@click.command("add-pool")
@click.argument("name")
@_pool_options
def add_pool(name: str, **given: Any) -> None:
    """Add a pool of machines."""
    answer = client().request("POST", "/resources/pools", body={"name": name, **_pool(given)})
    done(f"Added the pool {name}.", models.Pool.model_validate_json(answer.content))


@click.command("edit-pool")
@click.argument("name")
@_pool_options
@click.option("--clear", multiple=True, type=click.Choice(["nodes", "specs", "workspaces", "users", "hub_roles"]),
              help="Empty this list; repeatable.")  # fmt: skip
def edit_pool(name: str, clear: tuple[str, ...], **given: Any) -> None:
    """Change a pool; a list given replaces the one it had."""
    empty: list[str] = []
    body = _something({**dict.fromkeys(clear, empty), **_pool(given)})
    answer = client().request("PATCH", f"/resources/pools/{name}", body=body)
    done(f"Changed the pool {name}.", models.Pool.model_validate_json(answer.content))


@click.command("remove-pool")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove_pool(name: str, yes: bool) -> None:
    """Remove a pool; what runs keeps running."""
    confirm(f"Remove the pool {name}", yes=yes)
    client().request("DELETE", f"/resources/pools/{name}")
    done(f"Removed the pool {name}.")


def _spec(given: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in given.items() if value is not None}
    for key, name, factor in (("cores", "cpu_milli", 1000), ("memory", "memory", 2**30)):
        if key in found:
            found[name] = round(found.pop(key) * factor)
    if "price" in found:
        found["price_micro"] = found.pop("price")
    return found


def _pool(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: [*value] if isinstance(value, tuple) else value for key, value in given.items()}
    disabled = found.pop("disabled")
    kept = {key: value for key, value in found.items() if value not in (None, [])}
    return kept if disabled is None else kept | {"enabled": not disabled}


def _something(body: dict[str, Any]) -> dict[str, Any]:
    if not body:
        raise PumpkinError("Nothing is to be changed: say what, see --help.", reason="invalid")
    return body


COMMANDS = (add_spec, edit_spec, remove_spec, add_pool, edit_pool, remove_pool)
