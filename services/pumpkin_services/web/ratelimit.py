"""Token buckets per credential and rate class, in process (Redis in production shares them between replicas)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pumpkin_services.problems import TooManyRequests


@dataclass(frozen=True)
class Limit:
    """A sustained rate in requests per second and the burst allowed on top of it."""

    rate: float
    burst: float


DEFAULT_LIMITS = {"read": Limit(100, 400), "write": Limit(50, 200), "bulk": Limit(500, 2000)}


class RateLimiter:
    """Classic token buckets. A bucket that has filled up again is forgotten, so memory follows use."""

    def __init__(self, limits: dict[str, Limit] | None = None) -> None:
        self.limits = limits or DEFAULT_LIMITS
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._swept = time.monotonic()

    def take(self, token: str, rate_class: str) -> None:
        """Spend one request; raise `TooManyRequests` with the seconds to wait when the bucket is empty."""
        limit = self.limits[rate_class]
        now = time.monotonic()
        level, then = self._buckets.get((token, rate_class), (limit.burst, now))
        level = min(limit.burst, level + (now - then) * limit.rate)
        if level < 1:
            wait = (1 - level) / limit.rate
            raise TooManyRequests(
                f"More than {limit.rate:g} {rate_class} requests a second: wait {max(wait, 0.1):.1f} s.",
                retry_after=max(1, round(wait)),
            )
        self._buckets[token, rate_class] = (level - 1, now)
        if now - self._swept > 60:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        self._swept = now
        for key, (level, then) in list(self._buckets.items()):
            limit = self.limits[key[1]]
            if level + (now - then) * limit.rate >= limit.burst:
                del self._buckets[key]
