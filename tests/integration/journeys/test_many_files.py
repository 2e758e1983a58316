"""A hundred thousand small files: a dataset like any other."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpkin import Client
from tests.integration.house import House

FILES, SIZE, PER_FOLDER = 100_000, 4096, 1000


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "many"
    for number in range(FILES):
        if number % PER_FOLDER == 0:
            (folder / f"{number // PER_FOLDER:03d}").mkdir(parents=True)
        (folder / f"{number // PER_FOLDER:03d}" / f"{number:06d}.bin").write_bytes(os.urandom(64) * (SIZE // 64))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(900)
def test_a_hundred_thousand_small_files_are_pushed_read_by_a_job_and_deleted(house: House, many: Path):
    with Client(house.url, house.user("mona").token, timeout=120) as client:
        version = client.datasets.push(many, "many")
        assert (version.files, version.bytes) == (FILES, FILES * SIZE)
        job = client.jobs.submit(
            "count",
            "cd $PUMPKIN_DATASETS/many; find -L . -type f -size 4096c | wc -l; sha256sum < 077/077123.bin",
            spec="cpu-small",
            datasets=["many"],
        )
        assert client.jobs.wait(job.id).phase == "succeeded"
        log = "".join(piece.json()["text"] for piece in client.jobs.follow_log(job.id))
        digest = hashlib.sha256((many / "077" / "077123.bin").read_bytes()).hexdigest()
        assert log.split() == [str(FILES), digest, "-"]
        client.datasets.delete("many")
