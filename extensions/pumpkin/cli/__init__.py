"""The command line, `pumpkin`: one file per noun, loaded only when its noun is used.

Exit codes: 0 done; 1 the platform refused; 2 the command line is wrong; 3 not logged in or not permitted; 4 not found;
5 in conflict with the present state; 6 the platform cannot be reached; 130 interrupted. `job run --wait` and `job
wait` answer with the job's own exit code.
"""

from __future__ import annotations

import click

from pumpkin.cli.frame import LazyGroup, version_callback

COMMANDS = {
    "login": ("account:login", "Keep a token for a platform."),
    "logout": ("account:logout", "Forget the token."),
    "whoami": ("account:whoami", "Show who you are there."),
    "up": ("embedded:up", "Start the platform on this machine."),
    "down": ("embedded:down", "Stop it; jobs run on."),
    "status": ("embedded:status", "Show what of it runs."),
    "logs": ("embedded:logs", "Print the platform's own logs."),
    "password": ("embedded:password", "Make a one-time password for a user."),
    "dataset": ("assets:dataset", "Data to learn from."),
    "algorithm": ("assets:algorithm", "Code to run."),
    "model": ("assets:model", "What jobs have learnt."),
    "env": ("env:env", "Environments: locked Python packages."),
    "job": ("job:job", "Training jobs."),
    "schedule": ("schedule:schedule", "Jobs submitted again and again."),
    "notebook": ("notebook:notebook", "Notebook servers."),
    "spec": ("resources:spec", "Shapes to run on, and their prices."),
    "pool": ("resources:pool", "Pools of machines."),
    "workspace": ("people:workspace", "Workspaces and their members."),
    "user": ("people:user", "Users (for admins)."),
    "token": ("token:token", "Tokens for scripts."),
    "billing": ("billing:billing", "Balances and what was spent."),
    "admin": ("admin:admin", "Running the house (for admins)."),
    "fsck": ("embedded:fsck", "Prove that the store is whole."),
    "completion": ("completion:completion", "Print the shell's completion script."),
}


@click.command(cls=LazyGroup, commands_table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", metavar="URL", help="The platform's address (PUMPKIN_URL, else the one logged in to).")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version_callback)
@click.pass_context
def cli(context: click.Context, url: str | None) -> None:
    """Pumpkin: data, algorithms, environments, models and jobs in one place.

    Begin with 'pumpkin up' on this machine or 'pumpkin login URL' for a platform elsewhere. Every command takes
    --json.
    """
    context.ensure_object(dict)["url"] = url


def main() -> None:
    """Enter from the command line."""
    cli(prog_name="pumpkin")
