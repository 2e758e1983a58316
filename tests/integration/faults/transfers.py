"""A client process that pushes or reads through the SDK and may be killed at any moment: `python -m` it with a plan.

What it has done is in a journal, one line of JSON each; started again with the same plan it goes on behind that. A
refusal is written down and the same call made again, which is what the refusals say to do.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pumpkin import Client, PumpkinError

TURNS = 2
"""Versions that are pushed of each dataset."""
READ = 3
"""Datasets that are there to be read."""


def tree(dataset: str, turn: int) -> dict[str, bytes]:
    """Return the files of a version: many small ones, a large one that is cut, some that other datasets have too."""
    rng = random.Random(dataset)
    files = {f"d{number % 5}/{number}": rng.randbytes(rng.randrange(6000)) for number in range(rng.randrange(30, 90))}
    large = rng.randbytes(rng.randrange(3 << 19, 3 << 20))
    files |= {f"shared/{number}": random.Random(number).randbytes(40_000) for number in rng.sample(range(20), 8)}
    if turn:
        files.pop("d0/0")
        files |= {"d1/1": b"changed", "new": rng.randbytes(100_000)}
        large = large[: len(large) // 3] + b"put in between" + large[len(large) // 3 :]
    return files | {"large": large}


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def journal(folder: Path) -> Iterator[dict[str, Any]]:
    """Iterate over what a process wrote down: each line by one write, which a kill does not tear apart."""
    file = folder / "journal"
    yield from map(json.loads, file.read_text().splitlines() if file.exists() else [])


class Work:
    """The work of one process, in a folder of its own."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.done = {line["task"] for line in journal(folder) if "refused" not in line}
        self.file = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def until_done(self, task: str, act: Callable[[], object]) -> None:
        """Do something until it succeeds, unless it was done before."""
        while task not in self.done:
            try:
                outcome = {"result": act()}
                self.done.add(task)
            except PumpkinError as error:
                outcome = {"refused": str(error)}
                time.sleep(0.3)
            os.write(self.file, json.dumps({"task": task, **outcome}).encode() + b"\n")

    def push(self, dataset: str) -> None:
        for turn in range(TURNS):
            self.until_done(f"{dataset} {turn}", lambda turn=turn: self._push(dataset, tree(dataset, turn)))

    def _push(self, dataset: str, files: dict[str, bytes]) -> int:
        source = self.folder / dataset
        before = contents(source) if source.exists() else {}
        for path in before.keys() - files.keys():
            (source / path).unlink()
        for path, data in files.items():
            if before.get(path) != data:
                (source / path).parent.mkdir(parents=True, exist_ok=True)
                (source / path).write_bytes(data)
        return self.client.datasets.push(source, dataset).number

    def read(self, number: int) -> None:
        self.until_done(f"read {number}", lambda: self._read(number))

    def _read(self, number: int) -> None:
        dataset = f"read-{number % READ}"
        files, rng = tree(dataset, 0), random.Random(number)
        if number % 2:
            target = self.folder / f"pulled-{number}"
            self.client.datasets.pull(f"{dataset}@1", target)
            assert contents(target) == files, number
            shutil.rmtree(target)
        for path in ["large", *rng.sample(sorted(files), 5)]:
            with self.client.datasets.open(f"{dataset}@1", path) as answer:
                assert b"".join(answer.iter_bytes()) == files[path], (number, path)
        for _ in range(5):
            start = rng.randrange(len(files["large"]))
            end = rng.randrange(start, len(files["large"])) + 1
            assert self.client.datasets.read(f"{dataset}@1", "large", start=start, end=end) == files["large"][start:end]


def main(verb: str, folder: Path, tasks: list[str]) -> None:
    """Do every task: names of datasets to push, numbers of reads."""
    with Client() as client:
        work = Work(client, folder)
        for task in tasks:
            if verb == "push":
                work.push(task)
            else:
                work.read(int(task))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
