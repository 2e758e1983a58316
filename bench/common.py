"""What every benchmark shares: a platform of its own, a table, and the JSON line at the end."""

from __future__ import annotations

import json
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table
from tests.integration.house import House

ROOT = Path(__file__).parents[1]
WORKLOADS = "/workloads"


@contextmanager
def fresh_house(name: str) -> Iterator[House]:
    """Yield a platform that is not started yet, on a data folder that goes away with it."""
    with tempfile.TemporaryDirectory(prefix=f"pumpkin-bench-{name}-") as folder:
        house = House(data=Path(folder) / "data")
        try:
            yield house
        finally:
            house.tear_down()


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def processor_seconds(pids: Sequence[int]) -> float:
    """Return the processor seconds that processes have used so far."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def report(
    bench: str, *, ours: float, reference: float, ratio: float, rows: Sequence[Sequence[str]], **more: object
) -> None:
    """Print the table (first row: headings) and, last, one JSON object."""
    memory = psutil.virtual_memory().total / 2**30
    machine = f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
    table = Table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    console = Console(width=110)
    console.print(f"{bench} · Pumpkin {version('pumpkin-platform')} · {machine}")
    console.print(table)
    print(
        json.dumps({"bench": bench, "ours": ours, "reference": reference, "ratio": round(ratio, 4), **more}), flush=True
    )
