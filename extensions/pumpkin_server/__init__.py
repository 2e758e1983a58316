"""A Jupyter server extension: the Lab's same-origin door to the platform, `<base>/pumpkin/api/…`.

It also opens a job as a notebook, `<base>/pumpkin/open?job=ID`, tells the Lab which workload its server is,
and uploads files of this server, `<base>/pumpkin/uploads`.
"""

from __future__ import annotations

import os
from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:  # pyright: ignore[reportUnusedFunction]
    return [{"module": "pumpkin_server"}]


def _load_jupyter_server_extension(app: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    """Add the routes; Jupyter calls this once when the server starts."""
    from jupyter_server.utils import url_path_join

    from pumpkin_server import uploads
    from pumpkin_server.opening import OpenHandler
    from pumpkin_server.proxy import PREFIX, ProxyHandler

    base = app.web_app.settings["base_url"]
    handlers = [(url_path_join(base, PREFIX, "(.+)"), ProxyHandler), (url_path_join(base, "pumpkin/open"), OpenHandler)]
    app.web_app.add_handlers(".*$", [*handlers, *uploads.handlers(app.web_app.settings)])
    told: dict[str, Any] = app.web_app.settings.setdefault("page_config_data", {})
    told["pumpkinWorkload"] = os.environ.get("PUMPKIN_WORKLOAD", "")
    # What the server, and so its kernel `python3`, runs on; the platform's default needs no naming.
    told["pumpkinEnvironment"] = os.environ.get("PUMPKIN_SERVER_ENVIRONMENT", "")
    app.log.info("Pumpkin: the platform's API is at %s", PREFIX)
