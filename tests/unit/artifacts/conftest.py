"""Needs nothing outside Python."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.artifacts.support import Site, World, make_site, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(tmp_path) as made:
        yield made


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    async with make_site(world) as made:
        yield made
