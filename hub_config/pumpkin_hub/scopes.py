"""Every permission of the platform, as data: the custom scopes, and the Hub roles that hold them.

This table is the only place a scope is defined. The Hub, the service's checks and the documentation read it.
"""

from __future__ import annotations

from typing import Any

PREFIX = "custom:pumpkin:"
GRANTS = f"{PREFIX}grants"
SERVICE = "pumpkin"
SPAWNER_SERVICE = "pumpkin-spawner"

VERBS = {
    "read": "See {things}",
    "write": "Create and change {things}",
    "admin": "Administer everybody's {things}",
}
MODULES = {
    "datasets": "datasets",
    "algorithms": "algorithms",
    "models": "models",
    "images": "environments and images",
    "workloads": "notebooks and jobs",
    "schedules": "schedules of jobs",
    "resources": "nodes, specs, pools and limits",
    "accounts": "users and workspaces",
    "billing": "prices, balances and charges",
}
READ_ONLY_FOR_USERS = frozenset({"resources", "billing"})
"""Users only read these; a workspace's owner changes its members under `accounts:write`."""

SERVICE_SCOPES = (
    "list:users",
    "read:users",
    "read:servers",
    "servers",  # start a notebook whose grant is ready, stop one that is idle or over its budget
    "tokens",  # freezing a user deletes their tokens
    "admin:groups",  # workspaces are Hub groups
    "read:roles",
    "read:hub",
)


def custom_scopes() -> dict[str, dict[str, Any]]:
    """Return the definitions for `c.JupyterHub.custom_scopes`; admin includes write, write includes read."""
    table: dict[str, dict[str, Any]] = {
        GRANTS: {"description": "Ask for and hold notebook grants in the name of any user (the Hub's spawner)"}
    }
    for module, things in MODULES.items():
        below = ""
        for verb, text in VERBS.items():
            name = f"{PREFIX}{module}:{verb}"
            table[name] = {"description": text.format(things=things), **({"subscopes": [below]} if below else {})}
            below = name
    return table


def user_scopes() -> list[str]:
    """Return the platform scopes every user holds."""
    return [f"{PREFIX}{module}:{'read' if module in READ_ONLY_FOR_USERS else 'write'}" for module in MODULES] + [
        f"access:services!service={SERVICE}"
    ]


def admin_scopes() -> list[str]:
    """Return the platform scopes an admin of the Hub holds."""
    return [f"{PREFIX}{module}:admin" for module in MODULES]


def server_token_scopes() -> list[str]:
    """Return what a notebook's own token may do: use the platform as its user, and report its activity."""
    return ["users:activity!user", "access:servers!server", *user_scopes()]


def roles() -> list[dict[str, Any]]:
    """Return the roles of our services, for `c.JupyterHub.load_roles`."""
    return [
        {
            "name": "pumpkin-service",
            "description": "What the platform service does through the Hub",
            "scopes": list(SERVICE_SCOPES),
            "services": [SERVICE],
        },
        {
            "name": "pumpkin-spawner",
            "description": "What the Hub's spawner does through the platform",
            "scopes": [GRANTS, f"access:services!service={SERVICE}"],
            "services": [SPAWNER_SERVICE],
        },
    ]
