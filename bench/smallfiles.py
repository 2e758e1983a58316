"""100,000 files of 4 KiB into S3: a push of a version; one PUT per file by `minio`; DVC's add and push.

All on one server, with as many at once. The push hashes, packs, sends, verifies and commits; `minio` only sends. Each
runs in a process of its own. `FILES=10000 make bench B=smallfiles` for fewer. DVC is installed, once, in a virtual
environment of its own below `~/.cache/pumpkin-bench`.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from minio import Minio
from tests import s3

from bench.bigfile import Log, timed
from bench.common import fresh_house, report
from pumpkin.transfer.push import WORKERS

BYTES = 4096
DVC = "3.67.1"
RAW = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from minio import Minio
endpoint, access, secret, region, bucket, folder, workers = sys.argv[1:]
client = Minio(endpoint, access_key=access, secret_key=secret, secure=False, region=region)
root = Path(folder)
files = [path for path in root.rglob("*") if path.is_file()]
with ThreadPoolExecutor(int(workers)) as pool:
    for _ in pool.map(lambda path: client.fput_object(bucket, str(path.relative_to(root)), str(path)), files):
        pass
"""
OURS = """
import sys
from pathlib import Path
from pumpkin import Client
url, token, folder = sys.argv[1:]
with Client(url, token) as client:
    assert client.datasets.push(Path(folder), "small").number == 1
"""


def make_files(folder: Path, *, seed: int, files: int) -> Path:
    """Write small files, none like another, a thousand in each folder."""
    noise = random.Random(seed)
    for number in range(files):
        path = folder / f"d{number // 1000:03}" / f"f{number % 1000:03}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(BYTES))
    return folder


def install_dvc() -> Path:
    """Return DVC's program, installed if it is not there."""
    place = Path("~/.cache/pumpkin-bench").expanduser() / f"dvc-{DVC}"
    program = place / "bin/dvc"
    if not program.exists():
        print(f"installing DVC {DVC} into {place}: a minute, once", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        subprocess.run([place / "bin/pip", "install", "--quiet", f"dvc[s3]=={DVC}"], check=True)
    return program


def time_dvc(program: Path, source: Path, repository: Path, server: s3.Server) -> float:
    """Return the seconds of `dvc add` and `dvc push` of a folder, with as many workers as a push of ours has."""
    shutil.copytree(source, repository / "data")
    environ = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": s3.REGION,
        "DVC_NO_ANALYTICS": "1",
        "HOME": str(repository),
        "DVC_SITE_CACHE_DIR": str(repository / "site-cache"),
        "NO_PROXY": "127.0.0.1",
    }

    def dvc(*words: str) -> None:
        subprocess.run([program, *words], cwd=repository, env=environ, check=True, stdout=subprocess.DEVNULL)

    dvc("init", "--no-scm", "--quiet")
    dvc("config", "core.checksum_jobs", str(WORKERS))
    dvc("remote", "add", "--default", "store", "s3://dvc-remote")
    dvc("remote", "modify", "store", "endpointurl", server.endpoint)
    os.sync()
    begin = time.perf_counter()
    dvc("add", "--quiet", "data")
    dvc("push", "--quiet", "--jobs", str(WORKERS))
    return time.perf_counter() - begin


def main() -> None:
    """Measure and report."""
    files = int(os.environ.get("FILES") or 100_000)
    dvc = install_dvc()
    with tempfile.TemporaryDirectory(prefix="pumpkin-bench-small-") as text, fresh_house("smallfiles") as house:
        folder = Path(text)
        source = make_files(folder / "source", seed=1, files=files)
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        with s3.running(folder / "store", access_log=folder / "access.log") as server:
            place = server.endpoint.removeprefix("http://")
            store = Minio(place, **server.keys, secure=False, region=s3.REGION)
            for bucket in ("raw-client", "dvc-remote"):
                store.make_bucket(bucket)
            house.configure(server.config("platform"))
            user = house.up().user("ann")
            log = Log(folder / "access.log")
            log.look()
            keys = (server.access_key, server.secret_key)
            raw, raw_memory = timed(RAW, place, *keys, s3.REGION, "raw-client", str(source), str(WORKERS))
            raw_requests = log.look()
            ours, memory = timed(OURS, house.url, user.token, str(source))
            requests = log.look()
            by_dvc = time_dvc(dvc, source, folder / "repository", server)
            dvc_requests = log.look()
            version = user.api.get("/datasets/ann/small/versions/1").json()
        assert version["files"] == files, version
    report(
        "smallfiles",
        ours=round(ours, 2),
        reference=round(raw, 2),
        ratio=raw / ours,
        rows=[
            ("", "seconds", "files/s", "peak MiB", "requests to the store"),
            ("push", f"{ours:.1f}", f"{files / ours:.0f}", f"{memory:.0f}", requests),
            (f"minio, {WORKERS} PUTs at once", f"{raw:.1f}", f"{files / raw:.0f}", f"{raw_memory:.0f}", raw_requests),
            (f"DVC {DVC}, add and push", f"{by_dvc:.1f}", f"{files / by_dvc:.0f}", "", dvc_requests),
        ],
        dvc=round(by_dvc, 2),
        dvc_ratio=round(by_dvc / ours, 2),
        files=files,
        peak_mib=round(memory),
    )


if __name__ == "__main__":
    main()
