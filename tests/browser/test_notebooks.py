"""Starting, opening, waiting for and stopping notebooks, as a person does it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible
from tests.integration.house import House

LAB = re.compile(r".*/user/admin/(?:[\w-]+/)?lab.*")
QUEUE = re.compile(r".*/services/pumpkin/queue/\w{26}$")

NOTE_WHAT_IS_TOLD = """
const Real = Notification
window.Notification = class extends Real {
    constructor(title, options) { super(title, options); localStorage.setItem('told', `${title}: ${options.body}`) }
}
"""


def start(page: Page, spec: str, name: str = "") -> None:
    page.goto("services/pumpkin/")
    page.get_by_role("radio", name=re.compile(f"^{spec}")).check(force=True)
    if name:
        page.get_by_text("Name, environment, data").click()
        page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Start", exact=True).click()


def test_from_home_to_lab_and_stopped_again(page: Page):
    start(page, "cpu-small")
    page.wait_for_url(LAB)
    page.locator("#jp-main-dock-panel").wait_for()
    page.goto("services/pumpkin/")
    row = page.get_by_role("row", name=re.compile("default notebook"))
    expect(row).to_contain_text("running")
    row.get_by_role("button", name="Stop").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("What its kernels hold in memory is lost.")
    asked.get_by_role("button", name="Stop").click()
    expect(page.locator("main")).to_contain_text("Nothing of yours runs or waits")


def test_waiting_tells_the_place_and_opens_the_notebook_when_its_turn_comes(page: Page, platform: House, whole: str):
    first = platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole}).json()
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    expect(page.locator(".pk-big")).to_have_text("1st")
    expect(page.locator(".pk-wait")).to_contain_text("Nobody ahead of you")
    platform.admin.api.post(f"/workloads/{first['id']}/stop")
    page.wait_for_url(LAB)


def test_a_queued_notebook_can_be_cancelled(page: Page, platform: House, whole: str):
    platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole})
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    expect(page.locator(".pk-big")).to_have_text("1st")
    accessible(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".pk-big")).to_have_text("Cancelled")


def test_what_waits_is_moved_to_a_spec_that_is_free_now(page: Page, platform: House, whole: str):
    api = platform.admin.api
    api.post("/workloads/notebooks", json={"name": "first", "spec": "cpu-small"})
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    page.locator(".pk-instead").get_by_role("button", name=re.compile("^cpu-small · free")).click()
    page.wait_for_url(LAB)
    running = api.get("/workloads", params={"kind": "notebook", "phase": "running"}).json()["items"]
    assert {item["name"]: item["spec"] for item in running} == {"first": "cpu-small", "second": "cpu-small"}


def test_who_asked_for_it_and_is_elsewhere_is_told_when_it_starts(page: Page, platform: House, whole: str):
    page.context.grant_permissions(["notifications"], origin=platform.url)
    page.add_init_script(NOTE_WHAT_IS_TOLD)
    first = platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole}).json()
    start(page, whole, "second")
    page.wait_for_url(QUEUE)
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("button", name="Tell me")).to_be_disabled()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")  # another tab is in front
    platform.admin.api.post(f"/workloads/{first['id']}/stop")
    page.wait_for_url(LAB)
    assert page.evaluate("localStorage.getItem('told')") == "It has started: second"


def test_the_hubs_own_form_leads_to_the_queue_page(page: Page, platform: House, whole: str):
    platform.admin.api.post("/workloads/notebooks", json={"name": "first", "spec": whole})
    page.goto("hub/spawn/admin/second")
    page.locator(f"label:has(input[value='{whole}'])").click()
    page.locator("#spawn_form button[type=submit]").click()
    page.wait_for_url(QUEUE)
    expect(page.locator(".pk-wait")).to_contain_text("second")
