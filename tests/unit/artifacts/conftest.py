"""`world` is on a folder; on S3 too for tests that are parametrised so (`world` indirectly, see `test_protocol`)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.storage.s3 import S3Store
from pumpkin_services.storage.settings import S3
from tests import s3
from tests.unit.artifacts.support import BASE_URL, Site, World, make_site, make_world


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = None
    if getattr(request, "param", "folder") == "s3":
        server: s3.Server = request.getfixturevalue("s3_server")
        settings = S3(endpoint=server.endpoint, region=s3.REGION, bucket=f"test-{new_id()}", **server.keys)
        store = S3Store(settings, base_url=BASE_URL, secret=b"s" * 32)
        store.open()
    async with make_world(tmp_path, store=store) as made:
        yield made


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    async with make_site(world) as made:
        yield made
