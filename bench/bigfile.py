"""One large file into S3: a push of a version, and the store's own client (`minio`, fput_object) on the same server.

The push is hashed in chunks, sent straight to the store, verified and committed; fput_object only sends, in parts of
16 MiB, as large as our packs (of 800 parts, its default here, versitygw cannot keep the list in a file's attributes).
Both run in a process of their own, whose peak memory is told. 4 GiB, or `SIZE=1G make bench B=bigfile`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from minio import Minio
from tests import s3

from bench.common import fresh_house, report

RAW = """
import sys
from minio import Minio
endpoint, access, secret, region, bucket, path = sys.argv[1:]
client = Minio(endpoint, access_key=access, secret_key=secret, secure=False, region=region)
client.fput_object(bucket, "raw", path, part_size=16 << 20)
"""
OURS = """
import sys
from pathlib import Path
from pumpkin import Client
url, token, folder = sys.argv[1:]
with Client(url, token) as client:
    assert client.datasets.push(Path(folder), "big").number == 1
"""
TELL_PEAK = """
from pathlib import Path
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
"""Prints the KiB a process held at its peak. (What getrusage tells is its parent's, if that held more.)"""
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size_of(text: str) -> int:
    """Return the bytes `text` (`512M`, `4G`) means."""
    found = re.fullmatch(r"(\d+)([KMG]?)", text)
    if found is None:
        sys.exit(f"SIZE={text} is no size: write 512M or 4G.")
    return int(found[1]) * UNITS[found[2]]


def timed(script: str, *words: str) -> tuple[float, float]:
    """Run a script; return the seconds it took and the MiB it had at its peak."""
    os.sync()
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{TELL_PEAK}", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - begin, int(done.stdout) / 1024


def fill(path: Path, size: int) -> None:
    """Write `size` bytes nobody can compress or find twice."""
    with path.open("wb") as file:
        left = size
        while left:
            left -= file.write(os.urandom(min(left, 16 << 20)))


class Log:
    """The server's access log: which requests were made since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def look(self) -> str:
        """Return the requests by kind."""
        with self._path.open() as file:
            file.seek(self._at)
            counts = Counter(re.findall(r" s3_(\w+) ", file.read()))
            self._at = file.tell()
        return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def main() -> None:
    """Measure and report."""
    size = size_of(os.environ.get("SIZE") or "4G")
    with tempfile.TemporaryDirectory(prefix="pumpkin-bench-s3-") as text, fresh_house("bigfile") as house:
        folder = Path(text)
        source = folder / "source"
        source.mkdir()
        fill(source / "big.bin", size)
        with s3.running(folder / "store", access_log=folder / "access.log") as server:
            place = server.endpoint.removeprefix("http://")
            store = Minio(place, **server.keys, secure=False, region=s3.REGION)
            store.make_bucket("raw-client")
            house.configure(server.config("platform"))
            user = house.up().user("ann")
            log = Log(folder / "access.log")
            log.look()
            keys = (server.access_key, server.secret_key)
            raw, raw_memory = timed(RAW, place, *keys, s3.REGION, "raw-client", str(source / "big.bin"))
            raw_requests = log.look()
            store.remove_object("raw-client", "raw")
            ours, memory = timed(OURS, house.url, user.token, str(source))
            requests = log.look()
            version = user.api.get("/datasets/ann/big/versions/1").json()
        assert version["bytes"] == size, json.dumps(version)
    rate = size / 2**20
    report(
        "bigfile",
        ours=round(ours, 2),
        reference=round(raw, 2),
        ratio=raw / ours,
        rows=[
            ("", "seconds", "MiB/s", "peak MiB", "requests to the store"),
            ("push", f"{ours:.1f}", f"{rate / ours:.0f}", f"{memory:.0f}", requests),
            ("minio fput_object", f"{raw:.1f}", f"{rate / raw:.0f}", f"{raw_memory:.0f}", raw_requests),
        ],
        size=size,
        peak_mib=round(memory),
    )


if __name__ == "__main__":
    main()
