"""What lies below a prefix of a bucket elsewhere becomes a version; the key for it is seen nowhere and not kept."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from minio import Minio
from sqlalchemy import select

from pumpkin import AsyncClient
from pumpkin.cli import cli
from pumpkin_services.artifacts.imports import ImportSettings
from pumpkin_services.artifacts.models import ImportRequest
from pumpkin_services.artifacts.outward import Outward
from pumpkin_services.artifacts.tables import ImportRow
from pumpkin_services.db import new_id
from pumpkin_services.storage.s3 import S3Store
from pumpkin_services.storage.settings import S3
from tests import s3
from tests.unit.artifacts.elsewhere import LOOPBACK
from tests.unit.artifacts.support import BASE_URL, Site, World, make_site, make_world, principal

BASE = "/datasets/ann/digits"
TOKEN = "pumpkin-w.ann"
LIMIT = 16 << 20
FILES = {
    "a.txt": b"hello",
    "empty": b"",
    "deep/er/large.bin": random.Random(7).randbytes(3 << 20),
    "odd name + ?x=1&y=%41#z.txt": b"odd",
    "数据/" + "n" * 150: b"long",
    **{f"many/{number}": bytes([number]) * number for number in range(200)},
}


@dataclass
class Elsewhere:
    """A bucket of somebody else's, `data`, with `FILES` below `some/where`."""

    server: s3.Server
    client: Minio

    def access(self, **more: str) -> dict[str, str]:
        return {"endpoint": self.server.endpoint, "region": s3.REGION, **self.server.keys, **more}

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object("data", key, io.BytesIO(data), len(data))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    with s3.running(tmp_path_factory.mktemp("elsewhere")) as server:
        client = Minio(
            server.endpoint.removeprefix("http://"),
            access_key=server.access_key,
            secret_key=server.secret_key,
            secure=False,
            region=s3.REGION,
        )
        client.make_bucket("data")
        made = Elsewhere(server, client)
        for path, data in FILES.items():
            made.put(f"some/where/{path}", data)
        made.put("some/where/marker/", b"")
        made.put("some/where-else", b"beside it")
        yield made


@pytest.fixture
async def world(tmp_path: Path, s3_server: s3.Server, elsewhere: Elsewhere) -> AsyncIterator[World]:
    """A platform on an S3 server of its own that may import from the other one."""
    settings = S3(endpoint=s3_server.endpoint, region=s3.REGION, bucket=f"test-{new_id()}", **s3_server.keys)
    store = S3Store(settings, base_url=BASE_URL, secret=b"s" * 32)
    store.open()
    outward = Outward(hosts=[elsewhere.server.endpoint.removeprefix("http://")], networks=LOOPBACK)
    async with make_world(tmp_path, store=store, imports=ImportSettings(outward=outward, max_bytes=LIMIT)) as made:
        await made.dataset()
        yield made


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    async with make_site(world) as made:
        yield made


async def imported(site: Site, url: str, access: dict[str, str]) -> dict[str, Any]:
    """Ask for an import and wait for its end."""
    async with site.client() as client:
        made = await client.post(f"{BASE}/imports", json={"url": url, "s3": access})
        assert made.status_code == 202, made.text
        one = made.json()
        while one["finished"] is None:
            one = (await client.get(f"{BASE}/imports/{one['id']}", params={"wait": 20})).json()
        return one


async def test_all_below_a_prefix_is_the_version(
    site: Site, world: World, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    one = await imported(site, "s3://data/some/where/", elsewhere.access())
    assert (one["state"], one["number"], one["error"]) == ("ready", 1, None)
    size = sum(map(len, FILES.values()))
    assert (one["fetched"], one["total"]) == (size, size)
    assert one["url"] == f"{elsewhere.server.endpoint}/data/some/where"
    async with world.database.read() as session:
        row = await session.scalar(select(ImportRow))
        assert row is not None
        assert row.url == one["url"]
    async with site.client() as client:
        tree = (await client.get(f"{BASE}/versions/1/tree", params={"limit": 500})).json()["items"]
        assert {entry["name"] for entry in tree} == {path.partition("/")[0] for path in FILES}
        for path in ("deep/er/large.bin", "odd name + ?x=1&y=%41#z.txt", "数据/" + "n" * 150, "many/199", "empty"):
            assert (await client.get(f"{BASE}/versions/1/files/{quote(path)}")).content == FILES[path], path
    told = caplog.text + json.dumps(one)
    assert not [secret for secret in elsewhere.server.keys.values() if secret in told]


async def test_while_it_waits_the_key_is_kept_sealed(world: World, elsewhere: Elsewhere) -> None:
    owned = await world.dataset("waiting")
    request = ImportRequest.model_validate({"url": "s3://data/some", "s3": elsewhere.access()})
    async with world.database.write() as session:
        made = await world.artifacts.imports.create(session, principal("ann"), owned=owned, request=request)
    kept = b"".join(path.read_bytes() for path in world.root.glob("platform.sqlite*"))
    assert made.id.encode() in kept
    assert not [secret for secret in elsewhere.server.keys.values() if secret.encode() in kept]


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("s3://data/some/where", {"secret_key": "wrong"}, "refuses the key"),
        ("s3://data/some/where", {"access_key": "", "secret_key": ""}, "refuses the key"),
        ("s3://none-such/x", {}, "has no such bucket"),
        ("s3://data/nothing/here", {}, "There is nothing below 's3://data/nothing/here'"),
        ("s3://data/too-large", {}, "larger than"),
    ],
)
async def test_what_cannot_be_had_is_said_and_leaves_nothing(
    site: Site, world: World, elsewhere: Elsewhere, url: str, more: dict[str, str], said: str
) -> None:
    elsewhere.put("too-large/x", bytes(LIMIT + 1))
    one = await imported(site, url, elsewhere.access(**more))
    assert one["state"] == "failed"
    assert said in one["error"]
    assert (await world.artifacts.fsck()).versions == world.objects() == 0


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"url": "s3://data/x"}, "s3"),
        ({"url": "s3://data/x", "s3": {"endpoint": "http://169.254.169.254"}}, "s3.endpoint"),
        ({"url": "s3://data/x", "s3": {"endpoint": "https://s3.example.org/path"}}, "s3.endpoint"),
        ({"url": "s3://../x", "s3": {}}, "url"),
        ({"url": "s3://data/x", "s3": {}, "format": "zip"}, "format"),
        ({"url": "https://example.org/a.zip", "s3": {}}, "url"),
        ({"url": "https://example.org/a.zip", "format": "s3"}, "url"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    site: Site, elsewhere: Elsewhere, request_: dict[str, Any], field: str
) -> None:
    if "s3" in request_:
        request_ = request_ | {"s3": {"endpoint": elsewhere.server.endpoint} | request_["s3"]}
    async with site.client() as client:
        answer = await client.post(f"{BASE}/imports", json=request_)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


async def test_the_client_and_the_command_line_import_too(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    platform = site.url.partition("/services")[0]
    async with AsyncClient(platform, TOKEN) as client:
        made = await client.datasets.import_from("digits", "s3://data/some/where", s3=elsewhere.access())
        assert (made.number, made.files) == (1, len(FILES))
    environment = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "PUMPKIN_URL": platform,
        "PUMPKIN_TOKEN": TOKEN,
        "AWS_ACCESS_KEY_ID": elsewhere.server.access_key,
        "AWS_SECRET_ACCESS_KEY": elsewhere.server.secret_key,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["dataset", "import", "shell", "s3://data/some/where", "--endpoint", elsewhere.server.endpoint]
    done = await asyncio.to_thread(CliRunner().invoke, cli, [*words, "--region", s3.REGION])
    assert done.output.startswith("ann/shell@1:"), done.output
