"""The kubelet of every pretended node, as far as logs go: each container has written one line, and runs a second.

A process of its own, `python -m tests.cluster.rig.fakelogs`. Who follows a log is let go when the container ends; of
one that runs longer than the pods of `kwok.yaml` do, the log has to be asked for again.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from tests.cluster.rig.place import HOST, PKI

PORT = 10350
RUN_SECONDS = 1.0


class Log(RequestHandler):
    """The log of a container."""

    async def get(self, pod: str) -> None:
        """Answer with its line."""
        stamped = self.get_query_argument("timestamps", "")
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z " if stamped else ""
        self.write(f"{stamp}hello from {pod}\n")
        if self.get_query_argument("follow", ""):
            await self.flush()
            await asyncio.sleep(RUN_SECONDS)


async def main() -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PKI / "kubelet.crt", PKI / "kubelet.key")
    routes = [(r"/containerLogs/[^/]+/([^/]+)/[^/]+", Log)]
    HTTPServer(Application(routes), ssl_options=context).listen(PORT, HOST)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
