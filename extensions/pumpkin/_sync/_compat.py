"""The few things that differ between the two clients beyond keywords (the other half is in `_async`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

sleep = time.sleep


def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the work right here."""
    return function(*args, **kwargs)
