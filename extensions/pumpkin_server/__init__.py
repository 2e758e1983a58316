"""A Jupyter server extension: the Lab's same-origin door to the platform, `<base>/pumpkin/api/…`."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:  # pyright: ignore[reportUnusedFunction]
    return [{"module": "pumpkin_server"}]


def _load_jupyter_server_extension(app: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    """Add the route; Jupyter calls this once when the server starts."""
    from jupyter_server.utils import url_path_join

    from pumpkin_server.proxy import PREFIX, ProxyHandler

    pattern = url_path_join(app.web_app.settings["base_url"], PREFIX, "(.+)")
    app.web_app.add_handlers(".*$", [(pattern, ProxyHandler)])
    app.log.info("Pumpkin: the platform's API is at %s", PREFIX)
