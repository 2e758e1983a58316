"""The node cache under what happens to it: many pods at once, kill -9 in the middle, eviction beside use.

Every pod is a process of its own, as on a node.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pumpkin.pod.cache import Cache, tree

SOURCE = "datasets/lab/digits/versions/3"
# Fetches ten files slowly, counting who begins; a file that is there is not fetched again.
POD = """
import os, sys, time
from pathlib import Path
from pumpkin.pod.cache import Cache

root, source, pause = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def fetch(folder):
    with open(root / "began", "a") as log:
        log.write(f"{os.getpid()}\\n")
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for number in range(10):
        path = folder / "sub" / str(number)
        if path.exists():
            continue
        path.write_text("x" * 1000)
        print(number, flush=True)
        time.sleep(pause)

cache = Cache(root)
while True:
    where = cache.materialise(source, fetch, waiting=lambda: print("waits", flush=True))
    with cache.hold([source]) as missing:
        if missing:
            continue  # evicted in between: without a grace for what is recent, that may be
        print("has", len(list((where / "sub").iterdir())), flush=True)
        if len(sys.argv) > 4:
            time.sleep(600)
        break
"""


def pod(root: Path, *, source: str = SOURCE, pause: float = 0.0, hold: bool = False) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", POD, str(root), source, str(pause), *(["hold"] if hold else [])]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str], line: str) -> None:
    """Wait until a pod has printed `line`."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(f"ended without saying {line!r}")


def until(look: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not look():
        assert time.monotonic() < limit
        time.sleep(0.02)


def fill(size: int) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        folder.mkdir()
        (folder / "data").write_bytes(b"x" * size)

    return fetch


def test_the_name_of_a_tree_is_what_the_manifests_mount() -> None:
    assert tree(SOURCE) == "6a58ab6f98cc9903226c797f28fdcfe5"


def test_pods_that_start_at_once_fetch_a_version_once(tmp_path: Path) -> None:
    pods = [pod(tmp_path, pause=0.05) for _ in range(5)]
    heard = [process.communicate(timeout=60)[0].split("\n") for process in pods]
    assert all("has 10" in lines for lines in heard)
    assert len((tmp_path / "began").read_text().split()) == 1


def test_whoever_waits_goes_on_though_others_use_the_tree_for_good(tmp_path: Path) -> None:
    first = pod(tmp_path, pause=0.1, hold=True)
    try:
        said(first, "0")
        others = [pod(tmp_path) for _ in range(3)]
        for other in others:
            said(other, "waits")
        said(first, "has 10")
        assert all("has 10" in other.communicate(timeout=60)[0] for other in others)
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()


def test_a_killed_pod_leaves_no_half_tree_and_the_next_goes_on_where_it_stopped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    killed = pod(tmp_path, pause=0.2)
    said(killed, "4")
    killed.kill()
    killed.wait()
    assert not cache.path(SOURCE).exists()
    heard = pod(tmp_path).communicate(timeout=60)[0].split("\n")
    assert "has 10" in heard
    assert "4" not in heard


def test_a_tree_cannot_be_written_and_keeps_who_may_execute(tmp_path: Path) -> None:
    def fetch(folder: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "run").write_text("#!/bin/sh\n")
        (folder / "bin" / "run").chmod(0o755)
        (folder / "data").write_text("1")

    where = Cache(tmp_path).materialise(SOURCE, fetch)
    modes = {str(path.relative_to(where)): stat.S_IMODE(path.stat().st_mode) for path in (where, *where.rglob("*"))}
    assert modes == {".": 0o555, "bin": 0o555, "bin/run": 0o555, "data": 0o444}


def test_eviction_takes_the_least_recently_used_and_no_more_than_it_must(tmp_path: Path) -> None:
    cache = Cache(tmp_path, recent=0)
    for number in range(4):
        cache.materialise(str(number), fill(1000))
        os.utime(cache.path(str(number)), (number, number))
    cache.materialise("0", fill(1000))  # used again: now the most recent
    assert cache.evict(2500) == 2000
    assert [number for number in range(4) if cache.path(str(number)).exists()] == [0, 3]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_eviction_leaves_what_a_pod_uses_and_takes_it_once_the_pod_is_killed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, recent=0)
    user = pod(tmp_path, hold=True)
    said(user, "has 10")
    assert cache.evict(0) == 10_000
    user.send_signal(signal.SIGKILL)
    user.wait()
    assert cache.evict(0) == 0


def test_eviction_leaves_what_was_used_just_now_and_what_is_being_made(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.materialise("a", fill(1000))
    maker = pod(tmp_path, pause=0.1)
    said(maker, "0")
    assert cache.evict(0) == 1000
    assert Cache(tmp_path, recent=0).evict(0) == 0
    assert "has 10" in maker.communicate(timeout=60)[0]


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, recent=0)
    killed = pod(tmp_path, pause=0.2)
    said(killed, "1")
    killed.kill()
    killed.wait()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == [tree(SOURCE)]
    cache.evict(0)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_pods_and_eviction_at_once_never_show_half_a_tree(tmp_path: Path) -> None:
    evictor = Cache(tmp_path, recent=0)
    pods = [pod(tmp_path, source=f"version-{number % 3}") for number in range(9)]
    while any(process.poll() is None for process in pods):
        evictor.evict(10_000)
    heard = [process.communicate()[0] for process in pods]
    assert all(text.split("\n")[-2] == "has 10" for text in heard)
    assert evictor.evict(0) == 0


def test_the_command_evicts_and_says_what_is_kept(tmp_path: Path) -> None:
    Cache(tmp_path).materialise("a", fill(3 << 20))
    words = [sys.executable, "-m", "pumpkin.pod", "evict", "--limit", str(4 << 30)]
    env = {**os.environ, "PUMPKIN_POD_CACHE": str(tmp_path)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "the cache keeps 3.0 MiB of 4.0 GiB\n"
