"""A new version with one file changed of 100,000, against the first upload of all; and a checkpoint changed a little.

Both pushes go through the SDK to one platform that keeps its objects in S3. The first is made twice, of other files of
the same shape, so that it is not the platform's warming up that is measured. Of the 2 GiB checkpoint 1 % of the bytes
are overwritten, in 16 places, and then the bytes are counted that a push sends.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests import s3
from tests.integration.house import House

from bench.common import fresh_house, median, report
from bench.smallfiles import BYTES, make_files
from pumpkin import Client, Progress

FILES = int(os.environ.get("FILES") or 100_000)
CHECKPOINT = 2 << 30
CHANGES = 16
ROUNDS = 3


def push(client: Client, folder: Path, name: str) -> tuple[float, int]:
    """Return the seconds a push takes, and the bytes it sends."""
    sent = 0

    def tell(progress: Progress) -> None:
        nonlocal sent
        sent = max(sent, progress.sent)

    begin = time.perf_counter()
    client.datasets.push(folder, name, on_progress=tell)
    return time.perf_counter() - begin, sent


def small_files(client: Client, root: Path) -> tuple[list[float], list[float]]:
    """Return the seconds of first uploads, and of those after one file was changed."""
    firsts: list[float] = []
    for number in range(2):
        folder = make_files(root / f"small{number}", seed=number, files=FILES)
        firsts.append(push(client, folder, f"small{number}")[0])
    again: list[float] = []
    for number in range(ROUNDS):
        (root / "small1" / "d050" / f"f{number:03}.bin").write_bytes(random.Random(f"new{number}").randbytes(BYTES))
        again.append(push(client, root / "small1", "small1")[0])
    return firsts, again


def checkpoint(client: Client, root: Path) -> tuple[int, int]:
    """Return how many bytes were changed in the checkpoint, and how many a push sent for that."""
    folder = root / "checkpoint"
    folder.mkdir()
    with open(folder / "model.safetensors", "wb") as file:
        for _ in range(CHECKPOINT >> 24):
            file.write(os.urandom(1 << 24))
    push(client, folder, "checkpoint")
    size = CHECKPOINT // 100 // CHANGES
    with open(folder / "model.safetensors", "r+b") as file:
        for number in range(CHANGES):
            file.seek(number * (CHECKPOINT // CHANGES) + 12_345_678)
            file.write(os.urandom(size))
    return size * CHANGES, push(client, folder, "checkpoint")[1]


def main() -> None:
    """Run and print."""
    with (
        tempfile.TemporaryDirectory(prefix="pumpkin-bench-reversion-") as folder,
        fresh_house("reversion") as house,
        s3.running(Path(folder) / "store") as server,
    ):
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        house.configure(server.config("platform"))
        user = house.up().user("bench")
        with Client(house.url, user.token) as client:
            firsts, again = small_files(client, Path(folder))
            changed, sent = checkpoint(client, Path(folder))
        memory = peak(house)
    first, second = firsts[-1], median(again)
    rows: list[Sequence[str]] = [("push", "time", "sent")]
    rows += [
        (f"{FILES:,} files of {BYTES} bytes, first", f"{first:.2f} s", f"{FILES * BYTES >> 20} MiB"),
        ("one file changed", f"{second:.2f} s ({min(again):.2f} to {max(again):.2f})", f"{BYTES} bytes"),
        (f"2 GiB checkpoint, {changed / 2**20:.1f} MiB changed", "", f"{sent / 2**20:.1f} MiB"),
    ]
    report("reversion", ours=round(second, 3), reference=round(first, 3), ratio=second / first, rows=rows,
           checkpoint_changed=changed, checkpoint_sent=sent, service_peak_mib=memory)  # fmt: skip


def peak(house: House) -> int:
    """Return the most memory the service held, in MiB."""
    [pid] = house.pids("service")
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


if __name__ == "__main__":
    main()
