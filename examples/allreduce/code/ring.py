"""The sum of an array over all replicas of a job, passed round in a ring of sockets. NumPy alone.

Each replica talks to the two beside it only, and sends 2 (n - 1) / n of the array whatever n is: first every replica
comes to hold the sum of one slice (reduce-scatter), then the sums go round once more (all-gather).
"""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PATIENCE = 300.0
"""Seconds for which the other replicas may be slower to start."""


class Ring:
    """This replica's place in the ring: `rank` of `size`. Use it as a context manager."""

    def __init__(self, rank: int, hosts: list[str], port: int) -> None:
        self.rank = rank
        self.size = len(hosts)
        # On one machine all replicas have one address: each listens at a port of its own.
        here = hosts[rank] if hosts[rank].startswith("127.") else ""
        after = (rank + 1) % self.size
        with socket.create_server((here, port + rank)) as server:
            server.settimeout(PATIENCE)
            self._after = _connected(hosts[after], port + after)
            self._before, _ = server.accept()
        self._before.settimeout(None)
        self._after.settimeout(None)
        self._sending = ThreadPoolExecutor(1)

    @classmethod
    def of_job(cls) -> Ring:
        """Return the ring of the job this process is a replica of, from the variables the platform sets."""
        hosts = os.environ[f"PUMPKIN_HOSTS_{os.environ['PUMPKIN_ROLE'].upper().replace('-', '_')}"].split(",")
        return cls(int(os.environ["ROLE_RANK"]), hosts, int(os.environ["MASTER_PORT"]))

    def __enter__(self) -> Ring:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        """Hang up."""
        self._sending.shutdown(cancel_futures=True)
        self._after.close()
        self._before.close()

    def all_reduce(self, mine: Floats) -> Floats:
        """Return the sum of every replica's `mine`, which have one shape; bit for bit the same everywhere."""
        total = mine.ravel().copy()
        slices = np.array_split(total, self.size)  # views: what is added to a slice is added to the total
        for step in range(self.size - 1):
            self._pass(slices[(self.rank - step) % self.size], slices[(self.rank - step - 1) % self.size], add=True)
        for step in range(self.size - 1):
            self._pass(slices[(self.rank - step + 1) % self.size], slices[(self.rank - step) % self.size], add=False)
        return total.reshape(mine.shape)

    def _pass(self, out: Floats, into: Floats, *, add: bool) -> None:
        """Send `out` to the next replica and, at the same time, take the one before's into `into`."""
        sent = self._sending.submit(self._after.sendall, out.tobytes())
        data = bytearray(into.nbytes)
        view = memoryview(data)
        while view:
            count = self._before.recv_into(view)
            if not count:
                raise ConnectionError("The replica before this one has gone: its log says why.")
            view = view[count:]
        arrived = np.frombuffer(data)
        into[:] = into + arrived if add else arrived
        sent.result()


def _connected(host: str, port: int) -> socket.socket:
    """Connect to a replica that may not have started yet, whose name may not be known yet."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((host, port), timeout=10)
        except OSError as error:
            if time.monotonic() > until:
                raise ConnectionError(f"The replica at {host}:{port} does not answer: {error}.") from error
            time.sleep(0.1)
