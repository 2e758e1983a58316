"""What is the folder store's own: files, and signatures of our own API."""

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
from tests.unit.storage.conftest import put


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects", base_url="/api/v1/", secret=b"s" * 32)


def test_a_broken_write_leaves_no_file(store: FolderStore) -> None:
    with suppress(ConnectionError), store.create(f"packs/{new_id()}") as sink:
        sink.write(b"half")
        raise ConnectionError
    assert list((store.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("key", ["../x", "packs/../../x", "packs/x", "/etc/passwd", "packs/" + "A" * 26, ""])
def test_a_key_never_leads_out(store: FolderStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        store.path(key)


def test_what_old_writes_left_is_swept(store: FolderStore) -> None:
    put(store, b"x")
    (store.root / "tmp" / "left").write_bytes(b"half")
    now = datetime.now(UTC)
    assert store.sweep(before=now - timedelta(hours=1)) == 0
    assert store.sweep(before=now + timedelta(hours=1)) == 1


def test_a_signature_is_good_for_one_request_and_time(store: FolderStore) -> None:
    key = f"packs/{new_id()}"
    url = store.presign_put(key, size=5, sha256=None, expires=datetime.now(UTC) + timedelta(minutes=1)).url
    assert url.startswith(f"/api/v1/objects/{key}?")
    query = {name: values[0] for name, values in parse_qs(urlparse(url).query).items()}
    good = {"size": 5, "expires": int(query["expires"]), "signature": query["signature"]}
    store.signer.check("PUT", key, **good)
    for method, other, change in [
        ("GET", key, {}),
        ("PUT", f"packs/{new_id()}", {}),
        ("PUT", key, {"size": 6}),
        ("PUT", key, {"expires": good["expires"] + 1}),
        ("PUT", key, {"signature": "ü"}),
    ]:
        with pytest.raises(Forbidden):
            store.signer.check(method, other, **(good | change))
    old = store.presign_get(key, expires=datetime.fromtimestamp(time.time() - 5, UTC))
    query = {name: values[0] for name, values in parse_qs(urlparse(old).query).items()}
    with pytest.raises(Forbidden, match="expired"):
        store.signer.check("GET", key, size=0, expires=int(query["expires"]), signature=query["signature"])
