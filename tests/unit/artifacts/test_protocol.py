"""Uploads and reads over HTTP, on both kinds of store."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile

import httpx
import pytest

from tests.unit.artifacts.support import Site, begin, manifest, place, push, send, sha

pytestmark = pytest.mark.parametrize("world", ["folder", "s3"], indirect=True)

BASE = "/datasets/ann/digits"
FILES = {
    "README.md": b"# digits\n",
    "train/a.csv": b"1,2\n" * 500,
    "train/b.csv": b"3,4\n",
    "train/deep/c": b"",
    "x": b"x",
}


@pytest.fixture
async def ann(site: Site):
    async with site.client() as client:
        answer = await client.post("/datasets", json={"name": "digits", "type": "image"})
        assert answer.status_code == 201, answer.text
        yield client


async def test_a_pushed_version_reads_back(ann: httpx.AsyncClient) -> None:
    done = await push(ann, BASE, FILES)
    assert (done["state"], done["number"], done["files"]) == ("ready", 1, 5)
    for path, data in FILES.items():
        answer = await ann.get(f"{BASE}/versions/1/files/{path}")
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["X-Content-SHA256"] == sha(data)
    got = (await ann.get(BASE)).json()
    assert (got["latest"], got["versions"], got["bytes"], got["type"]) == (1, 1, sum(map(len, FILES.values())), "image")


async def test_a_second_version_sends_only_what_changed(ann: httpx.AsyncClient) -> None:
    first = await push(ann, BASE, FILES)
    second = await push(ann, BASE, FILES | {"x": b"changed"})
    assert first["sent"] > 2000
    assert (second["number"], second["sent"]) == (2, len(b"changed"))
    assert (await ann.get(f"{BASE}/versions/1/files/x")).content == b"x"
    assert (await ann.get(f"{BASE}/versions/latest/files/x")).content == b"changed"


async def test_ranges_are_answered_as_the_rfc_says(ann: httpx.AsyncClient) -> None:
    await push(ann, BASE, {"ten": b"0123456789"})
    url = f"{BASE}/versions/1/files/ten"
    for sent, status, content in [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=0-99", 206, b"0123456789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=5-2", 200, b"0123456789"),
        ("bytes=1-2,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ]:
        answer = await ann.get(url, headers={"Range": sent})
        assert (answer.status_code, answer.content) == (status, content), sent
    outside = await ann.get(url, headers={"Range": "bytes=10-"})
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, "bytes */10")


async def test_a_file_of_several_chunks_reads_across_their_seams(ann: httpx.AsyncClient) -> None:
    data = random.Random(1).randbytes(1000)
    upload = await begin(ann, BASE)
    parts = [data[at : at + 300] for at in range(0, 1000, 300)]
    await send(ann, BASE, upload, {sha(part): part for part in parts})
    await ann.put(f"{BASE}/uploads/{upload}/manifest", content=manifest({"big": data}, cut=300))
    await ann.post(f"{BASE}/uploads/{upload}/commit")
    assert (await ann.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()["state"] == "ready"
    answer = await ann.get(f"{BASE}/versions/1/files/big", headers={"Range": "bytes=250-950"})
    assert answer.content == data[250:951]


async def test_folders_are_listed_page_by_page(ann: httpx.AsyncClient) -> None:
    await push(ann, BASE, FILES)
    first = (await ann.get(f"{BASE}/versions/1/tree", params={"limit": 2})).json()
    assert [(item["name"], item["type"], item["files"]) for item in first["items"]] == [
        ("README.md", "file", 1),
        ("train", "folder", 3),
    ]
    rest = (await ann.get(f"{BASE}/versions/1/tree", params={"cursor": first["next"]})).json()
    assert [item["name"] for item in rest["items"]] == ["x"]
    assert rest["next"] is None
    stat = (await ann.get(f"{BASE}/versions/1/stat/train/deep")).json()
    assert (stat["type"], stat["files"], stat["bytes"]) == ("folder", 1, 0)
    assert (await ann.get(f"{BASE}/versions/1/tree", params={"folder": "nope"})).status_code == 404
    assert (await ann.get(f"{BASE}/versions/1/stat/nope")).status_code == 404


@pytest.mark.parametrize("kind", ["tar", "zip"])
async def test_a_version_downloads_as_an_archive(ann: httpx.AsyncClient, kind: str) -> None:
    files = FILES | {"größe/数据.bin": b"\x00" * 3_000_000, "p" * 200 + "/" + "q" * 200: b"long"}
    await push(ann, BASE, files)
    answer = await ann.get(f"{BASE}/versions/1/archive", params={"format": kind})
    assert answer.status_code == 200
    if kind == "zip":
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert {name: archive.read(name) for name in archive.namelist()} == files
    else:
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            assert {member.name: tar.extractfile(member).read() for member in tar} == files  # pyright: ignore
    part = await ann.get(f"{BASE}/versions/1/archive", params={"folder": "train/deep"})
    with tarfile.open(fileobj=io.BytesIO(part.content)) as tar:
        assert tar.getnames() == ["train/deep/c"]


async def test_two_versions_are_compared(ann: httpx.AsyncClient) -> None:
    await push(ann, BASE, FILES)
    await push(ann, BASE, {"README.md": b"# new\n", "train/a.csv": FILES["train/a.csv"], "z": b"zz"})
    answer = (await ann.get(f"{BASE}/diff", params={"old": 1, "new": 2, "limit": 3})).json()
    assert (answer["added"], answer["removed"], answer["changed"]) == (1, 3, 1)
    assert [(item["path"], item["change"]) for item in answer["items"]] == [
        ("README.md", "changed"),
        ("train/b.csv", "removed"),
        ("train/deep/c", "removed"),
    ]
    more = (await ann.get(f"{BASE}/diff", params={"old": 1, "new": 2, "cursor": answer["next"]})).json()
    assert [item["path"] for item in more["items"]] == ["x", "z"]


async def test_bulk_reads_go_straight_to_the_packs(ann: httpx.AsyncClient) -> None:
    await push(ann, BASE, FILES)
    found = (await ann.get(f"{BASE}/versions/1/objects")).json()["items"]
    pack = (await httpx.AsyncClient(trust_env=False).get(place(ann, found[0]["url"]))).content
    chunks = {chunk["hash"]: pack[chunk["offset"] : chunk["offset"] + chunk["size"]] for chunk in found[0]["chunks"]}
    assert all(sha(data) == digest for digest, data in chunks.items())
    assert chunks[sha(b"x")] == b"x"
    lines = gzip.decompress((await ann.get(f"{BASE}/versions/1/manifest")).content).splitlines()
    assert len(lines) == 5


async def test_an_upload_goes_on_after_a_break(ann: httpx.AsyncClient, site: Site) -> None:
    upload = await begin(ann, BASE)
    first = {sha(data): data for data in (b"one", b"two")}
    await send(ann, BASE, upload, first)
    async with site.client() as later:
        found = (await later.get(f"{BASE}/uploads")).json()["items"]
        assert [item["id"] for item in found] == [upload]
        everything = first | {sha(b"three"): b"three"}
        assert await send(later, BASE, upload, everything) == len(b"three")
        files = {"1": b"one", "2": b"two", "3": b"three"}
        await later.put(f"{BASE}/uploads/{upload}/manifest", content=manifest(files))
        for _ in range(2):
            assert (await later.post(f"{BASE}/uploads/{upload}/commit")).status_code == 202
        assert (await later.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()["number"] == 1
    assert (await ann.get(f"{BASE}/uploads")).json()["items"] == []


async def test_nobody_learns_what_others_have(ann: httpx.AsyncClient, site: Site) -> None:
    secret = {"secret": b"only ann has this"}
    await push(ann, BASE, secret)
    async with site.client("bob") as bob:
        assert (await bob.get(BASE)).status_code == 404
        assert (await bob.get(f"{BASE}/versions/1/files/secret")).status_code == 404
        await bob.post("/datasets", json={"name": "mine"})
        assert (await push(bob, "/datasets/bob/mine", secret))["sent"] > 0
        await ann.patch(BASE, json={"visibility": "everyone"})
        await bob.post("/datasets", json={"name": "again"})
        assert (await push(bob, "/datasets/bob/again", secret))["sent"] == 0


async def test_a_pack_used_in_part_gives_nothing_else_away(ann: httpx.AsyncClient, site: Site) -> None:
    await push(ann, BASE, {"open": b"to be shared", "secret": b"never to be shared"})
    await ann.post("/datasets", json={"name": "public", "visibility": "everyone"})
    shared = await push(ann, "/datasets/ann/public", {"open": b"to be shared"})
    assert shared["sent"] == 0
    async with site.client("bob") as bob:
        assert (await bob.get("/datasets/ann/public/versions/1/files/open")).content == b"to be shared"
        assert (await bob.get("/datasets/ann/public/versions/1/objects")).json()["items"] == []
        await bob.post("/datasets", json={"name": "probe"})
        upload = await begin(bob, "/datasets/bob/probe")
        asked = {"hashes": [sha(b"never to be shared")]}
        answer = await bob.post(f"/datasets/bob/probe/uploads/{upload}/missing", json=asked)
        assert answer.json()["missing"] == asked["hashes"]
    assert len((await ann.get("/datasets/ann/public/versions/1/objects")).json()["items"]) == 1


async def test_wrong_bytes_are_refused(ann: httpx.AsyncClient) -> None:
    upload = await begin(ann, BASE)
    target = (await ann.post(f"{BASE}/uploads/{upload}/objects", json={"sizes": [4]})).json()["objects"][0]
    url = str(ann.base_url).split("/services/")[0] + target["url"]
    index = f"{BASE}/uploads/{upload}/objects/{target['id']}"
    good = {"chunks": [{"hash": sha(b"good"), "size": 4}]}
    assert (await ann.put(index, json=good)).json()["reason"] == "object_missing"
    assert (await ann.put(url, content=b"too long")).status_code == 413
    assert (await ann.put(url, content=b"sh")).status_code == 422
    assert (await ann.put(url.replace("signature=", "signature=0"), content=b"evil")).status_code == 403
    assert (await ann.put(url.replace("size=4", "size=5"), content=b"evil!")).status_code == 403
    assert (await ann.put(url, content=b"evil")).status_code == 204
    assert (await ann.put(url, content=b"good")).status_code == 409
    assert (await ann.put(index, json=good)).status_code == 422
    assert (await ann.put(index, json={"chunks": [{"hash": sha(b"e"), "size": 1}]})).status_code == 422


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", None),
        ('{"path":"../x","size":0,"mode":420,"sha256":"E","chunks":[]}\n', "leads out"),
        ('{"path":"/x","size":0,"mode":420,"sha256":"E","chunks":[]}\n', "absolute"),
        ('{"path":"a\\nb","size":0,"mode":420,"sha256":"E","chunks":[]}\n', "control character"),
        ('{"path":"b","size":0,"mode":420,"sha256":"E","chunks":[]}\n' * 2, "twice"),
        (
            '{"path":"b","size":0,"mode":420,"sha256":"E","chunks":[]}\n'
            '{"path":"a","size":0,"mode":420,"sha256":"E","chunks":[]}\n',
            "out of order",
        ),
        (
            '{"path":"a","size":0,"mode":420,"sha256":"E","chunks":[]}\n'
            '{"path":"a-b","size":0,"mode":420,"sha256":"E","chunks":[]}\n'
            '{"path":"a/b","size":0,"mode":420,"sha256":"E","chunks":[]}\n',
            "below a file",
        ),
        ('{"path":"a","size":9,"mode":420,"sha256":"E","chunks":[]}\n', "size"),
        ('{"path":"a","size":0,"mode":2541,"sha256":"E","chunks":[]}\n', "mode"),
        ('{"path":"a","size":0,"mode":420,"sha256":"E","chunks":[],"owner":"x"}\n', "owner"),
        ('{"path":"a"', "cut off"),
        ("nonsense\n", "Line 1"),
    ],
)
async def test_a_bad_manifest_is_refused(ann: httpx.AsyncClient, lines: str, says: str | None) -> None:
    upload = await begin(ann, BASE)
    body = gzip.compress(lines.replace('"E"', f'"{sha(b"")}"').encode())
    answer = await ann.put(f"{BASE}/uploads/{upload}/manifest", content=body)
    if says is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        assert says in answer.json()["detail"]


async def test_a_manifest_that_names_what_was_not_sent_fails(ann: httpx.AsyncClient) -> None:
    upload = await begin(ann, BASE)
    assert (await ann.post(f"{BASE}/uploads/{upload}/commit")).json()["reason"] == "manifest_missing"
    await ann.put(f"{BASE}/uploads/{upload}/manifest", content=manifest({"a": b"never sent"}))
    await ann.post(f"{BASE}/uploads/{upload}/commit")
    done = (await ann.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()
    assert done["state"] == "failed"
    assert "'a' was not sent" in done["error"]
    assert (await ann.get(f"{BASE}/versions")).json()["items"] == []


async def test_chunks_that_do_not_make_the_file_fail(ann: httpx.AsyncClient) -> None:
    upload = await begin(ann, BASE)
    await send(ann, BASE, upload, {sha(b"aa"): b"aa", sha(b"bb"): b"bb"})
    body = gzip.decompress(manifest({"f": b"aabb"}, cut=2)).replace(sha(b"aabb").encode(), sha(b"bbaa").encode())
    await ann.put(f"{BASE}/uploads/{upload}/manifest", content=gzip.compress(body))
    await ann.post(f"{BASE}/uploads/{upload}/commit")
    done = (await ann.get(f"{BASE}/uploads/{upload}", params={"wait": 20})).json()
    assert (done["state"], "do not make the file" in done["error"]) == ("failed", True)


async def test_a_workspace_stays_within_its_storage_limit(ann: httpx.AsyncClient, site: Site) -> None:
    site.world.limits["ann"] = 5
    upload = await begin(ann, BASE)
    answer = await ann.post(f"{BASE}/uploads/{upload}/objects", json={"sizes": [6]})
    assert (answer.status_code, answer.json()["reason"]) == (507, "storage_limit")


async def test_a_version_in_use_cannot_be_deleted(ann: httpx.AsyncClient, site: Site) -> None:
    done = await push(ann, BASE, FILES)
    async with site.world.database.write() as session:
        await site.world.artifacts.pin(session, done["id"], "01workload")
    for url in (f"{BASE}/versions/1", BASE):
        answer = await ann.delete(url)
        assert (answer.status_code, answer.json()["holders"]) == (409, ["01workload"])
    async with site.world.database.write() as session:
        await site.world.artifacts.unpin(session, "01workload")
    assert (await ann.delete(f"{BASE}/versions/1")).status_code == 204
    assert (await ann.get(f"{BASE}/versions/1")).status_code == 404
    assert (await push(ann, BASE, FILES))["number"] == 2


async def test_where_packs_go_depends_on_the_store_and_on_whether_their_hash_is_known(
    ann: httpx.AsyncClient, site: Site
) -> None:
    upload = await begin(ann, BASE)
    ask = f"{BASE}/uploads/{upload}/objects"
    known = (await ann.post(ask, json={"sizes": [4], "sha256": [sha(b"data")]})).json()["objects"][0]
    assert ("://" in known["url"]) == (type(site.world.store).__name__ == "S3Store")
    through = (await ann.post(ask, json={"sizes": [4]})).json()["objects"][0]
    assert through["url"].startswith("/services/pumpkin/api/v1/objects/packs/")
    assert (await ann.put(place(ann, through["url"]), content=b"data")).status_code == 204
    index = {"chunks": [{"hash": sha(b"data"), "size": 4}]}
    assert (await ann.put(f"{BASE}/uploads/{upload}/objects/{through['id']}", json=index)).status_code == 204
    unequal = await ann.post(ask, json={"sizes": [4, 5], "sha256": [sha(b"data")]})
    assert (unequal.status_code, unequal.json()["errors"][0]["field"]) == (422, "sha256")
