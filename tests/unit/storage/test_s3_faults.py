"""Trouble that passes is not noticed; trouble that lasts is said, and nothing is wrong after it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pumpkin_services.db import new_id
from pumpkin_services.problems import Unavailable
from pumpkin_services.storage.s3 import S3Store
from tests import s3
from tests.s3_faults import Fault, Faults, faulty
from tests.unit.storage.conftest import MakeStore, put

DATA = random.Random(3).randbytes(5 << 20)


@pytest.fixture
def faults(s3_server: s3.Server) -> Iterator[Faults]:
    with faulty(s3_server.endpoint) as made:
        yield made


@pytest.fixture
def store(s3_store: MakeStore, faults: Faults) -> S3Store:
    return s3_store(endpoint=faults.endpoint, timeout=0.5)


@pytest.mark.parametrize("fault", ["503", "stall", "cut", "lose answer"])
@pytest.mark.parametrize("times", [1, 3])
def test_passing_trouble_is_not_noticed_by_readers(store: S3Store, faults: Faults, fault: Fault, times: int) -> None:
    key = put(store, DATA)
    faults.inject(fault, method="GET", times=times)
    assert store.read(key) == DATA
    faults.inject(fault, method="GET", times=times)
    assert store.read(key, offset=1 << 20, size=3 << 20) == DATA[1 << 20 : 4 << 20]
    assert faults.seen == [fault] * times * 2


@pytest.mark.parametrize("fault", ["503", "stall", "cut", "lose answer", "flip sent"])
def test_passing_trouble_is_not_noticed_by_writers(store: S3Store, faults: Faults, fault: Fault) -> None:
    faults.inject(fault, method="PUT", times=2)
    key = put(store, DATA)
    assert len(faults.seen) >= 1
    assert store.read(key) == DATA
    assert [found.key for found in store.list()] == [key]


@pytest.mark.parametrize("fault", ["503", "cut"])
def test_lasting_trouble_is_said_and_leaves_nothing_half_done(
    s3_store: MakeStore, faults: Faults, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpkin_services.storage.s3.TRIES", 3)
    store = s3_store(endpoint=faults.endpoint, timeout=0.5)
    key = put(store, DATA)
    faults.inject(fault, method="GET", times=1000)
    with pytest.raises(Unavailable, match="try again in a minute"):
        store.read(key)
    faults.inject("503", method="PUT", times=1000)
    other = f"packs/{new_id()}"
    with pytest.raises(Unavailable, match="try again in a minute"), store.create(other) as sink:
        sink.write(DATA)
    faults.heal()
    assert store.read(key) == DATA
    assert store.stat(other) is None
