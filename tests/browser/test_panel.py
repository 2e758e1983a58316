"""The side panel and the status bar of the Lab, and what keeps them and the logs fresh."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import accessible, open_lab, speak
from tests.integration.house import House

LINES = 300
TICKS = f"import time\nfor n in range({LINES}): print('tick', n, flush=True); time.sleep(0.05)"
TRAIN = """
import time
from pumpkin import log_metrics
for step in range(10_000):
    log_metrics(step=step, loss=1 / (step + 1), accuracy=min(step / 100, 0.84))
    print("step", step, flush=True)
    if step > 84: time.sleep({pause})
    if step > 100 and not {pause}: break
"""
ORDINARY = """async () => (await fetch('/user/admin/pumpkin/api/accounts/me', {
    headers: {'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]}
})).status"""
SPECS: list[dict[str, Any]] = [
    {"name": "paid", "cpu_milli": 500, "memory": 1 << 30, "price_micro": 12_000_000},
    {"name": "tiny", "cpu_milli": 100, "memory": 1 << 29},
]


@pytest.fixture
def paid(platform: House) -> str:
    """The name of a spec that costs 12 an hour, and money in the admin's workspace. `tiny` is a free one for jobs."""
    api = platform.admin.api
    for spec in SPECS:
        assert api.post("/resources/specs", json=spec).status_code in (201, 409)
    api.post("/billing/recharges", json={"workspace": "admin", "amount_micro": 100_000_000}).raise_for_status()
    return "paid"


@pytest.fixture
def lab(page: Page, platform: House, paid: str) -> Iterator[Page]:
    """The Lab of a notebook server that costs something, with the panel open."""
    platform.start_notebook(spec=paid)
    speak(page, "default")
    yield page
    end_jobs(platform)


def end_jobs(platform: House) -> None:
    api = platform.admin.api
    query = {"kind": "job", "phase": ["queued", "preparing", "running"], "limit": 100}
    for job in api.get("/workloads", params=query).json()["items"]:
        api.post(f"/workloads/{job['id']}/stop")


def submit(platform: House, name: str, script: str, **fields: Any) -> str:
    body = {"name": name, "spec": "tiny", "command": ["python", "-c", script], **fields}
    answer = platform.admin.api.post("/workloads/jobs", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


def row(page: Page, name: str) -> Locator:
    return page.locator(".pk-panel .pk-row", has_text=name)


def test_rows_tell_what_is_known_best_of_each_job(lab: Page, platform: House, whole: str):
    submit(platform, "good", TRAIN.format(pause=0))
    expect(row(lab, "good")).to_contain_text("84 %")
    expect(row(lab, "good").get_by_role("img", name="succeeded")).to_be_visible()
    submit(platform, "broken", "raise SystemExit(3)")
    expect(row(lab, "broken")).to_contain_text("exit code")
    submit(platform, "training", TRAIN.format(pause=0.3))
    expect(row(lab, "training").locator(".pk-spark path")).to_have_attribute("d", re.compile("^M0 .*L44 "))
    expect(row(lab, "training")).to_contain_text("84 %")
    pair = {"name": "main", "command": "sleep 300", "replicas": 2, "spec": "tiny"}
    platform.admin.api.post("/workloads/jobs", json={"name": "pair", "roles": [pair]}).raise_for_status()
    expect(row(lab, "pair")).to_contain_text("2/2 nodes")
    for name in ("waits-first", "waits-second"):
        submit(platform, name, "pass", spec=whole)
    expect(row(lab, "waits-second")).to_contain_text("2nd")
    expect(row(lab, "waits-second")).to_have_attribute("title", re.compile("waits for whole-machine: 1 is ahead"))
    expect(lab.get_by_role("region", name="Jobs")).to_contain_text("2 run · 2 wait")
    status = lab.locator(".pk-status")
    expect(status).to_contain_text(re.compile(r"2 running · 2 queued · ¥\d+\.\d\d \(.* left\) · notebook .*¥\d"))
    accessible(lab)
    lab.get_by_label("Workspace", exact=True).select_option("admin")
    lab.keyboard.press("Control+Shift+J")
    expect(lab.locator(".pk-form")).to_be_visible()


def test_a_workspace_is_chosen_once_for_all_lists(lab: Page, platform: House):
    api = platform.admin.api
    assert api.post("/accounts/workspaces", json={"name": "vision-lab"}).status_code in (201, 409)
    submit(platform, "of-mine", "pass")
    submit(platform, "of-vision", "pass", workspace="vision-lab")
    api.post("/datasets", json={"name": "own-data"})
    api.post("/datasets", json={"name": "vision-data", "workspace": "vision-lab"})
    open_lab(lab)  # memberships are read again
    expect(row(lab, "of-mine")).to_be_visible()
    expect(row(lab, "of-vision")).to_be_visible()
    lab.get_by_label("Workspace", exact=True).select_option("vision-lab")
    expect(row(lab, "of-mine")).to_have_count(0)
    expect(row(lab, "own-data")).to_have_count(0)
    expect(row(lab, "vision-data")).to_be_visible()
    open_lab(lab)
    expect(lab.get_by_label("Workspace", exact=True)).to_have_value("vision-lab")
    expect(row(lab, "of-vision")).to_be_visible()
    expect(row(lab, "of-mine")).to_have_count(0)


def test_this_notebook_shows_its_meter_and_is_stopped(lab: Page, platform: House):
    own = lab.get_by_role("region", name="This notebook")
    expect(own).to_contain_text("paid · ¥12/h")
    expect(own).to_contain_text("runs until it is stopped")
    meter = own.locator(".pk-server-facts")
    expect(meter).to_contain_text(re.compile(r"\d+ s · ¥0\.\d+"))
    before = meter.inner_text()
    expect(meter).not_to_have_text(before)  # it runs
    own.get_by_role("button", name="Stop").click()
    expect(lab.get_by_role("dialog")).to_contain_text("What its kernels hold in memory is lost.")
    lab.get_by_role("dialog").get_by_role("button", name="Stop").click()

    def stopped() -> bool:
        query = {"kind": "notebook", "limit": 1}
        return platform.admin.api.get("/workloads", params=query).json()["items"][0]["phase"] == "stopped"

    platform.wait(stopped, 60)


def test_a_dataset_dragged_into_a_cell_is_the_code_that_reads_it(lab: Page, platform: House):
    api = platform.admin.api
    assert api.post("/datasets", json={"name": "dragged"}).status_code == 201
    query = {"format": "tar"}
    api.put("/datasets/admin/dragged/import", params=query, content=b"\0" * 10_240).raise_for_status()
    expect(row(lab, "dragged")).to_contain_text("v1")
    lab.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    cell = lab.locator(".jp-Notebook .cm-content").first
    cell.wait_for()
    row(lab, "dragged").drag_to(cell)
    expect(cell).to_contain_text('pull("admin/dragged@1", "dragged")')


def test_panel_status_bar_and_notices_ask_once_for_all(lab: Page, platform: House):
    submit(platform, "asked-for", "import time; time.sleep(60)")
    expect(row(lab, "asked-for").get_by_role("img", name="running")).to_be_visible()
    asked: list[str] = []
    lab.on("request", lambda request: asked.append(request.url) if "/api/workloads" in request.url else None)
    lab.wait_for_timeout(10_000)
    glances = [url for url in asked if url.endswith("/workloads/glance")]
    assert 3 <= len(glances) <= 6, asked
    others = [url for url in asked if url not in glances and not re.search(r"/workloads/\w{26}$", url)]
    assert others == []  # but for this notebook's meter


def test_ten_job_tabs_in_three_pages_leave_room_for_ordinary_requests(lab: Page, platform: House):
    names = [f"live-{at}" for at in range(10)]
    for name in names:
        submit(platform, name, TRAIN.format(pause=0.2))
    pages = [lab]
    for _ in range(2):
        pages.append(lab.context.new_page())
        pages[-1].set_default_timeout(90_000)
        open_lab(pages[-1])
    streams: dict[Request, Page] = {}
    for page in pages:
        page.on("request", lambda request, page=page: streams.update({request: page}) if _stream(request) else None)
        page.on("requestfinished", lambda request: streams.pop(request, None))
        page.on("requestfailed", lambda request: streams.pop(request, None))
    for page, shown in zip(pages, (names[:4], names[4:7], names[7:]), strict=True):
        for name in shown:
            row(page, name).click()
            page.get_by_role("button", name="Events").last.click()
            expect(page.get_by_role("log", name="Lines of the log").last).to_contain_text(re.compile(r"step \d+"))
    for page in pages:
        begin = time.monotonic()
        assert page.evaluate(ORDINARY) == 200
        assert time.monotonic() - begin < 5
        log = page.locator(".pk-log-lines:visible")
        newest = log.inner_text()
        expect(log).not_to_have_text(newest)  # it is live
    assert len(streams) == len(pages)
    assert {id(page) for page in streams.values()} == {id(page) for page in pages}
    for page in pages[1:]:
        page.close()


def _stream(request: Request) -> bool:
    return "/stream" in request.url


def numbered(page: Page) -> list[tuple[int, int]]:
    """Return the visible lines' numbers with what the job printed on each."""
    read = """lines => lines.map(line => [
        Number(line.querySelector('.pk-log-number').dataset.number), Number(line.textContent.replace('tick ', ''))
    ])"""
    return [(line, tick) for line, tick in page.locator(".pk-log-line").evaluate_all(read)]


@pytest.mark.parametrize("break_of", ["network", "service"])
def test_what_breaks_in_the_midst_of_a_log_leaves_old_data_greyed_and_no_line_doubled_or_lost(
    lab: Page, platform: House, break_of: str
):
    name = f"ticks-{break_of}"
    submit(platform, name, TICKS)
    row(lab, name).click()
    expect(lab.get_by_role("log", name="Lines of the log")).to_contain_text("tick 20")
    if break_of == "network":
        lab.context.set_offline(True)
        expect(lab.locator(".pk-panel .pk-stale")).to_contain_text(re.compile("What you see is from: .* ago"))
        expect(lab.locator(".pk-panel-body")).to_have_class(re.compile("pk-greyed"))
        expect(row(lab, name)).to_be_visible()
        lab.context.set_offline(False)
    else:
        platform.kill("service")  # it may be back before anybody has asked it anything
    expect(lab.get_by_role("log", name="Lines of the log")).to_contain_text(f"tick {LINES - 1}")
    expect(lab.locator(".pk-stale")).to_have_count(0)
    expect(lab.locator(".pk-panel-body")).not_to_have_class(re.compile("pk-greyed"))
    assert (LINES, LINES - 1) in numbered(lab)
    lab.get_by_role("log", name="Lines of the log").evaluate("log => { log.scrollTop = log.scrollHeight / 2; }")
    lab.wait_for_timeout(300)
    middle = numbered(lab)
    assert middle
    assert all(line == tick + 1 for line, tick in middle), middle
