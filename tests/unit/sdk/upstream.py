"""A small real HTTP server whose answers a test writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """`answer(request, number)` returns status, headers and body; `requests` is what came."""

    answer: Callable[[Request, int], tuple[int, dict[str, str], bytes]]
    url: str = ""
    requests: list[Request] = field(default_factory=list)


def problem(status: int, detail: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    document = {"type": "t", "title": "t", "status": status, "detail": detail, "reason": "invalid", **more}
    return status, {"Content-Type": "application/problem+json"}, json.dumps(document).encode()


def ok(document: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


@contextmanager
def upstream(answer: Callable[[Request, int], tuple[int, dict[str, str], bytes]]) -> Iterator[Upstream]:
    server = Upstream(answer)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            server.requests.append(request)
            status, headers, content = server.answer(request, len(server.requests))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
