"""The admin shell: people, their data and their money, in a real browser."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.browser.conftest import SECONDS, accessible
from tests.integration.house import House

ADMIN = "services/pumpkin/admin"
PASSWORD = "a-pumpkin-of-my-own"
SECTIONS = ["users", "workspaces", "assets", "billing", "audit"]


def go(page: Page, section: str) -> None:
    page.goto(f"{ADMIN}/{section}")
    expect(page.locator(".pk-admin h1")).to_be_visible()
    expect(page.locator(".pk-skeleton")).to_have_count(0)


def agree(page: Page, verb: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()


@contextmanager
def visitor(browser: Browser, platform: House) -> Iterator[Page]:
    """Somebody else's browser."""
    context = browser.new_context(base_url=platform.url, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    yield page
    context.close()


def try_to_log_in(page: Page, name: str, password: str) -> None:
    page.goto("hub/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.locator("[type=submit]").first.click()


def log_in_once(page: Page, name: str, one_time: str) -> None:
    """Log in with a one-time password, choosing PASSWORD."""
    try_to_log_in(page, name, one_time)
    page.fill("[name=new_password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.locator("[type=submit]").first.click()
    page.wait_for_url("**/services/pumpkin/")


def rows(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_user_is_made_logs_in_with_the_one_time_password_is_frozen_and_thawed(
    page: Page, browser: Browser, platform: House
):
    go(page, "users")
    page.get_by_role("button", name="New user…").click()
    form = page.get_by_role("form", name="New user")
    form.get_by_label("Name", exact=True).fill("nadia")
    form.get_by_role("button", name="Make the user").click()
    one_time = page.locator(".pk-one-time code").inner_text()
    accessible(page)
    page.get_by_role("button", name="Look at nadia").click()
    expect(page.get_by_role("row", name="nadia").get_by_text("not yet")).to_be_visible()
    with visitor(browser, platform) as nadia:
        log_in_once(nadia, "nadia", one_time)
    detail = page.get_by_role("complementary", name="nadia")
    detail.get_by_label("Reason, which they are shown").fill("Mining coins")
    detail.get_by_role("button", name="Freeze…").click()
    agree(page, "Freeze")
    expect(detail).to_contain_text("Frozen by admin: Mining coins")
    expect(page.get_by_role("row", name="nadia")).to_contain_text("frozen")
    with visitor(browser, platform) as nadia:
        try_to_log_in(nadia, "nadia", PASSWORD)
        expect(nadia.locator("body")).to_contain_text("This account is frozen")
    detail.get_by_role("button", name="Thaw").click()
    expect(detail.get_by_role("button", name="Freeze…")).to_be_visible()
    with visitor(browser, platform) as nadia:
        try_to_log_in(nadia, "nadia", PASSWORD)
        nadia.wait_for_url("**/services/pumpkin/")
    detail.get_by_role("button", name="Make admin…").click()
    agree(page, "Make admin")
    detail.get_by_role("button", name="Take admin rights…").click()
    agree(page, "Take them")
    expect(detail.get_by_role("button", name="Make admin…")).to_be_visible()


def test_a_recharge_is_in_the_ledger_the_audit_log_and_the_csv(page: Page, platform: House):
    platform.user("otto").api.get("/accounts/me").raise_for_status()
    page.goto(f"{ADMIN}/users?item=otto")
    book = page.get_by_role("complementary", name="otto").get_by_role("form", name="Book money")
    book.get_by_label("Amount in ¥").fill("12,50 yuan")
    book.get_by_label("Reason", exact=True).fill("=HYPERLINK(1)")
    book.get_by_role("button", name="Book").click()
    expect(book).to_contain_text("such as 12.50")
    book.get_by_label("Amount in ¥").fill("12,50")
    book.get_by_role("button", name="Book").dblclick()
    expect(page.get_by_role("row", name="otto")).to_contain_text("¥12.50")
    page.get_by_role("button", name="Its ledger").click()
    page.wait_for_url("**/admin/billing?item=otto")
    ledger = page.get_by_role("table", name="Ledger")
    expect(ledger.get_by_role("row").filter(has_text="=HYPERLINK")).to_contain_text("+¥12.50")
    expect(ledger.get_by_role("row").filter(has_text="recharge")).to_have_count(1)  # the double click booked once
    expect(page.get_by_role("region", name="Statement")).to_contain_text("= has ¥12.50")
    page.get_by_label("Which lines").select_option("recharge")
    with page.expect_download() as waiting:
        page.get_by_role("region", name="Ledger").get_by_role("link", name="Download as CSV").click()
    [line] = rows(waiting.value)
    assert (line["workspace"], line["kind"], line["amount_micro"]) == ("otto", "recharge", "12500000")
    assert line["note"] == "'=HYPERLINK(1)"  # a spreadsheet shows it and does not run it
    go(page, "audit")
    page.get_by_label("Action").fill("POST /billing")
    page.get_by_label("Text anywhere").fill("otto")
    rows_of_money = page.get_by_role("table", name="Audit log").get_by_role("row").filter(has_text="POST /billing")
    found = rows_of_money.filter(has_text="otto")
    # Without the filters, recharges of others are there too.
    expect(rows_of_money.filter(has_not_text="otto")).to_have_count(0)
    expect(found).to_have_count(1)
    expect(found).to_contain_text("amount: ¥12.50")
    found.click()
    expect(page.get_by_role("complementary")).to_contain_text('"amount_micro": 12500000')
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as CSV").click()
    assert [line["owner"] for line in rows(waiting.value)] == ["otto"]


def test_what_is_taken_down_is_hidden_and_its_owner_is_told_why(page: Page, browser: Browser, platform: House):
    owner, other = platform.user("petra").api, platform.user("quentin").api
    owner.post("/datasets", json={"name": "faces", "visibility": "everyone"}).raise_for_status()
    assert other.get("/datasets/petra/faces").is_success
    go(page, "assets")
    page.get_by_role("searchbox", name="Search by name").fill("faces")
    page.get_by_role("row", name="faces").click()
    detail = page.get_by_role("complementary", name="petra/faces")
    detail.get_by_role("button", name="Make it a preset").click()
    expect(page.get_by_role("row", name="faces")).to_contain_text("everyone (preset)")
    detail.get_by_label("Reason, which its owners are shown").fill("It shows people who were not asked.")
    detail.get_by_role("button", name="Take down…").click()
    agree(page, "Take down")
    expect(detail).to_contain_text("Taken down by admin")
    accessible(page)
    assert other.get("/datasets/petra/faces").status_code == 404
    password = platform.admin.api.post("/accounts/users/petra/one-time-password").json()["one_time_password"]
    with visitor(browser, platform) as petra:
        log_in_once(petra, "petra", password)
        petra.goto("services/pumpkin/datasets/petra/faces")
        expect(petra.get_by_role("note")).to_contain_text("It shows people who were not asked.")
        accessible(petra)
    page.get_by_label("State").select_option("taken_down")
    expect(page.get_by_role("row", name="faces")).to_be_visible()
    detail.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Nothing here is like that.")).to_be_visible()
    assert other.get("/datasets/petra/faces").is_success


def test_a_workspace_is_made_shared_limited_and_deleted(page: Page, platform: House):
    platform.user("rosa").api.get("/accounts/me").raise_for_status()
    go(page, "workspaces")
    page.get_by_role("button", name="New workspace…").first.click()
    form = page.get_by_role("form", name="New workspace")
    form.get_by_label("Name", exact=True).fill("orchard")
    form.get_by_role("button", name="Make the workspace").click()
    detail = page.get_by_role("complementary", name="orchard")
    adding = detail.get_by_role("form", name="Add a member")
    adding.get_by_label("User name").fill("rosa")
    adding.get_by_label("Role").select_option("owner")
    adding.get_by_role("button", name="Add").click()
    expect(detail.get_by_role("combobox", name="Role of rosa")).to_have_value("owner")
    limits = detail.get_by_role("form", name="Limits")
    limits.get_by_label("Running at once").fill("3")
    limits.get_by_label("Storage in GiB").fill("1.5")
    limits.get_by_role("button", name="Save limits").click()
    expect(limits.get_by_role("button", name="Take the defaults")).to_be_visible()
    found = platform.user("rosa").api.get("/resources/limits/mine").json()["workspaces"]["orchard"]
    assert (found["running"], found["queued"], found["storage_bytes"]) == (3, None, 3 << 29)
    detail.get_by_label("Budget per month in ¥").fill("300")
    detail.get_by_role("button", name="Save budget").click()
    expect(page.get_by_role("row", name="orchard")).to_contain_text("of ¥300.00")
    accessible(page)
    detail.get_by_role("button", name="Delete…").click()
    agree(page, "Delete")
    expect(page.get_by_role("row", name="orchard")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
def test_every_section_fits_and_can_be_used_by_everybody(page: Page, platform: House, width: int):
    platform.user("sven").api.get("/accounts/me").raise_for_status()
    page.set_viewport_size({"width": width, "height": 800})
    for section in SECTIONS:
        go(page, section)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, section
        accessible(page)
    go(page, "users")
    name = page.get_by_role("table", name="Users").get_by_role("columnheader", name="Name")
    name.get_by_role("button").click()
    expect(name).to_have_attribute("aria-sort", "ascending")
    # By keyboard alone: into the rows, to the last, open it, close it, and back on the row.
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "TR":
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    last = page.get_by_role("table", name="Users").get_by_role("row").last
    expect(last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_be_visible()
    expect(last).to_have_attribute("aria-current", "true")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    expect(last).to_be_focused()


def test_there_is_no_admin_shell_for_who_is_no_admin(browser: Browser, platform: House):
    platform.user("tilda").api.get("/accounts/me").raise_for_status()
    password = platform.admin.api.post("/accounts/users/tilda/one-time-password").json()["one_time_password"]
    with visitor(browser, platform) as tilda:
        log_in_once(tilda, "tilda", password)
        tilda.goto(f"{ADMIN}/users")
        expect(tilda.get_by_role("heading", name="404")).to_be_visible()
        expect(tilda.get_by_role("navigation", name="Pages").get_by_text("Admin")).to_have_count(0)
