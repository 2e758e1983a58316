"""The folder store: whole objects or none."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.problems import Forbidden
from pumpkin_services.storage.base import ObjectMissing
from pumpkin_services.storage.files import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects", base_url="/api/v1/", secret=b"s" * 32)


def put(store: FolderStore, data: bytes) -> str:
    key = f"packs/{new_id()}"
    with store.create(key) as sink:
        sink.write(data)
    return key


def test_an_object_appears_whole_or_not_at_all(store: FolderStore) -> None:
    key = f"packs/{new_id()}"
    with suppress(ConnectionError), store.create(key) as sink:
        sink.write(b"half")
        assert store.stat(key) is None
        raise ConnectionError
    assert store.stat(key) is None
    assert list((store.root / "tmp").iterdir()) == []


def test_parts_are_read_and_too_much_is_an_error(store: FolderStore) -> None:
    key = put(store, b"0123456789")
    assert store.read(key) == b"0123456789"
    assert store.read(key, offset=3, size=4) == b"3456"
    for missing in (lambda: store.read(key, offset=8, size=3), lambda: store.read(f"packs/{new_id()}")):
        with pytest.raises(ObjectMissing):
            missing()


@pytest.mark.parametrize("key", ["../x", "packs/../../x", "packs/x", "/etc/passwd", "packs/" + "A" * 26, ""])
def test_a_key_never_leads_out(store: FolderStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        store.path(key)


def test_objects_are_listed_and_deleted(store: FolderStore) -> None:
    keys = {put(store, b"x" * size) for size in (1, 2)}
    assert {found.key for found in store.list()} == keys
    assert list(store.list("manifests/")) == []
    for key in [*keys, *keys]:
        store.delete(key)
    assert list(store.list()) == []


def test_what_old_writes_left_is_swept(store: FolderStore) -> None:
    put(store, b"x")
    (store.root / "tmp" / "left").write_bytes(b"half")
    now = datetime.now(UTC)
    assert store.sweep(before=now - timedelta(hours=1)) == 0
    assert store.sweep(before=now + timedelta(hours=1)) == 1


def test_a_signature_is_good_for_one_request_and_time(store: FolderStore) -> None:
    key = f"packs/{new_id()}"
    url = store.presign_put(key, size=5, expires=datetime.now(UTC) + timedelta(minutes=1))
    assert url.startswith(f"/api/v1/objects/{key}?")
    query = {name: values[0] for name, values in parse_qs(urlparse(url).query).items()}
    good = {"size": 5, "expires": int(query["expires"]), "signature": query["signature"]}
    store.check("PUT", key, **good)
    for method, other, change in [
        ("GET", key, {}),
        ("PUT", f"packs/{new_id()}", {}),
        ("PUT", key, {"size": 6}),
        ("PUT", key, {"expires": good["expires"] + 1}),
        ("PUT", key, {"signature": "ü"}),
    ]:
        with pytest.raises(Forbidden):
            store.check(method, other, **(good | change))
    old = store.presign_get(key, expires=datetime.fromtimestamp(time.time() - 5, UTC))
    query = {name: values[0] for name, values in parse_qs(urlparse(old).query).items()}
    with pytest.raises(Forbidden, match="expired"):
        store.check("GET", key, size=0, expires=int(query["expires"]), signature=query["signature"])
