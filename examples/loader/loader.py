"""Feed a training loop with many small files, read from the packs they lie in instead of one by one.

    packs = Packs(pumpkin.Client(), "digits@1")
    for images in batches(packs.shuffled(seed=epoch), size=256, decode=decode):
        ...

A version's small files lie together in packs of up to 64 MiB, so a request brings thousands of them. In order, one pack
follows the other; shuffled, the packs come in random order and a sample is drawn from all files of several packs held
at once, as WebDataset and the like do. The next packs are fetched while the present ones are used, and every file is
checked against its hash. `Packs` iterates over (path, bytes): a `torch.utils.data.IterableDataset` can yield from it.

`python loader.py NAME@VERSION` measures it against reading a local copy file by file.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import httpx
import numpy

import pumpkin

Sample = tuple[str, bytes]


@dataclass(frozen=True)
class Pack:
    """An object of the store, the page of the list it is on, and the files in it: path, offset, size, hash."""

    id: str
    page: str | None
    files: list[tuple[str, int, int, str]]


class Packs:
    """The files of a version; of those too large to lie in a pack whole, each is read by itself."""

    def __init__(self, client: pumpkin.Client, reference: str, *, ahead: int = 3) -> None:
        self.client = client
        self.ahead = ahead
        version = client.datasets.resolve(reference)
        self.reference = f"{version.workspace}/{version.name}@{version.number}"
        self._base = f"/datasets/{version.workspace}/{version.name}/versions/{version.number}"
        self._small: dict[str, list[str]] = {}
        self._large: list[str] = []
        self._empty: list[str] = []
        self._urls: dict[str, tuple[str, datetime]] = {}
        for path, line in client.datasets.manifest(self.reference).items():
            chunks = line["chunks"]
            if len(chunks) == 1:
                self._small.setdefault(chunks[0]["hash"], []).append(path)
            else:
                (self._large if chunks else self._empty).append(path)
        self._http = httpx.Client(timeout=60, trust_env=not client.config.url.startswith("http://127."))

    def __iter__(self) -> Iterator[Sample]:
        """Iterate over all files, pack by pack."""
        return chain(self._others(), chain.from_iterable(self._fetched(self._packs())))

    def shuffled(self, *, seed: int, held: int = 4) -> Iterator[Sample]:
        """Iterate over all files in an order that depends on `seed`, holding up to `held` packs in memory."""
        order = random.Random(seed)
        packs = self._packs()
        order.shuffle(packs)
        bag = list(self._others())
        for number, samples in enumerate(self._fetched(packs)):
            bag += samples
            order.shuffle(bag)
            if number >= held - 1:
                keep = len(bag) * (held - 1) // held
                yield from bag[keep:]
                del bag[keep:]
        yield from bag

    def _others(self) -> Iterator[Sample]:
        yield from ((path, b"") for path in self._empty)
        yield from ((path, self.client.datasets.read(self.reference, path)) for path in self._large)

    def _packs(self) -> list[Pack]:
        found: list[Pack] = []
        left = dict(self._small)
        cursor: str | None = None
        while True:
            page = self._page(cursor)
            for item in page["items"]:
                files = [
                    (path, chunk["offset"], chunk["size"], chunk["hash"])
                    for chunk in sorted(item["chunks"], key=lambda chunk: chunk["offset"])
                    for path in left.pop(chunk["hash"], ())
                ]
                if files:
                    found.append(Pack(item["id"], cursor, files))
            cursor = page["next"]
            if cursor is None:
                return found

    def _page(self, cursor: str | None) -> dict[str, Any]:
        query = {} if cursor is None else {"cursor": cursor}
        page = self.client.request("GET", f"{self._base}/objects", query=query).json()
        for item in page["items"]:
            where = item["url"] if "://" in item["url"] else self.client.config.origin + item["url"]
            self._urls[item["id"]] = where, datetime.fromisoformat(item["expires"])
        return page

    def _url(self, pack: Pack) -> str:
        """Return where a pack is; the URLs are signed and good for minutes, so an old one is asked for anew."""
        if self._urls[pack.id][1] < datetime.now(UTC) + timedelta(minutes=1):
            self._page(pack.page)
        return self._urls[pack.id][0]

    def _fetched(self, packs: Iterable[Pack]) -> Iterator[list[Sample]]:
        """Yield the files of each pack, `ahead` packs being on their way."""
        with ThreadPoolExecutor(self.ahead, "loader") as pool:
            flights: deque[Future[list[Sample]]] = deque()
            try:
                for pack in packs:
                    flights.append(pool.submit(self._fetch, pack))
                    if len(flights) > self.ahead:
                        yield flights.popleft().result()
                while flights:
                    yield flights.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, pack: Pack) -> list[Sample]:
        first = pack.files[0][1]
        last = max(offset + size for _, offset, size, _ in pack.files)
        answer = self._http.get(self._url(pack), headers={"Range": f"bytes={first}-{last - 1}"})
        answer.raise_for_status()
        data = memoryview(answer.content)
        samples: list[Sample] = []
        for path, offset, size, digest in pack.files:
            content = bytes(data[offset - first : offset - first + size])
            if hashlib.sha256(content).hexdigest() != digest:
                raise RuntimeError(f"'{path}' did not arrive as it was kept: tell an admin to run 'pumpkin fsck'.")
            samples.append((path, content))
        return samples


def batches(
    samples: Iterable[Sample], size: int, *, decode: Callable[[bytes], numpy.ndarray]
) -> Iterator[numpy.ndarray]:
    """Yield arrays of shape (up to `size`, …) of decoded files."""
    iterator = iter(samples)
    while group := list(islice(iterator, size)):
        yield numpy.stack([decode(content) for _, content in group])


def main(reference: str) -> None:
    """Compare: a local copy file by file, the packs in order, the packs shuffled."""
    with pumpkin.Client() as client, tempfile.TemporaryDirectory() as folder:
        client.datasets.pull(reference, folder)
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        packs = Packs(client, reference)
        local = measure("local copy", ((str(path), path.read_bytes()) for path in paths))
        for name, samples in (("packs in order", iter(packs)), ("packs shuffled", packs.shuffled(seed=1))):
            print(f"  ratio to local {measure(name, samples) / local:.2f}")


def measure(name: str, samples: Iterable[Sample]) -> float:
    """Read all, say how fast that was, return the seconds."""
    began, size, count = time.perf_counter(), 0, 0
    for _, content in samples:
        size += len(content)
        count += 1
    seconds = time.perf_counter() - began
    print(f"{name:<15} {count} files, {size / 1e6:.1f} MB in {seconds:.2f} s: {count / seconds:,.0f} files/s")
    return seconds


if __name__ == "__main__":
    main(sys.argv[1])
