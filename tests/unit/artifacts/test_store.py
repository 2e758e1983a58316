"""The store as a whole: collection, checks, crashes, full disks, many files."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from pumpkin_services.artifacts import folders
from pumpkin_services.artifacts.collector import collect
from pumpkin_services.artifacts.core import any_upload
from pumpkin_services.artifacts.fsck import main as fsck
from pumpkin_services.artifacts.tables import ObjectRow, VersionRow
from pumpkin_services.problems import Conflict, StorageFull
from tests.unit.artifacts.support import Site, World, begin, make_world, manifest, principal, send, sha, write_files

NOW = timedelta(seconds=-1)
"""A grace that has passed already."""

names = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/f"])
contents = st.sampled_from([b"", b"x", b"y" * 1000, b"z" * 5000])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.dictionaries(names, contents, min_size=1, max_size=4)),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("collect"), st.booleans()),
        st.tuples(st.just("abandon"), st.dictionaries(names, contents, min_size=1, max_size=2)),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps)
def test_whatever_happens_ready_versions_are_whole_and_the_rest_goes(script: list[tuple[str, object]]) -> None:
    asyncio.run(_play(script))


async def _play(script: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with make_world(Path(folder)) as world:
            owned = await world.dataset()
            alive: dict[str, dict[str, bytes]] = {}
            for action, value in script:
                if action == "push":
                    alive[await world.capture(owned, value)] = value  # pyright: ignore
                elif action == "delete" and alive:
                    gone = sorted(alive)[value % len(alive)]  # pyright: ignore
                    del alive[gone]
                    async with world.database.write() as session:
                        await world.artifacts.delete_version(session, gone)
                elif action == "collect":
                    await collect(world.artifacts.core, grace=NOW if value else timedelta(hours=1))
                elif action == "abandon":
                    await _begin_and_break_off(world, owned, value)  # pyright: ignore
                for version_id, files in alive.items():
                    assert await world.contents(version_id) == files
            for _ in range(2):
                await collect(world.artifacts.core, grace=NOW, abandoned=NOW)
            report = await world.artifacts.fsck()
            assert (report.damage, report.versions) == ([], len(alive))
            assert (report.orphan_objects, report.stray_files) == (0, 0)
            assert world.objects() == report.objects


async def _begin_and_break_off(world: World, owned: object, files: dict[str, bytes]) -> None:
    """Do what an ingest does up to its last step, and stop as a killed process would."""
    from pumpkin_services.artifacts.pack import Packer

    ingest = world.artifacts.ingest
    folder = world.root / "broken"
    write_files(folder, files)
    row = await ingest._begin(owned, creator="ann", source=None)  # pyright: ignore

    async def may_read(assets: set[str]) -> set[str]:
        return assets

    for batch in Packer(files=folders.entries(folder), strict=False).batches():
        await ingest._keep(row.id, batch, owned=owned, may_read=may_read)  # pyright: ignore


async def test_a_killed_upload_shows_nothing_and_is_collected(world: World) -> None:
    owned = await world.dataset()
    script = f"""
import asyncio, os, signal
from pathlib import Path
from pumpkin_services.storage.files import FolderStore
from tests.unit.artifacts.support import make_world
from pumpkin_services.artifacts.access import Owned
async def main():
    async with make_world(Path({str(world.root)!r})) as world:
        world.artifacts.ingest._finish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        owned = Owned(kind="dataset", asset_id={owned.asset_id!r}, workspace="ann", name="digits")
        await world.capture(owned, {{"a": b"1" * 100_000, "b": b"2"}})
asyncio.run(main())
"""
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], check=False)
    assert killed.returncode == -9
    assert world.objects() == 1
    async with world.database.read() as session:
        assert (
            await session.scalar(select(func.count()).select_from(VersionRow).where(VersionRow.state == "ready")) == 0
        )
    await collect(world.artifacts.core, grace=NOW, abandoned=NOW)
    await collect(world.artifacts.core, grace=NOW)
    assert world.objects() == 0


async def test_a_capture_after_a_crash_goes_on_and_happens_once(world: World) -> None:
    owned = await world.dataset()
    files = {"a": b"1" * 1000, "b": b"2"}
    write_files(world.root / "out", files)

    async def crash(_session: object, _version: str) -> None:
        raise asyncio.CancelledError

    where = {"owned": owned, "creator": "ann", "source": "job/1"}
    with pytest.raises(asyncio.CancelledError):
        await world.artifacts.ingest.capture(world.root / "out", finish=crash, **where)  # pyright: ignore
    first, _ = await world.artifacts.ingest.capture(world.root / "out", **where)
    again, _ = await world.artifacts.ingest.capture(world.root / "out", **where)
    assert first == again
    assert await world.contents(first) == files


async def test_a_collection_during_an_upload_takes_nothing_it_counts_on(site: Site) -> None:
    world = site.world
    base = "/datasets/ann/digits"
    async with site.client() as ann:
        owned = await world.dataset()
        old = await world.capture(owned, {"f": b"shared"})
        upload = await begin(ann, base)
        assert await send(ann, base, upload, {sha(b"shared"): b"shared"}) == 0
        async with world.database.write() as session:
            await world.artifacts.delete_version(session, old)
        for _ in range(3):
            await collect(world.artifacts.core, grace=NOW)
        await ann.put(f"{base}/uploads/{upload}/manifest", content=manifest({"g": b"shared"}))
        await ann.post(f"{base}/uploads/{upload}/commit")
        done = (await ann.get(f"{base}/uploads/{upload}", params={"wait": 20})).json()
        assert (done["state"], done["number"]) == ("ready", 2)
        assert (await ann.get(f"{base}/versions/2/files/g")).content == b"shared"


async def test_what_is_deleted_stays_for_the_grace_time(world: World) -> None:
    made = await world.capture(await world.dataset(), {"f": b"x"})
    async with world.database.write() as session:
        await world.artifacts.delete_version(session, made)
    await collect(world.artifacts.core, grace=timedelta(hours=1))
    assert world.objects() == 2
    await collect(world.artifacts.core, grace=NOW)
    assert world.objects() == 0


async def test_a_verification_whose_process_went_away_is_taken_up(site: Site) -> None:
    world, base = site.world, "/datasets/ann/digits"
    async with site.client() as ann:
        owned = await world.dataset()
        upload = await begin(ann, base)
        await send(ann, base, upload, {sha(b"x"): b"x"})
        await ann.put(f"{base}/uploads/{upload}/manifest", content=manifest({"f": b"x"}))
        async with world.database.write() as session:
            (await any_upload(session, upload, owned)).state = "verifying"
        await world.artifacts.uploads.recover(stale=NOW)
        assert (await ann.get(f"{base}/uploads/{upload}", params={"wait": 20})).json()["state"] == "ready"


async def test_fsck_finds_a_flipped_bit_and_a_lost_object(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    made = await world.capture(await world.dataset(), {"a": b"1" * 1000, "b": b"2" * 1000})
    command = ["--data", str(world.root)]
    assert await asyncio.to_thread(fsck, command) == 0
    async with world.database.read() as session:
        row = await session.get_one(VersionRow, made)
        pack = await session.scalar(select(ObjectRow).where(ObjectRow.kind == "packs"))
    assert pack is not None
    path = world.store.path(pack.key)
    data = bytearray(path.read_bytes())
    data[1500] ^= 1
    path.write_bytes(data)
    assert await asyncio.to_thread(fsck, command) == 1
    assert "chunk at byte 1000" in capsys.readouterr().out
    data[1500] ^= 1
    path.write_bytes(data)
    world.store.path(f"manifests/{row.manifest_id}").unlink()
    (world.root / "objects/packs/00").mkdir(exist_ok=True)
    (world.root / "objects/packs/00" / ("0" * 26)).write_bytes(b"stray")
    assert await asyncio.to_thread(fsck, [*command, "--json"]) == 1
    assert '"stray_files": 1' in capsys.readouterr().out


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Let no file of this process grow beyond `limit` bytes: what a full disk does, without filling one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_and_leaves_nothing(world: World) -> None:
    owned = await world.dataset()
    big = random.Random(1).randbytes(12 << 20)
    write_files(world.root / "made", {"big": big})
    with full_disk(8 << 20), pytest.raises(StorageFull):
        await world.artifacts.ingest.capture(world.root / "made", owned=owned, creator="ann", source="x")
    assert world.objects() == 0
    assert list((world.root / "objects" / "tmp").iterdir()) == []
    made = await world.capture(owned, {"big": big})
    with full_disk(8 << 20), pytest.raises(StorageFull):
        await world.artifacts.materialise(made, holder="h")
    assert list((world.root / "cache" / "tmp").iterdir()) == []
    assert (await world.artifacts.materialise(made, holder="h") / "big").read_bytes() == big


async def test_a_full_disk_answers_507_to_a_sender(site: Site) -> None:
    base = "/datasets/ann/digits"
    async with site.client() as ann:
        await site.world.dataset()
        upload = await begin(ann, base)
        size = 12 << 20
        target = (await ann.post(f"{base}/uploads/{upload}/objects", json={"sizes": [size]})).json()["objects"][0]
        url = site.url.split("/services/")[0] + target["url"]
        with full_disk(8 << 20):
            answer = await ann.put(url, content=bytes(size))
        assert (answer.status_code, answer.json()["reason"]) == (507, "storage_full")
        assert (await ann.put(url, content=bytes(size))).status_code == 204


def test_a_read_only_store_is_said(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir(mode=0o555)
    script = f"""
import os
from pathlib import Path
from pumpkin_services.problems import Unavailable
from pumpkin_services.storage.files import FolderStore
os.chdir({str(tmp_path)!r})
# Root writes everywhere: only somebody else meets a folder that may not be written.
os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))
try:
    with FolderStore(Path("objects"), base_url="", secret=b"").create("packs/" + "0" * 26):
        pass
except Unavailable as problem:
    print(problem.reason)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "storage_read_only"


async def test_twenty_thousand_small_files_make_few_objects(world: World) -> None:
    owned = await world.dataset()
    noise = random.Random(7)
    files = {f"d{number // 1000}/f{number}": noise.randbytes(512) for number in range(20_000)}
    out = world.root / "out"
    write_files(out, files)
    where = {"owned": owned, "creator": "ann"}
    first, _ = await world.artifacts.ingest.capture(out, source="1", **where)
    assert world.objects() == 2
    folder = await world.artifacts.materialise(first, holder="a")
    assert (folder / "d19/f19999").read_bytes() == files["d19/f19999"]
    stored = await _stored(world)
    (out / "d0/f0").write_bytes(b"changed")
    second, _ = await world.artifacts.ingest.capture(out, source="2", **where)
    assert await _stored(world) - stored < 3_000_000  # one manifest, and seven bytes
    sibling = await world.artifacts.materialise(second, holder="a")
    assert (sibling / "d5/f5000").samefile(folder / "d5/f5000")
    assert (sibling / "d0/f0").read_bytes() == b"changed"


async def _stored(world: World) -> int:
    async with world.database.read() as session:
        return await world.artifacts.stored_bytes(session, "ann")


async def test_what_leads_out_of_a_captured_folder_is_left_out(world: World) -> None:
    out = world.root / "out"
    write_files(out, {"model/weights": b"w", "log": b"l"})
    (world.root / "private").mkdir()
    (world.root / "private/key").write_bytes(b"secret")
    (out / "stolen").symlink_to(world.root / "private/key")
    (out / "folder").symlink_to(world.root / "private")
    (out / "latest").symlink_to("model/weights")
    (out / "absolute").symlink_to(out / "log")
    os.mkfifo(out / "pipe")
    made, left_out = await world.artifacts.ingest.capture(out, owned=await world.dataset(), creator="ann", source="s")
    assert await world.contents(made) == {"absolute": b"l", "latest": b"w", "log": b"l", "model/weights": b"w"}
    assert sorted(left_out) == ["'folder' is a link that leads out", "'stolen' is a link that leads out"]


async def test_a_number_is_never_used_again(world: World) -> None:
    owned = await world.dataset()
    first = await world.capture(owned, {"a": b"1"})
    async with world.database.write() as session:
        await world.artifacts.pin(session, first, "w")
        with pytest.raises(Conflict):
            await world.artifacts.delete_version(session, first)
        await world.artifacts.unpin(session, "w", version_id=first)
        await world.artifacts.delete_version(session, first)
    await world.capture(owned, {"a": b"1"})
    async with world.database.read() as session:
        assert (await world.datasets.resolve(session, principal("ann"), "digits", field="x")).number == 2
