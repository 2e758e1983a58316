"""Resident memory of the idle embedded platform: Hub, proxy and service, against the 350 MiB it may take."""

from __future__ import annotations

import time

import psutil

from bench.common import fresh_house, report

ALLOWED = 350


def main() -> None:
    """Run and print."""
    with fresh_house("idle") as house:
        house.up()
        time.sleep(20)
        parts = {
            part: psutil.Process(house.pids(part)[0]).memory_info().rss / 2**20 for part in ("hub", "proxy", "service")
        }
    total = sum(parts.values())
    rows = [("process", "resident"), *((name, f"{size:.0f} MiB") for name, size in parts.items())]
    rows += [("all", f"{total:.0f} MiB"), ("allowed", f"{ALLOWED} MiB")]
    report("idle", ours=round(total, 1), reference=ALLOWED, ratio=total / ALLOWED, rows=rows)


if __name__ == "__main__":
    main()
