"""The two things JupyterHub 6.1.1 has no setting for. Each is held by a test that names it.

Revisit both whenever the pinned Hub changes.
"""

from __future__ import annotations

from typing import Any

from jupyterhub import roles
from jupyterhub.services import service
from traitlets import Integer

from pumpkin_hub import scopes

_hub_roles = roles.get_default_roles


class QuickServiceSpawner(service._ServiceSpawner):  # pyright: ignore[reportPrivateUsage]
    """Runs the service; sees within a second, instead of thirty, that it has died."""

    poll_interval = Integer(1, help="Seconds between two looks at the process.")


def _default_roles() -> list[dict[str, Any]]:
    # The Hub lets nobody override its admin role, and its own admins would hold none of our scopes.
    table: list[dict[str, Any]] = _hub_roles()
    for role in table:
        if role["name"] == "admin":
            role["scopes"] = [*role["scopes"], *scopes.admin_scopes()]
    return table


def apply() -> None:
    """Make the changes in this process."""
    roles.get_default_roles = _default_roles
    service._ServiceSpawner = QuickServiceSpawner  # pyright: ignore[reportPrivateUsage]
