"""Needs nothing outside Python: the real wiring, runtime and pipeline in one folder, without a Hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.workloads.house import House, built


@pytest.fixture
async def empty_house(tmp_path: Path) -> AsyncIterator[House]:
    """The platform without its pipeline."""
    async with built(tmp_path / "data") as house:
        yield house


@pytest.fixture
async def house(empty_house: House) -> House:
    """The platform at work."""
    await empty_house.start_pipeline()
    return empty_house
