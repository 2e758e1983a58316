"""The platform service's process: settings in, everything wired, one tornado server out.

The Hub starts it as a managed service and tells it where to listen (JUPYTERHUB_SERVICE_URL) and who it is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuth
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets import Unicode
from traitlets.config import Application, Config

from pumpkin_services.db import Database
from pumpkin_services.db.migrate import NewerDatabase, migrate
from pumpkin_services.secrets import load_secret
from pumpkin_services.settings import Cluster, Platform
from pumpkin_services.storage.settings import S3
from pumpkin_services.web.auth import Authenticator
from pumpkin_services.web.handler import Edge
from pumpkin_services.web.ratelimit import RateLimiter
from pumpkin_services.web.server import CHUNK, MAX_BODY, application, handlers
from pumpkin_services.wiring import Parts, api_routes, page_handlers, wire

log = logging.getLogger("pumpkin")


class PlatformApp(Application):
    """Command line: `python -m pumpkin_services [--config FILE] [--Platform.<setting>=…]`."""

    name = "pumpkin-services"
    classes = [Platform, Cluster, S3]
    config_file = Unicode("", help="A Python file with `c.Platform.<setting> = …`.").tag(config=True)
    aliases = {"config": "PlatformApp.config_file", "data": "Platform.data_dir"}

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the command line, then the configuration file, then the command line again: it wins."""
        self.parse_command_line(argv)
        if self.config_file:
            overrides = Config(self.config)
            path = Path(self.config_file).resolve()
            self.load_config_file(path.name, path=str(path.parent))
            self.update_config(overrides)
        logging.basicConfig(
            level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname).1s %(name)s %(message)s"
        )

    def start(self) -> None:
        """Run until SIGTERM or SIGINT."""
        try:
            asyncio.run(self.run())
        except NewerDatabase as error:
            sys.exit(str(error))

    async def run(self) -> None:
        """Serve until told to stop; the pipeline hands its lease back, running workloads stay."""
        settings = Platform(config=self.config)
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(settings.database_url)
        await migrate(database)
        parts = wire(settings, database)
        await parts.start()
        server = build_server(parts)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server.add_sockets(_sockets())
        log.info("the platform answers on %s", os.environ.get("JUPYTERHUB_SERVICE_URL"))
        try:
            await stop.wait()
        finally:
            server.stop()
            await parts.stop()
            await server.close_all_connections()
            await database.close()


def build_server(parts: Parts) -> HTTPServer:
    """Return the HTTP server over `parts`: API routes, OAuth callback and pages."""
    settings = parts.settings
    hub_auth = HubOAuth.instance(config=settings.config)
    edge = Edge(
        database=parts.database,
        authenticator=Authenticator(hub_auth, admit=parts.accounts.admit, workload=parts.tokens.principal_for),
        limiter=RateLimiter(),
    )
    prefix = hub_auth.base_url
    table = handlers(api_routes(parts), edge=edge, prefix=prefix) + page_handlers(parts, edge, prefix=prefix)
    app = application(table, cookie_secret=load_secret(settings.data / "secrets", "service_cookie_secret"))
    return HTTPServer(app, xheaders=True, max_body_size=MAX_BODY, chunk_size=CHUNK)


def _sockets() -> list[socket.socket]:
    url = urlparse(os.environ.get("JUPYTERHUB_SERVICE_URL") or "http://127.0.0.1:8003")
    return bind_sockets(url.port or 8003, url.hostname or "127.0.0.1")


def main() -> None:
    """Enter from the command line."""
    PlatformApp.launch_instance()
