"""Journeys 1 and 5 on a real S3 server: the same tests with another `house`; then the store is proven whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from minio import Minio

from pumpkin import Client
from tests import s3
from tests.integration.house import House
from tests.integration.journeys.conftest import ended
from tests.integration.journeys.files import data_folder
from tests.integration.journeys.test_by_token import (
    test_a_jobs_own_token_is_good_for_its_own_metrics_only,
    test_a_token_does_what_its_scopes_say_and_nothing_else,
    test_the_asynchronous_client_takes_the_whole_road,
    test_the_command_line_speaks_json_and_exit_codes,
)
from tests.integration.journeys.test_data_to_model import (
    test_from_a_folder_of_data_to_a_model_in_use,
    test_what_a_job_is_given_is_read_only_and_what_it_must_not_see_is_not_there,
)

__all__ = [
    "test_a_jobs_own_token_is_good_for_its_own_metrics_only",
    "test_a_token_does_what_its_scopes_say_and_nothing_else",
    "test_from_a_folder_of_data_to_a_model_in_use",
    "test_the_asynchronous_client_takes_the_whole_road",
    "test_the_command_line_speaks_json_and_exit_codes",
    "test_what_a_job_is_given_is_read_only_and_what_it_must_not_see_is_not_there",
]
BUCKET = "journeys"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, s3_server: s3.Server) -> Iterator[House]:
    made = House(data=tmp_path_factory.mktemp("house") / "data")
    made.configure("c.Platform.stop_grace = 2\n" + s3_server.config(BUCKET, prefix="pumpkin"))
    try:
        yield made.up()
    finally:
        made.tear_down()


def fsck(house: House) -> dict[str, object]:
    """Check the store as an admin does; return the report."""
    command = [sys.executable, "-m", "pumpkin_services.artifacts.fsck", f"--data={house.data}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_everything_is_in_the_bucket_and_whole(house: House, s3_server: s3.Server, tmp_path: Path):
    ann = house.user("hana")
    source = data_folder(tmp_path, "line")
    with Client(house.url, ann.token) as client:
        client.datasets.push(source, "kept")
        client.datasets.pull("kept", tmp_path / "back")
        assert (tmp_path / "back/line.csv").read_bytes() == (source / "line.csv").read_bytes()
        client.datasets.pull("kept", tmp_path / "again")
    assert not any(path.is_file() for path in (house.data / "objects").rglob("*"))
    store = Minio(
        s3_server.endpoint.removeprefix("http://"),
        **s3_server.keys,
        secure=False,
        region=s3.REGION,
    )
    kept = [found.object_name or "" for found in store.list_objects(BUCKET, recursive=True)]
    assert {name.split("/")[0] for name in kept} == {"pumpkin"}
    report = fsck(house)
    assert report["damage"] == []
    assert report["objects"] == len(kept) - int(str(report["stray_files"]))
    lost = next(name for name in kept if "/packs/" in name)
    store.remove_object(BUCKET, lost)
    assert lost.removeprefix("pumpkin/") in str(fsck(house)["damage"])


def test_whoever_serves_the_platform_never_tells_the_key(house: House, s3_server: s3.Server, tmp_path: Path):
    user = house.user("ida")
    with Client(house.url, user.token) as client:
        client.datasets.push(data_folder(tmp_path, "line"), "line")
    seen = [
        user.api.get("/datasets/ida/line/versions/1/objects").text,
        house.admin.api.get("/resources/health").text,
        house.logs(),
    ]
    job = user.api.post(
        "/workloads/jobs", json={"name": "env", "spec": "cpu-small", "command": "env; cat /proc/*/environ"}
    ).json()["id"]
    ended(user, job)
    seen.append(user.api.get(f"/workloads/{job}/logs/main-0").text)
    assert s3_server.endpoint in seen[0]
    assert s3_server.secret_key not in "".join(seen)
