"""What a pod sends to the platform. Every call may be repeated: what was taken before is not taken twice."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from pumpkin._protocol import refusal, unreachable
from pumpkin.pod.settings import Pod

BLOCK = 1 << 20
TAKING = 3600.0
"""Seconds the platform may need to unpack what it was sent."""


class Home:
    """The platform, as one workload's pod reaches it. Every call blocks, is made once, and raises `PumpkinError`."""

    def __init__(self, pod: Pod) -> None:
        self._url = pod.config.url
        self._path = f"{pod.config.api}/workloads/{pod.workload}"
        self._replica = pod.replica
        self._http = httpx.Client(
            headers={"User-Agent": "pumpkin-pod", "Authorization": f"token {pod.config.token}"},
            timeout=httpx.Timeout(30.0, connect=10.0),
            trust_env=not pod.config.url.startswith(("http://127.", "http://localhost")),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send_metrics(self, lines: list[dict[str, Any]]) -> None:
        """Send lines of the replica's metrics, in their order."""
        self._send("POST", "metrics", json={"source": self._replica, "lines": lines})

    def send_output(self, content: Iterator[bytes]) -> None:
        """Send the replica's output folder, a tar."""
        timeout = httpx.Timeout(120.0, connect=10.0, read=TAKING)
        headers = {"Content-Type": "application/x-tar"}
        self._send("PUT", f"outputs/{self._replica}", content=content, headers=headers, timeout=timeout)

    @contextmanager
    def environment(self) -> Generator[tuple[int, Iterator[bytes]]]:
        """Read the workload's environment: yield the bytes of its tar, and them in pieces."""
        timeout = httpx.Timeout(120.0, connect=10.0)
        try:
            with self._http.stream("GET", f"{self._path}/environment", timeout=timeout) as response:
                if response.headers.get("Content-Type") != "application/x-tar":
                    response.read()
                    raise refusal(response)
                yield int(response.headers["Content-Length"]), response.iter_raw(BLOCK)
        except httpx.TransportError as error:
            raise unreachable(self._url, error) from error

    def _send(self, method: str, path: str, **what: Any) -> None:
        try:
            response = self._http.request(method, f"{self._path}/{path}", **what)
        except httpx.TransportError as error:
            raise unreachable(self._url, error) from error
        # While the service starts anew the Hub answers in its place, with a page.
        if response.status_code != 204:
            raise refusal(response)
