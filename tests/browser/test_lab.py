"""Pumpkin inside JupyterLab, in a real browser on a real notebook server."""

from __future__ import annotations

import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import SECONDS
from tests.integration.house import House

LAB = "user/admin/lab"
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
COUNT = ["sh", "-c", r"for i in $(seq 40); do printf '\033[32mstep\033[0m %s\n' $i; sleep 0.05; done; exit 3"]


@pytest.fixture
def lab(page: Page, platform: House) -> Page:
    """The Lab of the admin's running notebook server, with the Pumpkin panel open."""
    api = platform.admin.api
    api.post("/workloads/notebooks", json={"name": "", "spec": "cpu-small"}).raise_for_status()
    limit = time.monotonic() + SECONDS
    while api.get("/workloads", params={"kind": "notebook"}).json()["items"][0]["phase"] != "running":
        assert time.monotonic() < limit, "the notebook does not start"
        time.sleep(0.2)
    speak(page, "default")
    return page


def open_lab(page: Page) -> None:
    page.goto(f"{LAB}?reset")
    page.locator("#jp-main-dock-panel").wait_for()
    page.locator("[data-id='pumpkin-panel']").click()
    page.locator(".pk-panel").wait_for()


def speak(page: Page, language: str) -> None:
    """Choose the Lab's language, or its theme, as its settings do."""
    choose(page, "@jupyterlab/translation-extension:plugin", {"locale": language})
    open_lab(page)


def choose(page: Page, plugin: str, values: dict[str, Any]) -> None:
    page.goto(LAB)
    page.locator("#jp-main-dock-panel").wait_for()
    store = """async ([plugin, raw]) => (await fetch(`/user/admin/lab/api/settings/${plugin}`, {
        method: 'PUT', body: JSON.stringify({raw}),
        headers: {'Content-Type': 'application/json', 'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]}
    })).status"""
    assert page.evaluate(store, [plugin, json.dumps(values)]) == 204


def accessible(page: Page) -> None:
    """Fail on what axe finds seriously wrong with what is ours on the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.pk-view', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    bad = [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]
           if item["impact"] in ("serious", "critical")]  # fmt: skip
    assert not bad


def test_the_panel_shows_what_there_is_and_the_status_bar_what_runs(lab: Page, platform: House):
    api = platform.admin.api
    job = api.post("/workloads/jobs", json={"name": "panel-job", "spec": "cpu-small", "command": ["sleep", "300"]})
    row = lab.locator(".pk-row", has_text="panel-job")
    expect(row.get_by_role("img", name=re.compile("running|queued|preparing"))).to_be_visible()
    expect(lab.locator(".pk-status")).to_contain_text(re.compile("[1-9] (running|queued)|running · [1-9]"))
    accessible(lab)
    api.post(f"/workloads/{job.json()['id']}/stop")
    expect(row.get_by_role("img", name="stopped")).to_be_visible()
    lab.locator(".pk-search").fill("no such name")
    expect(lab.locator(".pk-panel")).to_contain_text("No job has this in its name.")


def test_a_job_that_ends_is_told_once(lab: Page, platform: House):
    platform.admin.api.post("/workloads/jobs", json={"name": "short", "spec": "cpu-small", "command": ["true"]})
    notice = lab.locator(".Toastify__toast", has_text="short has succeeded.")
    expect(notice).to_have_count(1, timeout=SECONDS * 1000)


def test_the_panel_speaks_chinese(lab: Page):
    speak(lab, "zh_CN")
    expect(lab.locator(".pk-panel")).to_contain_text("训练任务")
    expect(lab.locator(".pk-panel")).to_contain_text("数据集")
    expect(lab.locator(".pk-status")).to_contain_text("个运行")


def test_it_is_seen_in_the_dark_too(lab: Page):
    choose(lab, "@jupyterlab/apputils-extension:themes", {"theme": "JupyterLab Dark"})
    try:
        open_lab(lab)
        accessible(lab)
    finally:
        choose(lab, "@jupyterlab/apputils-extension:themes", {})


def test_what_the_lab_loads_at_its_start_is_small(lab: Page, browser: Browser, platform: House):
    fresh = browser.new_context(base_url=platform.url, storage_state=lab.context.storage_state())
    try:
        page, answers = fresh.new_page(), list[Response]()
        page.on("response", lambda one: answers.append(one) if "/lab/extensions/@pumpkin/lab/" in one.url else None)
        page.goto(f"{LAB}?reset")
        page.locator("[data-id='pumpkin-panel']").wait_for(timeout=SECONDS * 1000)
        page.wait_for_load_state("networkidle")
        sizes = {answer.url: len(gzip.compress(answer.body())) for answer in answers}
        assert any("remoteEntry" in url for url in sizes)
        assert sum(sizes.values()) <= 60_000, sizes
    finally:
        fresh.close()
