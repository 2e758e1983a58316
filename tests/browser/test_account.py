"""One's own pages: a token that does what it was made for and no more, a workspace and who belongs to it, its money."""

from __future__ import annotations

import csv
import random
import re
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from pumpkin import Client
from tests.browser.conftest import SECONDS, accessible
from tests.integration.house import House, User


def settled(page: Page, path: str) -> None:
    """Open a view, and return when it shows what it has."""
    page.goto(f"services/pumpkin/{path}")
    page.locator("main h1").first.wait_for()
    expect(page.locator(".pk-skeleton")).to_have_count(0)


def workspace(platform: House, name: str) -> None:
    """Make sure of a workspace of the admin's, with a dataset of the same name."""
    api = platform.admin.api
    if api.post("/accounts/workspaces", json={"name": name, "description": "For the tests."}).status_code == 201:
        api.post("/datasets", json={"name": name, "workspace": name}).raise_for_status()


def agree(page: Page, verb: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()


def test_a_token_is_made_does_what_it_was_made_for_and_is_revoked(page: Page, platform: House):
    settled(page, "account")
    page.get_by_role("button", name="New token…").click()
    form = page.get_by_role("form", name="New token")
    form.get_by_label("What it is for").fill("nightly")
    form.get_by_role("button", name="CI: submit jobs").click()
    expect(form.get_by_label("Jobs and notebooks")).to_have_value("write")
    form.get_by_label("Algorithms").select_option("read algorithms")
    accessible(page)
    form.get_by_role("button", name="Make the token").click()
    secret = page.get_by_label("The token", exact=True).input_value()
    expect(page.locator(".pk-examples")).to_contain_text(f"pumpkin login {platform.url.rstrip('/')} --token -")
    accessible(page)
    page.get_by_role("button", name="I have kept it").click()
    assert secret not in page.content()

    token = httpx.Client(base_url=platform.api_url, headers={"Authorization": f"token {secret}"}, timeout=30)
    job = token.post("/workloads/jobs", json={"name": "by-token", "spec": "cpu-small", "command": ["true"]})
    assert job.status_code == 201, job.text
    assert token.get("/datasets").status_code == 200
    assert token.post("/datasets", json={"name": "by-token"}).status_code == 403
    assert token.post("/accounts/tokens", json={"note": "more", "scopes": ["datasets:write"]}).status_code == 403

    page.reload()
    row = page.get_by_role("row", name=re.compile("^nightly"))
    expect(row).to_contain_text("submit and stop jobs")
    expect(row).to_contain_text("in 30 days")
    row.get_by_role("button", name="Revoke").click()
    agree(page, "Revoke")
    expect(row).to_have_count(0)
    # At once: it was used, and so believed, a moment ago.
    assert token.get("/datasets").status_code == 401


def test_a_name_for_others_is_kept(page: Page, platform: House):
    settled(page, "account")
    page.get_by_label("Name others see").fill("The First Admin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    assert platform.admin.api.get("/accounts/me").json()["display_name"] == "The First Admin"


def seen_by(browser: Browser, platform: House, user: User) -> Page:
    """Return a page of somebody else's."""
    context = browser.new_context(
        base_url=platform.url, locale="en-GB", extra_http_headers={"Authorization": f"token {user.token}"}
    )
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    return page


def test_who_is_made_a_member_sees_what_the_workspace_owns(page: Page, browser: Browser, platform: House):
    mara = platform.user("mara")
    mara.api.get("/accounts/me").raise_for_status()
    settled(page, "workspaces")
    page.get_by_role("button", name="New workspace…").click()
    form = page.get_by_role("form", name="New workspace")
    form.get_by_label("Name").fill("shared-lab")
    form.get_by_label("What it is for").fill("Things we share.")
    form.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/workspaces/shared-lab")
    expect(page.get_by_role("heading", name="shared-lab")).to_be_visible()
    made = {"name": "ours", "workspace": "shared-lab"}
    platform.admin.api.post("/datasets", json=made).raise_for_status()
    assert mara.api.get("/datasets/shared-lab/ours").status_code == 404

    adding = page.get_by_role("form", name="Add a member")
    adding.get_by_label("User name").fill("mara")
    adding.get_by_label("Role").select_option("viewer")
    adding.get_by_role("button", name="Add").click()
    row = page.get_by_role("row", name=re.compile("^mara"))
    expect(row).to_be_visible()
    hers = seen_by(browser, platform, mara)
    settled(hers, "workspaces/shared-lab")
    expect(hers.get_by_role("heading", name="shared-lab")).to_be_visible()
    hers.get_by_role("button", name="ours").click()
    hers.wait_for_url("**/datasets/shared-lab/ours")
    assert mara.api.post("/datasets", json=made | {"name": "more"}).status_code == 403

    row.get_by_label("Role of mara").select_option("member")
    expect(page.get_by_text("mara is now member.")).to_be_visible()
    assert mara.api.post("/datasets", json=made | {"name": "more"}).status_code == 201
    # She leaves by herself, and sees nothing of it any more.
    settled(hers, "workspaces/shared-lab")
    expect(hers.get_by_role("form", name="Add a member")).to_have_count(0)
    hers.get_by_role("button", name="Leave this workspace").click()
    agree(hers, "Leave")
    hers.wait_for_url("**/workspaces")
    expect(hers.get_by_role("row", name=re.compile("^mara"))).to_be_visible()
    expect(hers.get_by_role("row", name=re.compile("^shared-lab"))).to_have_count(0)
    assert mara.api.get("/datasets/shared-lab/ours").status_code == 404
    hers.context.close()


def test_a_workspaces_money_is_told_by_day_and_member_and_line_by_line(page: Page, platform: House, tmp_path: Path):
    api = platform.admin.api
    workspace(platform, "paying")
    api.post("/billing/recharges", json={"workspace": "paying", "amount_micro": 10**9, "note": "a gift"})
    dear = {"name": "dear", "cpu_milli": 100, "memory": 1 << 27, "price_micro": 3600 * 10**6}
    api.post("/resources/specs", json=dear)
    job = {"name": "spender", "spec": "dear", "workspace": "paying", "command": ["sleep", "2"]}
    made = api.post("/workloads/jobs", json=job).json()["id"]
    limit = time.monotonic() + SECONDS
    while api.get(f"/workloads/{made}").json()["phase"] != "succeeded":
        assert time.monotonic() < limit, "the job does not end"
        time.sleep(0.3)
    spent = api.get("/billing/spending", params={"workspace": "paying"}).json()["spent_micro"]
    assert spent > 10**6
    settled(page, "workspaces/paying")
    amount = f"¥{spent / 1e6:.2f}"
    expect(page.get_by_role("table", name="By member").get_by_role("row", name=re.compile("^admin"))).to_contain_text(
        amount
    )
    expect(page.get_by_role("img", name=re.compile(f"Spent per day.*{re.escape(amount)}"))).to_be_visible()
    page.get_by_role("button", name="The month before").click()
    expect(page.get_by_text("Nothing was spent in this month.")).to_be_visible()
    ledger = page.get_by_role("table", name="Ledger")
    expect(ledger.get_by_role("row").filter(has_text="a gift")).to_contain_text("+¥1000.00")
    page.get_by_label("Which lines").select_option("charge")
    expect(ledger).not_to_contain_text("a gift")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    lines = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert {line["kind"] for line in lines} == {"charge"}
    assert sum(int(line["amount_micro"]) for line in lines) <= -spent
    ledger.get_by_role("button", name=made).first.click()
    page.wait_for_url(f"**/jobs/{made}")


def test_what_is_kept_is_told_of_an_account_a_workspace_and_to_the_admin(page: Page, platform: House, tmp_path: Path):
    workspace(platform, "keeping")
    limit = {"running": None, "queued": None, "accelerators": None, "storage_bytes": 1 << 30}
    platform.admin.api.put("/resources/limits/workspace/keeping", json=limit).raise_for_status()
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(3 << 20))
    with Client(url=platform.url, token=platform.admin.token) as client:
        client.datasets.push(tmp_path / "noise", "keeping/keeping")
    settled(page, "workspaces/keeping")
    expect(page.get_by_role("region", name="Storage")).to_contain_text("3 MiB of 1 GiB")
    accessible(page)
    settled(page, "account")
    row = page.get_by_role("table", name="Storage").get_by_role("row", name=re.compile("^keeping"))
    expect(row).to_contain_text("3 MiB of 1 GiB")
    expect(row).to_contain_text("1 version")
    accessible(page)
    settled(page, "admin/workspaces")
    expect(page.get_by_role("row", name=re.compile("^keeping"))).to_contain_text("3 MiB of 1 GiB")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_are_for_everybody_and_fit_a_phone(page: Page, platform: House, theme: str):
    workspace(platform, "narrow")
    page.evaluate("theme => localStorage.setItem('pumpkin-theme', theme)", theme)
    page.set_viewport_size({"width": 390, "height": 800})
    for path, opens in (("account", "New token…"), ("workspaces", "New workspace…"), ("workspaces/narrow", "Edit…")):
        settled(page, path)
        page.get_by_role("button", name=opens).click()
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_they_speak_chinese(page: Page, platform: House):
    workspace(platform, "narrow")
    settled(page, "account")
    page.get_by_role("link", name="简体中文").click()
    expect(page.locator("h1")).to_have_text("账号")
    page.get_by_role("button", name="新建令牌…").click()
    page.get_by_role("button", name="CI：提交训练任务").click()
    settled(page, "workspaces/narrow")
    expect(page.get_by_role("button", name="账本")).to_be_visible()
    assert not re.search(r"[A-Z][a-z]+ [a-z]+", page.locator("main").inner_text().replace("For the tests", ""))
