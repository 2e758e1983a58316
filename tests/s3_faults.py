"""A store that is not well: a proxy before a real S3 server that answers 503, stalls, cuts bodies short, flips bits.

It hands requests on as they are, Host included, so signatures hold; clients are pointed at `Faults.endpoint`.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["503", "stall", "cut", "flip", "flip sent", "lose answer"]
"""What goes wrong with a request: refused; half the body and silence; half the body and the end; one bit of the
answer's body, or of the request's, turned; carried out, but the connection ends before the answer."""
HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass
class Faults:
    """Tells the proxy what to do to the next requests; `seen` are the faults that happened, of `requests` in all.

    `answered` counts the bytes of what was handed back.
    """

    endpoint: str = ""
    seen: list[Fault] = field(default_factory=list[Fault])
    requests: int = 0
    answered: int = 0
    _fault: Fault | None = None
    _method: str = ""
    _times: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def inject(self, fault: Fault, *, method: str, times: int = 1) -> None:
        """Do `fault` to the next requests of that method; a lasting fault has many `times`."""
        with self._lock:
            self._fault, self._method, self._times = fault, method, times

    def heal(self) -> None:
        """Do nothing more."""
        with self._lock:
            self._times = 0

    def next(self, method: str) -> Fault | None:
        """Return what to do to this request."""
        with self._lock:
            self.requests += 1
            if self._times == 0 or method != self._method or self._fault is None:
                return None
            self._times -= 1
            self.seen.append(self._fault)
            return self._fault


@contextmanager
def faulty(upstream: str) -> Generator[Faults]:
    """Run a proxy before the server at `upstream` (`http://127.0.0.1:…`)."""
    faults = Faults()
    handler = type("Handler", (_Handler,), {"faults": faults, "upstream": urlsplit(upstream).netloc})
    server = _Server(("127.0.0.1", 0), handler)
    faults.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield faults
    finally:
        faults.over.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults
    upstream: str

    def _pass_on(self) -> None:
        fault = self.faults.next(self.command)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if fault == "503":
            self._answer(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
            return
        if fault == "flip sent":
            body = _flipped(body)
        upstream = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read everything
                upstream.endheaders(body or None)
            answer = upstream.getresponse()
            data = answer.read()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
        finally:
            upstream.close()
        if fault == "lose answer":
            self.close_connection = True
            return
        self._answer(answer.status, headers, _flipped(data) if fault == "flip" else data, fault=fault)

    def _answer(self, status: int, headers: dict[str, str], data: bytes, *, fault: Fault | None = None) -> None:
        length = headers.get("Content-Length", str(len(data)))  # of a HEAD, the object's
        self.send_response_only(status)
        for name, value in (headers | {"Content-Length": length}).items():
            self.send_header(name, value)
        self.end_headers()
        if fault in ("stall", "cut"):
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if fault == "stall":
                self.faults.over.wait(60)
            self.close_connection = True
        elif self.command != "HEAD":
            self.faults.answered += len(data)
            self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _flipped(data: bytes) -> bytes:
    """Return `data` with the lowest bit of its middle byte turned."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data
