"""Who has looked at what lately: a view that is kept fresh reads again and again, and is one line of the audit."""

from __future__ import annotations

import json
import time
from typing import Any

LOOK_SECONDS = 600.0
"""The same read of the same thing by the same person is noted once in this time."""
MANY = 10_000


class Looks:
    """The reads noted lately by this replica."""

    def __init__(self) -> None:
        self._noted: dict[str, float] = {}

    def goes_on(self, line: dict[str, Any]) -> bool:
        """Tell whether this line of the audit is the same as one noted lately."""
        return self._noted.get(_key(line), -LOOK_SECONDS) > time.monotonic() - LOOK_SECONDS

    def note(self, line: dict[str, Any]) -> None:
        """Remember a line that has been written."""
        now = time.monotonic()
        if len(self._noted) >= MANY:
            self._noted = {key: at for key, at in self._noted.items() if at > now - LOOK_SECONDS}
        self._noted[_key(line)] = now


def _key(line: dict[str, Any]) -> str:
    return json.dumps(line, sort_keys=True)
