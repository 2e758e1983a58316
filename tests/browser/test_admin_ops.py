"""An admin runs the house in the admin shell: nodes, queue, jobs, specs and pools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import accessible
from tests.integration.house import House

SECTIONS = ["admin", "admin/nodes", "admin/queue", "admin/jobs", "admin/specs"]


@pytest.fixture
def mia(platform: House) -> Iterator[httpx.Client]:
    """A user, whose jobs end with the test."""
    api = platform.user("mia").api
    yield api
    mine = api.get("/workloads", params={"phase": ["queued", "preparing", "running"], "limit": 100}).json()["items"]
    if mine:
        api.post("/workloads/batch", json={"action": "delete", "ids": [item["id"] for item in mine]})


@pytest.fixture
def waiting(mia: httpx.Client, whole: str, platform: House) -> dict[str, str]:
    """One of her jobs runs on the whole machine, three wait for it: their ids by their names."""
    ids = {name: submitted(mia, name, whole) for name in ("runs", "first", "second", "third")}
    platform.wait(lambda: job(mia, ids["runs"])["phase"] == "running")
    return ids


def submitted(api: httpx.Client, name: str, spec: str) -> str:
    made = api.post("/workloads/jobs", json={"name": name, "spec": spec, "command": ["sleep", "600"]})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def job(api: httpx.Client, workload: str) -> dict[str, Any]:
    return api.get(f"/workloads/{workload}").json()


def line(api: httpx.Client) -> list[str]:
    return [item["name"] for item in api.get("/workloads/queue").json()["items"] if not item["hold"]]


def section(page: Page, path: str) -> None:
    page.goto(f"services/pumpkin/{path}")
    expect(page.locator(".pk-admin-nav [aria-current]")).to_be_visible()
    expect(page.locator(".pk-skeleton")).to_have_count(0)


def answer(place: Page | Locator, reason: str, verb: str) -> None:
    form = place.locator(".pk-reason-form")
    form.get_by_role("textbox").fill(reason)
    form.get_by_role("button", name=verb, exact=True).click()
    expect(form).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_section_is_for_everybody_and_fits_a_phone(page: Page, waiting: dict[str, str], theme: str):
    page.evaluate("theme => localStorage.setItem('pumpkin-theme', theme)", theme)
    for path in SECTIONS:
        page.set_viewport_size({"width": 1280, "height": 800})
        section(page, path)
        accessible(page)
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_the_overview_says_whether_anything_is_wrong_who_waits_and_what_is_taken(page: Page, waiting: dict[str, str]):
    section(page, "admin")
    expect(page.get_by_role("status").first).to_have_text(re.compile("Nothing is wrong|not well"))
    for light in ("Database", "Object store", "Pipeline", "Hub and runtime"):
        expect(page.locator("summary", has_text=light)).to_be_visible()
    page.locator("summary", has_text="Object store").click()
    expect(page.get_by_text(re.compile(r"^[\d.]+ [KMGT]iB of [\d.]+ [KMGT]iB are free"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("default 3 first by mia"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^CPU: .* (busy|held)"))).to_be_visible()
    accessible(page)


def test_an_admin_reorders_holds_and_lets_go(page: Page, waiting: dict[str, str], mia: httpx.Client):
    section(page, "admin/queue")
    rows = page.locator("tr[data-id]")
    expect(rows.locator("th")).to_have_text(["first", "second", "third"])
    page.get_by_role("button", name="Put third first").click()
    expect(rows.locator("th")).to_have_text(["third", "first", "second"])
    assert line(mia) == ["third", "first", "second"]
    # By the keyboard alone, and the row keeps the focus.
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(rows.locator("th")).to_have_text(["third", "second", "first"])
    expect(rows.nth(2)).to_be_focused()
    page.get_by_role("button", name="Back to the rules").click()
    expect(rows.locator("th")).to_have_text(["first", "second", "third"])
    rows.first.get_by_role("button", name="Hold…").click()
    accessible(page)
    answer(page, "the exam comes first", "Hold")
    expect(rows.last).to_contain_text("the exam comes first")
    assert job(mia, waiting["first"])["message"] == "An admin holds it back: the exam comes first"
    assert line(mia) == ["second", "third"]
    rows.last.get_by_role("button", name="Release").click()
    expect(rows.locator("th")).to_have_text(["first", "second", "third"])
    assert job(mia, waiting["first"])["message"] == ""


def test_a_job_is_stopped_with_a_reason_its_owner_reads(
    page: Page, waiting: dict[str, str], mia: httpx.Client, platform: House
):
    section(page, "admin/jobs")
    page.get_by_role("textbox", name="User").fill("mia")
    page.get_by_role("checkbox", name="Select runs").first.check()
    page.get_by_role("button", name="Stop", exact=True).click()
    answer(page, "the machine is needed for an exam", "Stop")
    platform.wait(lambda: job(mia, waiting["runs"])["phase"] == "stopped")
    assert job(mia, waiting["runs"])["message"] == "An admin stopped it: the machine is needed for an exam"
    page.get_by_role("row", name=re.compile("runs")).first.get_by_role("rowheader").click()
    expect(page.get_by_text("the machine is needed for an exam").first).to_be_visible()
    audit = platform.admin.api.get("/accounts/audit", params={"action": "POST /workloads/batch"}).json()["items"]
    assert audit[0]["detail"]["reason"] == "the machine is needed for an exam"


def test_a_node_is_drained_lowered_and_shown_over_time(page: Page, waiting: dict[str, str], platform: House):
    api = platform.admin.api
    [node] = api.get("/resources/nodes").json()["items"]
    section(page, "admin/nodes")
    page.get_by_role("link", name=node["name"]).click()
    expect(page.get_by_role("heading", name=node["name"])).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("runs main-0 mia"))).to_be_visible()
    page.get_by_role("button", name="Drain…").click()
    answer(page, "new memory", "Drain")
    expect(page.locator(".pk-page-head").first).to_contain_text("drained")
    expect(page.locator(".pk-page-head").first).to_contain_text("new memory")
    page.get_by_role("button", name="Undrain").click()
    expect(page.get_by_role("button", name="Drain…")).to_be_visible()
    page.get_by_label("Memory in GiB, of").fill("1.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"What workloads may have of {node['name']} is changed.")).to_be_visible()
    assert api.get(f"/resources/nodes/{node['name']}").json()["usable_memory"] == 3 << 29
    page.get_by_label("Memory in GiB, of").fill("")
    page.get_by_role("button", name="Save").click()
    platform.wait(lambda: api.get(f"/resources/nodes/{node['name']}").json()["memory_limit"] is None)
    expect(page.get_by_role("img", name=re.compile("^CPU in cores: last"))).to_be_visible()
    accessible(page)


def test_a_price_is_changed_a_spec_disabled_and_a_pool_made_for_some(page: Page, platform: House):
    api = platform.admin.api
    section(page, "admin/specs")
    page.get_by_role("button", name="New spec…").click()
    form = page.get_by_role("form", name="New spec")
    form.get_by_label("Name").fill("browser-spec")
    form.get_by_label("Price per hour in ¥").fill("12.5")
    form.get_by_label("Cores").fill("0.5")
    accessible(page)
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile("browser-spec"))
    expect(row).to_contain_text("¥12.50/h")
    page.get_by_role("button", name="Edit browser-spec").click()
    page.get_by_role("form", name="Change browser-spec").get_by_label("Price per hour").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("¥3.00/h")
    spec = api.get("/resources/specs/browser-spec").json()
    assert (spec["price_micro"], spec["cpu_milli"], spec["memory"]) == (3_000_000, 500, 2 << 30)
    page.get_by_role("button", name="Disable browser-spec").click()
    expect(row).to_contain_text("disabled")

    page.get_by_role("button", name="New pool…").click()
    form = page.get_by_role("form", name="New pool")
    form.get_by_label("Name").fill("browser-pool")
    form.get_by_role("checkbox", name="browser-spec").check()
    form.get_by_label("Workspaces that may use it").fill("admin, vision-lab")
    accessible(page)
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile("^browser-pool"))
    expect(row).to_contain_text("workspaces: admin, vision-lab")
    pool = api.get("/resources/pools/browser-pool").json()
    assert (pool["specs"], pool["workspaces"]) == (["browser-spec"], ["admin", "vision-lab"])
    for name in ("browser-pool", "browser-spec"):
        page.get_by_role("button", name=f"Delete {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_role("button", name=f"Delete {name}")).to_have_count(0)
