"""A line of a job's log: from its printing to the browser's page; and the opening of a log of a million lines."""

from __future__ import annotations

import time

from playwright.sync_api import Page
from tests.integration.house import User

from bench.browser import in_lab
from bench.common import fresh_house, median, quantile, report

LINES, PAUSE = 400, 0.05
MANY = 1_000_000
OPENINGS = 5
ALLOWED_MS = 200
# It begins when its tab is open: only what is printed then is seen as it comes.
TICKS = f"""
import time
time.sleep(10)
for number in range({LINES}):
    print("tick", number, int(time.time() * 1000), flush=True)
    time.sleep({PAUSE})
"""
LONG = f"""
print("\\n".join(f"line {{number}} of a long log, as long as lines of logs are" for number in range({MANY})))
"""
# The time is taken when the browser has drawn the line: in the frame after it was put into the page.
WATCH = """() => {
    window.ticks = new Map();
    new MutationObserver(() => {
        const text = document.querySelector('.pk-log-lines')?.textContent ?? '';
        const fresh = [...text.matchAll(/tick (\\d+) (\\d{13})/g)].filter(found => !window.ticks.has(found[1]));
        if (fresh.length > 0) {
            fresh.forEach(found => window.ticks.set(found[1], null));
            requestAnimationFrame(() => setTimeout(() => {
                const now = Date.now();
                fresh.forEach(found => window.ticks.set(found[1], now - Number(found[2])));
            }));
        }
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def submit(user: User, name: str, script: str) -> str:
    """Submit a script of Python as a job; return its id."""
    body = {"name": name, "spec": "cpu-small", "command": ["python", "-c", script]}
    answer = user.api.post("/workloads/jobs", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def wait(user: User, job: str) -> None:
    """Return when a job has ended."""
    while user.api.get(f"/workloads/{job}").json()["phase"] not in ("succeeded", "failed", "stopped"):
        time.sleep(0.2)


def open_job(page: Page, name: str) -> None:
    """Open a job's tab from the panel."""
    page.locator(".pk-panel .pk-row", has_text=name).click()


def live(page: Page, user: User) -> list[float]:
    """Return the milliseconds from each line's printing to its being seen."""
    job = submit(user, "ticks", TICKS)
    page.evaluate(WATCH)
    open_job(page, "ticks")
    wait(user, job)
    page.wait_for_function(f"[...window.ticks.values()].filter(value => value !== null).length === {LINES}")
    return [float(value) for value in page.evaluate("[...window.ticks.values()]")]


def opening(page: Page) -> float:
    """Return the seconds from the click on a job to the last line of its long log."""
    page.keyboard.press("Escape")
    begin = time.perf_counter()
    open_job(page, "long")
    page.locator(".pk-log-lines", has_text=f"line {MANY - 1} ").wait_for()
    seconds = time.perf_counter() - begin
    page.locator(".lm-TabBar-tab.lm-mod-current", has_text="long").locator(".lm-TabBar-tabCloseIcon").click()
    return seconds


def main() -> None:
    """Run and print."""
    with fresh_house("log") as house, in_lab(house.up()) as page:
        user = house.admin
        wait(user, submit(user, "long", LONG))
        page.locator("[data-id='pumpkin-panel']").click()
        opening(page)  # loads the view's code
        long = [opening(page) for _ in range(OPENINGS)]
        lines = live(page, user)
    p50, p99 = quantile(lines, 0.5), quantile(lines, 0.99)
    rows = [
        ("a line printed is seen after", "time"),
        ("p50", f"{p50:.0f} ms"),
        ("p99", f"{p99:.0f} ms"),
        ("allowed", f"{ALLOWED_MS} ms"),
        (f"a log of {MANY:,} lines is open after", f"{median(long) * 1000:.0f} ms"),
    ]
    big = round(median(long) * 1000)
    report("log", ours=p99, reference=ALLOWED_MS, ratio=p99 / ALLOWED_MS, rows=rows, big_log_ms=big)


if __name__ == "__main__":
    main()
