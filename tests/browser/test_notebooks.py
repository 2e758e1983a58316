"""Starting, opening, waiting for and stopping notebooks, as a person does it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.integration.house import House

LAB = re.compile(r".*/user/admin/(?:[\w-]+/)?lab.*")
QUEUE = re.compile(r".*/services/pumpkin/queue/\w{26}$")


def start(page: Page, spec: str, name: str = "") -> None:
    page.goto("services/pumpkin/")
    page.locator(f"#specs label:has(input[value='{spec}'])").click()
    if name:
        page.get_by_text("Name, environment, data").click()
        page.locator("#f-name").fill(name)
    page.get_by_role("button", name="Start").click()


def test_from_home_to_lab_and_stopped_again(page: Page):
    start(page, "cpu-small")
    page.wait_for_url(LAB)
    page.locator("#jp-main-dock-panel").wait_for()
    page.goto("services/pumpkin/")
    row = page.locator("#active tr", has_text="default notebook")
    expect(row.locator(".phase")).to_have_text("running")
    row.get_by_role("button", name="Stop").click()
    expect(page.locator("#active")).to_contain_text("Nothing runs or waits", timeout=60_000)


def test_waiting_tells_the_place_and_opens_the_notebook_when_its_turn_comes(page: Page, platform: House, whole: str):
    first = platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole}).json()
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    expect(page.locator("#place")).to_have_text("1st")
    expect(page.locator("#ahead")).to_contain_text("Nobody ahead of you")
    platform.admin.api.post(f"/workloads/{first['id']}/stop")
    page.wait_for_url(LAB)


def test_a_queued_notebook_can_be_cancelled(page: Page, platform: House, whole: str):
    platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole})
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    expect(page.locator("#place")).to_have_text("1st")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#place")).to_have_text("Cancelled")


def test_the_hubs_own_form_leads_to_the_queue_page(page: Page, platform: House, whole: str):
    platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole})
    page.goto("hub/spawn/admin/second")
    page.locator(f"label:has(input[value='{whole}'])").click()
    page.locator("#spawn_form button[type=submit]").click()
    page.wait_for_url(QUEUE)
    expect(page.locator("#what")).to_contain_text("second")
