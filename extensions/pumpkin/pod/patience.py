"""Asking again what may pass: a service that starts anew, a pod that is earlier than its row."""

from __future__ import annotations

import sys
import time

from pumpkin._protocol import delay
from pumpkin.errors import PumpkinError

PATIENCE = 120.0
"""Seconds for which a refusal of the token, or a platform that is away, may pass."""
MOST = 8
"""Doublings of the pause between two tries."""


def passes(error: PumpkinError) -> bool:
    """Tell whether the platform is only away: no answer, a broken one, or the Hub's pages in its place."""
    return error.reason in ("unreachable", "not_pumpkin") or error.status == 429 or error.status >= 500


def early(error: PumpkinError) -> bool:
    """Tell whether the token was refused, as it is until the workload's row says that this attempt is on."""
    return error.status in (401, 403)


class Patience:
    """How long the same trouble has lasted; `begin` anew whenever there was progress."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """All is well."""
        self._until = time.monotonic() + self._seconds
        self._failures = 0

    def wait(self, error: PumpkinError) -> None:
        """Sleep before the next try, longer each time; raise `error` when there has been enough of it."""
        pause = delay(min(self._failures, MOST))
        if time.monotonic() + pause > self._until:
            raise error
        self._failures += 1
        print(f"{error} Trying again.", file=sys.stderr, flush=True)
        time.sleep(pause)
