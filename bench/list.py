"""A page of the workload list at 1,000 and at 1,000,000 workloads, asked in turn in one run.

Both platforms hold the same people's kind of history (100 workloads each, so 10 and 10,000 users). Rows are
copies of one real job's row, written straight into the database while the platform is down.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import httpx
from tests.integration.house import House

from bench.common import fresh_house, quantile, report

SMALL, LARGE, EACH = 1_000, 1_000_000, 100
CALLS = 300
PAGES = {
    "my workloads": {"limit": 50},
    "my failed ones": {"limit": 50, "phase": "failed"},
    "everybody's (admin)": {"limit": 50, "everything": True},
}


def prepare(house: House, rows: int) -> dict[str, httpx.Client]:
    """Fill a platform with `rows` workloads and return the clients that ask: page name to client."""
    user = house.up().user("person-0")
    user.api.post("/workloads/jobs", json={"name": "job", "spec": "cpu-small", "command": ["true"]}).raise_for_status()
    while user.api.get("/workloads").json()["items"][0]["phase"] != "succeeded":
        time.sleep(0.2)
    admin = house.admin
    house.down()
    database = sqlite3.connect(house.data / "platform.sqlite")
    columns = [row[1] for row in database.execute("PRAGMA table_info(workloads)")]
    made = {
        "id": "printf('%026d', i)",
        "workspace": f"'person-' || (i % {rows // EACH})",
        "creator": f"'person-' || (i % {rows // EACH})",
        "name": "'job-' || i",
        "phase": "CASE i / 7 % 10 WHEN 0 THEN 'failed' WHEN 1 THEN 'stopped' ELSE 'succeeded' END",
    }
    values = ", ".join(made.get(column, f'workloads."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    database.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows - 1}) "
        f"INSERT INTO workloads ({names}) SELECT {values} FROM n, (SELECT id AS template FROM workloads LIMIT 1) "
        "JOIN workloads ON workloads.id = template"
    )
    database.commit()
    database.execute("ANALYZE")
    database.commit()
    database.close()
    house.up()
    clients = [user.api, user.api, admin.api]
    return dict(zip(PAGES, clients, strict=True))


def timed(client: httpx.Client, query: dict[str, object]) -> float:
    """Return the seconds one call takes; its page must be full."""
    begin = time.perf_counter()
    answer = client.get("/workloads", params=query)
    seconds = time.perf_counter() - begin
    answer.raise_for_status()
    assert answer.json()["items"], answer.text
    return seconds


def main() -> None:
    """Run and print."""
    with fresh_house("list-small") as small, fresh_house("list-large") as large:
        few, many = prepare(small, SMALL), prepare(large, LARGE)
        seconds: dict[tuple[str, int], list[float]] = {}
        for number in range(CALLS + 20):
            for name, query in PAGES.items():
                for rows, clients in ((SMALL, few), (LARGE, many)):
                    spent = timed(clients[name], query)
                    if number >= 20:
                        seconds.setdefault((name, rows), []).append(spent)
                    time.sleep(0.01)  # below the rate limit
    rows: list[Sequence[str]] = [("page of 50", "rows", "p50", "p99", "p99 ratio")]
    ratios: dict[str, float] = {}
    for name in PAGES:
        ratios[name] = quantile(seconds[name, LARGE], 0.99) / quantile(seconds[name, SMALL], 0.99)
        for count in (SMALL, LARGE):
            spent = seconds[name, count]
            p50, p99 = (f"{quantile(spent, share) * 1000:.1f} ms" for share in (0.5, 0.99))
            rows.append((name, f"{count:,}", p50, p99, f"{ratios[name]:.2f}" if count == LARGE else ""))
    worst = max(ratios, key=lambda name: ratios[name])
    report("list", ours=round(quantile(seconds[worst, LARGE], 0.99), 4),
           reference=round(quantile(seconds[worst, SMALL], 0.99), 4), ratio=ratios[worst], rows=rows,
           page=worst)  # fmt: skip


if __name__ == "__main__":
    main()
