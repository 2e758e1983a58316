"""Folders on a node: made once, shared, read-only, evicted by last use."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.artifacts.support import World, make_world


async def test_many_who_ask_at_once_get_one_folder(world: World) -> None:
    made = await world.capture(await world.dataset(), {f"f{number}": b"x" * number for number in range(200)})
    paths = await asyncio.gather(*(world.artifacts.materialise(made, holder=f"w{number}") for number in range(12)))
    assert len(set(paths)) == 1
    assert len(os.listdir(paths[0])) == 200
    assert world.artifacts.cache.holders() == {f"w{number}" for number in range(12)}


async def test_several_processes_make_one_folder(world: World) -> None:
    made = await world.capture(await world.dataset(), {f"f{number}": os.urandom(100) for number in range(500)})
    script = f"""
import asyncio, os, sys
from pathlib import Path
from tests.unit.artifacts.support import make_world
async def main():
    async with make_world(Path({str(world.root)!r})) as world:
        built = world.artifacts.cache.build
        def build(*args, **kwargs):
            print("built", flush=True)
            return built(*args, **kwargs)
        world.artifacts.cache.build = build
        folder = await world.artifacts.materialise({made!r}, holder=sys.argv[1])
        assert len(os.listdir(folder)) == 500
asyncio.run(main())
"""
    running = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, f"w{number}", stdout=subprocess.PIPE)
        for number in range(3)
    ]
    printed = [(await process.communicate())[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert b"".join(printed) == b"built\n"


async def test_a_folder_cannot_be_written_and_siblings_share(world: World) -> None:
    owned = await world.dataset()
    one = await world.artifacts.materialise(await world.capture(owned, {"d/a": b"1", "b": b"2"}), holder="h")
    two = await world.artifacts.materialise(await world.capture(owned, {"d/a": b"1", "b": b"3"}), holder="h")
    assert (one / "d/a").samefile(two / "d/a")
    assert not (one / "b").samefile(two / "b")
    for path in (one, one / "d", one / "b"):
        assert path.stat().st_mode & 0o222 == 0


async def test_the_longest_unused_goes_first_and_what_is_pinned_stays(tmp_path: Path) -> None:
    async with make_world(tmp_path, cache_bytes=2500) as world:
        owned = await world.dataset()
        made = [await world.capture(owned, {"f": bytes([number]) * 1000}) for number in range(4)]
        folders = [await world.artifacts.materialise(version, holder=version) for version in made[:2]]
        os.utime(folders[1], (1, 1))
        await world.artifacts.release(made[1])
        folders.append(await world.artifacts.materialise(made[2], holder=made[2]))
        assert [folder.exists() for folder in folders] == [True, False, True]
        folders.append(await world.artifacts.materialise(made[3], holder=made[3]))
        assert [folder.exists() for folder in folders] == [True, False, True, True]
        for version in made:
            await world.artifacts.release(version)
        again = await world.artifacts.materialise(made[1], holder="x")
        assert (again / "f").read_bytes() == b"\x01" * 1000
        assert sum(1 for _ in (tmp_path / "cache/files").glob("*/*")) <= 2


async def test_what_a_killed_process_left_is_cleared(world: World) -> None:
    made = await world.capture(await world.dataset(), {"f": b"x"})
    left = world.root / "cache/tmp" / f"{made}.left"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"")
    folder = await world.artifacts.materialise(made, holder="h")
    assert os.listdir(folder) == ["f"]
    assert not left.exists()
