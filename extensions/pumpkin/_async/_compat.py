"""The few things that differ between the two clients beyond keywords (the other half is in `_sync`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

sleep = asyncio.sleep


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run blocking work without holding up the loop."""
    return await asyncio.to_thread(function, *args, **kwargs)
