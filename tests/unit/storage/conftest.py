"""`store`: each kind of store, in turn; `s3_store` makes one over a real server with the settings a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.storage.files import FolderStore
from pumpkin_services.storage.s3 import S3Store
from pumpkin_services.storage.settings import S3
from tests import s3

MakeStore = Callable[..., S3Store]


@pytest.fixture
def s3_store(s3_server: s3.Server) -> MakeStore:
    """Return a maker of stores in a bucket of the test's own; keywords are settings of `c.S3`."""
    bucket = f"test-{new_id()}"

    def make(**settings: object) -> S3Store:
        given = {"endpoint": s3_server.endpoint, "region": s3.REGION, "bucket": bucket, **s3_server.keys}
        store = S3Store(S3(**(given | settings)), base_url="/api/v1/", secret=b"s" * 32)
        return store

    make(endpoint=s3_server.endpoint).open()
    return make


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects", base_url="/api/v1/", secret=b"s" * 32)
    return request.getfixturevalue("s3_store")(prefix="some/where")


def put(store: ObjectStore, data: bytes) -> str:
    """Write an object; return its key."""
    key = f"packs/{new_id()}"
    with store.create(key) as sink:
        sink.write(data)
    return key
