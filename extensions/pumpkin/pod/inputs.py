"""Before a workload starts: its inputs into the node's cache."""

from __future__ import annotations

import time
from pathlib import Path

from pumpkin._protocol import Progress
from pumpkin.errors import PumpkinError
from pumpkin.pod import environment
from pumpkin.pod.cache import Cache
from pumpkin.pod.home import Home
from pumpkin.pod.patience import PATIENCE, Patience, early, passes
from pumpkin.pod.settings import Pod
from pumpkin.transfer.pull import pull

SECONDS = 2.0
"""Between two lines of progress."""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def fetch(pod: Pod, *, patience: float = PATIENCE) -> None:
    """Have every input of the pod in the cache; raise `PumpkinError` with one sentence when one cannot be had."""
    cache = Cache(pod.cache)
    for source in pod.sources:
        fetching = _Fetching(pod, source, cache, patience)
        try:
            cache.materialise(source, fetching.run, waiting=fetching.waits)
        except PumpkinError as error:
            raise PumpkinError(f"The input {source} cannot be had: {error}", reason=error.reason) from error
        except OSError as error:
            message = f"The input {source} cannot be kept in this node's cache: {error.strerror or error}."
            raise PumpkinError(message, reason="cache") from error
        print(f"{source} is there", flush=True)


class _Fetching:
    """One input on its way."""

    def __init__(self, pod: Pod, source: str, cache: Cache, patience: float) -> None:
        self._pod = pod
        self._source = source
        self._cache = cache
        self._patience = Patience(patience)
        self._fetched = -1
        self._said = 0.0

    def waits(self) -> None:
        print(f"{self._source}: another pod on this node is fetching it", flush=True)

    def run(self, folder: Path) -> None:
        """Fill `folder`, with what is there already kept."""
        while True:
            try:
                if self._source.startswith(environment.SOURCE):
                    self._unpack(folder)
                else:
                    pull(self._pod.config, f"/{self._source}", folder, on_progress=self._progress)
                return
            except PumpkinError as error:
                if not passes(error) and not early(error):
                    raise
                self._patience.wait(error)

    def _unpack(self, folder: Path) -> None:
        home = Home(self._pod)
        try:
            with home.environment() as (total, pieces):
                self._make_room(total)
                stream = environment.Stream(pieces)
                environment.unpack(stream, folder, progress=lambda done: self._say(done, total))
        finally:
            home.close()

    def _progress(self, progress: Progress) -> None:
        if progress.sent == 0:
            self._make_room(progress.total - progress.done)
        self._say(progress.done, progress.total)

    def _make_room(self, need: int) -> None:
        if not self._cache.make_room(need):
            raise PumpkinError(
                f"it needs {sized(need)} and this node's cache has no such room: "
                "try again when other workloads have ended, or ask an admin.",
                reason="node_full",
            )

    def _say(self, done: int, total: int) -> None:
        if done > self._fetched:
            self._fetched = done
            self._patience.begin()
        now = time.monotonic()
        if now > self._said + SECONDS:
            self._said = now
            print(f"{self._source}: fetched {sized(done, of=total)}", flush=True)


def sized(size: int, *, of: int | None = None) -> str:
    """Return bytes in words: `4.0 GiB`, or `1.2 of 4.0 GiB`."""
    whole = size if of is None else of
    step = max(0, min((max(whole, 1).bit_length() - 1) // 10, len(UNITS) - 1))
    digits = 1 if step else 0
    unit = 1 << (10 * step)
    text = f"{whole / unit:.{digits}f} {UNITS[step]}"
    return text if of is None else f"{size / unit:.{digits}f} of {text}"
