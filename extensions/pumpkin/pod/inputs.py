"""Before a workload starts: its inputs into the node's cache."""

from __future__ import annotations

import time
from pathlib import Path

from pumpkin._protocol import Progress
from pumpkin.config import Config
from pumpkin.errors import PumpkinError
from pumpkin.pod.cache import Cache
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
        fetching = _Fetching(pod.config, source, cache, patience)
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

    def __init__(self, config: Config, source: str, cache: Cache, patience: float) -> None:
        self._config = config
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
                pull(self._config, f"/{self._source}", folder, on_progress=self._progress)
                return
            except PumpkinError as error:
                if not passes(error) and not early(error):
                    raise
                self._patience.wait(error)

    def _progress(self, progress: Progress) -> None:
        if progress.sent == 0 and not self._cache.make_room(progress.total - progress.done):
            raise PumpkinError(
                f"it needs {sized(progress.total - progress.done)} and this node's cache has no such room: "
                "try again when other workloads have ended, or ask an admin.",
                reason="node_full",
            )
        if progress.done > self._fetched:
            self._fetched = progress.done
            self._patience.begin()
        now = time.monotonic()
        if now > self._said + SECONDS:
            self._said = now
            print(f"{self._source}: fetched {sized(progress.done, of=progress.total)}", flush=True)


def sized(size: int, *, of: int | None = None) -> str:
    """Return bytes in words: `4.0 GiB`, or `1.2 of 4.0 GiB`."""
    whole = size if of is None else of
    step = max(0, min((max(whole, 1).bit_length() - 1) // 10, len(UNITS) - 1))
    digits = 1 if step else 0
    unit = 1 << (10 * step)
    text = f"{whole / unit:.{digits}f} {UNITS[step]}"
    return text if of is None else f"{size / unit:.{digits}f} of {text}"
