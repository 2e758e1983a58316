"""A version laid out on a node for a job, from S3, against a plain copy of the same files on the same disk (`cp -r`).

The layout is `ArtifactService.materialise`, which a job's inputs are mounted from: a version for the first time, the
same again, and a sibling of which one file differs. Each in a process of its own, whose peak memory is told.
20,000 files of 4 KiB and 4 of 256 MiB, or `FILES=2000 SIZE=64M make bench B=materialise`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests import s3

from bench.bigfile import Log, fill, size_of
from bench.common import fresh_house, report
from bench.smallfiles import BYTES, make_files
from pumpkin import Client

LARGE = 4
"""Large files, which are `SIZE` together."""
LAY_OUT = """
import asyncio, json, sys, time
from pathlib import Path
from pumpkin_services.artifacts.service import ArtifactService
from pumpkin_services.db import Database
from pumpkin_services.events import Wakeups
from pumpkin_services.storage.s3 import S3Store
from pumpkin_services.storage.settings import S3

database, cache, version, holder, settings = sys.argv[1:]

async def no_limit(_session, _workspace):
    return None

async def main():
    artifacts = ArtifactService(
        database=Database(f"sqlite+aiosqlite:///{database}"),
        store=S3Store(S3(**json.loads(settings)), base_url="/", secret=b"s" * 32),
        wakeups=Wakeups(), limit=no_limit, cache_root=Path(cache), cache_bytes=1 << 40,
    )
    received, stream = 0, artifacts.core.store.stream
    def counted(key, **where):
        nonlocal received
        for piece in stream(key, **where):
            received += len(piece)
            yield piece
    artifacts.core.store.stream = counted
    begin, work = time.perf_counter(), time.process_time()
    folder = await artifacts.materialise(version, holder=holder)
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10
    print(json.dumps([seconds, work, peak, str(folder), received]))

asyncio.run(main())
"""


@dataclass(frozen=True, kw_only=True)
class Laid:
    """What a layout took: seconds, CPU seconds, MiB at the peak, and what it asked the store for."""

    seconds: float
    work: float
    peak: int
    folder: Path
    requests: str
    received: int


def lay_out(version: str, *, holder: str, database: Path, cache: Path, server: s3.Server, log: Log) -> Laid:
    """Have a version laid out."""
    settings = json.dumps({"endpoint": server.endpoint, "region": s3.REGION, "bucket": "platform", **server.keys})
    words = [str(database), str(cache), version, holder, settings]
    log.look()
    done = subprocess.run([sys.executable, "-c", LAY_OUT, *words], check=True, stdout=subprocess.PIPE, text=True)
    seconds, work, peak, folder, received = json.loads(done.stdout)
    return Laid(
        seconds=seconds, work=work, peak=peak, folder=Path(folder), requests=log.look() or "none", received=received
    )


def copy(source: Path, target: Path) -> tuple[float, float]:
    """Return the seconds and the CPU seconds a plain copy takes."""
    begin, before = time.perf_counter(), os.times()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    after = os.times()
    work = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - begin, work


def check(folder: Path, source: Path) -> None:
    """Fail if a folder has not the same files as another."""
    subprocess.run(["diff", "-r", "-q", str(folder), str(source)], check=True)


def main() -> None:
    """Measure and report."""
    files, size = int(os.environ.get("FILES") or 20_000), size_of(os.environ.get("SIZE") or "1G")
    with tempfile.TemporaryDirectory(prefix="pumpkin-bench-lay-") as text, fresh_house("materialise") as house:
        root = Path(text)
        os.environ["XDG_CACHE_HOME"] = f"{root}/home-cache"
        source = make_files(root / "source" / "small", seed=1, files=files).parent
        for number in range(LARGE):
            fill(source / f"large{number}.bin", size // LARGE)
        with s3.running(root / "store", access_log=root / "access.log") as server:
            house.configure(server.config("platform"))
            user = house.up().user("ann")
            changing = source / "small/d000/f007.bin"
            contents = (changing.read_bytes(), random.Random(2).randbytes(BYTES))
            versions: list[str] = []
            with Client(house.url, user.token) as client:
                for content in contents:
                    changing.write_bytes(content)
                    number = client.datasets.push(source, "mixed").number
                    versions.append(user.api.get(f"/datasets/ann/mixed/versions/{number}").json()["id"])
            changing.write_bytes(contents[0])
            house.down()  # nothing else is at work
            os.sync()
            plain, plain_work = copy(source, root / "plain")
            os.sync()
            database, log = house.data / "platform.sqlite", Log(root / "access.log")
            first, again, sibling = (
                lay_out(version, holder=holder, database=database, cache=root / "cache", server=server, log=log)
                for version, holder in ((versions[0], "a"), (versions[0], "b"), (versions[1], "c"))
            )
            check(first.folder, source)
    total = files * BYTES + size
    laid = {"first": first, "again": again, "a sibling, one file changed": sibling}
    report(
        "materialise",
        ours=round(first.seconds, 3),
        reference=round(plain, 3),
        ratio=first.seconds / plain,
        rows=[
            ("", "seconds", "of cp -r", "CPU s", "peak MiB", "requests", "MiB from the store"),
            ("cp -r", f"{plain:.2f}", "", f"{plain_work:.2f}", "", "", ""),
            *(
                (
                    name,
                    f"{one.seconds:.3f}",
                    f"{one.seconds / plain:.3f}",
                    f"{one.work:.2f}",
                    str(one.peak),
                    one.requests,
                    f"{one.received / 2**20:.1f}",
                )
                for name, one in laid.items()
            ),
        ],
        again=round(again.seconds / plain, 4),
        sibling=round(sibling.seconds / plain, 4),
        files=files + LARGE,
        bytes=total,
        peak_mib=first.peak,
    )


if __name__ == "__main__":
    main()
