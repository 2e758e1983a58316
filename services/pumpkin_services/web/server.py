"""From the route table to a tornado application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyterhub.services.auth import HubOAuthCallbackHandler
from tornado.web import Application

from pumpkin_services.web.handler import ApiHandler, Edge
from pumpkin_services.web.routes import Route

API = "api/v1"
CHUNK = 1 << 20
MAX_BODY = 1 << 50
"""tornado's own limit is lifted: each route has its own, refused with a sentence."""


def handlers(routes: Sequence[Route], *, edge: Edge, prefix: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return tornado's handler table for `routes` below `prefix` (`/services/pumpkin/`), the OAuth callback included.

    Raises:
        ValueError: if two routes share a method and a path.
    """
    by_path: dict[str, dict[str, Route]] = {}
    for route in routes:
        methods = by_path.setdefault(route.pattern(), {})
        if route.method in methods:
            raise ValueError(f"two routes for {route.method} {route.path}")
        methods[route.method] = route
    # Fixed segments before variables, so that `/jobs/batch` is never taken for a job called "batch".
    ordered = sorted(by_path, key=lambda pattern: (pattern.replace("(?P", "~"), pattern))
    table: list[tuple[str, Any, dict[str, Any]]] = [
        (f"{prefix}{API}{pattern}", ApiHandler, {"edge": edge, "routes": by_path[pattern]}) for pattern in ordered
    ]
    return [(f"{prefix}oauth_callback", HubOAuthCallbackHandler, {}), *table]


def application(table: Sequence[Any], *, cookie_secret: bytes, **settings: Any) -> Application:
    """Return the tornado application for a handler table."""
    return Application(list(table), cookie_secret=cookie_secret, compress_response=False, **settings)
