"""What every store does: whole objects or none, read in parts, listed, removed. On a folder and on a real S3 server."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.storage.base import ObjectMissing, ObjectStore
from tests.unit.storage.conftest import put


def test_an_object_appears_whole_or_not_at_all(store: ObjectStore) -> None:
    key = f"packs/{new_id()}"
    with suppress(ConnectionError), store.create(key) as sink:
        sink.write(b"half")
        assert store.stat(key) is None
        raise ConnectionError
    assert store.stat(key) is None
    assert list(store.list()) == []


@pytest.mark.parametrize("size", [0, 1, (4 << 20) + 1, 9 << 20])
def test_what_was_written_comes_back(store: ObjectStore, size: int) -> None:
    data = random.Random(size).randbytes(size)
    key = put(store, data)
    assert store.read(key) == data
    assert b"".join(store.stream(key)) == data
    found = store.stat(key)
    assert found is not None
    assert (found.key, found.size) == (key, size)
    assert abs(found.modified - datetime.now(UTC)) < timedelta(minutes=1)


def test_parts_are_read_and_too_much_is_an_error(store: ObjectStore) -> None:
    key = put(store, b"0123456789")
    assert store.read(key) == b"0123456789"
    assert store.read(key, offset=3, size=4) == b"3456"
    assert store.read(key, offset=7) == b"789"
    assert store.read(key, size=2) == b"01"
    assert store.read(key, offset=4, size=0) == b""
    gone = f"packs/{new_id()}"
    for missing in (
        lambda: store.read(key, offset=8, size=3),
        lambda: store.read(key, offset=11, size=1),
        lambda: store.read(gone),
        lambda: store.read(gone, size=0),
        lambda: store.read(gone, offset=1, size=1),
    ):
        with pytest.raises(ObjectMissing):
            missing()


def test_a_stream_that_is_left_early_does_no_harm(store: ObjectStore) -> None:
    data = random.Random(1).randbytes(8 << 20)
    key = put(store, data)
    for _ in range(50):
        assert next(iter(store.stream(key))) == data[: 1 << 20]
    assert store.read(key) == data


@pytest.mark.parametrize("key", ["../x", "packs/../../x", "packs/x", "/etc/passwd", "packs/" + "A" * 26, "", "a/b/c"])
def test_a_key_never_leads_out(store: ObjectStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        store.read(key)
    with pytest.raises(ObjectMissing):
        store.delete(key)
    with pytest.raises(ObjectMissing), store.create(key) as sink:
        sink.write(b"x")


def test_objects_are_listed_and_deleted(store: ObjectStore) -> None:
    keys = {put(store, b"x" * size): size for size in (1, 2, 3)}
    manifest = f"manifests/{new_id()}"
    with store.create(manifest) as sink:
        sink.write(b"lines")
    assert {found.key: found.size for found in store.list()} == keys | {manifest: 5}
    assert [found.key for found in store.list("manifests/")] == [manifest]
    for key in [*keys, *keys, manifest]:
        store.delete(key)
    assert list(store.list()) == []


def test_a_fresh_store_has_no_leftovers(store: ObjectStore) -> None:
    put(store, b"x")
    assert store.sweep(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert len(list(store.list())) == 1


def test_a_store_that_hashes_what_it_is_sent_tells_the_right_hash(store: ObjectStore) -> None:
    key = put(store, b"data")
    known = store.checksum(key)
    assert known in (None, "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7")
    assert store.checksum(f"packs/{new_id()}") is None
