"""The nastiest moments: an answer lost, the page reloaded, somebody else at the same thing. Nothing doubled or lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.integration.house import House

API = "**/services/pumpkin/api/v1"


def lose_once(page: Page, pattern: str, method: str) -> list[str]:
    """Let one such request reach the platform and lose its answer; returns the addresses of those lost."""
    lost: list[str] = []

    def handle(route: Route, request: Request) -> None:
        if request.method != method or lost:
            route.fallback()
            return
        route.fetch()
        lost.append(request.url)
        route.abort("connectionreset")

    page.route(pattern, handle)
    return lost


@pytest.fixture
def portal(browser: Browser, platform: House, page: Page) -> Iterator[Page]:
    """The admin's portal in a page that may see connections break."""
    context = browser.new_context(base_url=platform.url, storage_state=page.context.storage_state(), locale="en-GB")
    yield context.new_page()
    context.close()


def named(platform: House, name: str) -> int:
    """How many of the admin's jobs are called so."""
    found = platform.admin.api.get("/workloads", params={"kind": "job", "q": name}).json()["items"]
    return len(found)


def test_a_job_whose_answer_is_lost_is_made_once(portal: Page, platform: House):
    portal.goto("services/pumpkin/jobs/new")
    lost = lose_once(portal, f"{API}/workloads/jobs", "POST")
    form = portal.locator(".pk-form")
    form.get_by_label("Name", exact=True).fill("lost-answer")
    form.get_by_label("Command", exact=True).fill("true")
    form.get_by_role("radio", name=re.compile("^cpu-small")).check(force=True)
    form.get_by_role("button", name="Submit", exact=True).click()
    portal.wait_for_url(re.compile(r"/jobs/\w{26}$"))
    assert len(lost) == 1
    assert named(platform, "lost-answer") == 1


def test_a_job_submitted_while_offline_is_kept_and_can_be_submitted_when_one_is_back(portal: Page, platform: House):
    portal.goto("services/pumpkin/jobs/new")
    form = portal.locator(".pk-form")
    form.get_by_label("Name", exact=True).fill("offline")
    form.get_by_label("Command", exact=True).fill("true")
    form.get_by_role("radio", name=re.compile("^cpu-small")).check(force=True)
    portal.context.set_offline(True)
    form.get_by_role("button", name="Submit", exact=True).click()
    expect(form).to_contain_text("The platform did not answer. What you typed is kept")
    assert named(platform, "offline") == 0
    expect(form.get_by_label("Command", exact=True)).to_have_value("true")
    portal.context.set_offline(False)
    form.get_by_role("button", name="Submit", exact=True).click()
    portal.wait_for_url(re.compile(r"/jobs/\w{26}$"))
    assert named(platform, "offline") == 1


def begin_upload(page: Page, folder: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder…").click()
    chooser.value.set_files(folder)
    page.get_by_role("button", name=re.compile("^Upload as")).click()


def made(platform: House, name: str, folder: Path) -> Path:
    """Make a dataset and a folder to fill it from."""
    platform.admin.api.post("/datasets", json={"name": name}).raise_for_status()
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(f"first of {name}")
    (folder / "deep" / "b.bin").write_bytes(name.encode() * 50_000)
    return folder


STEPS = [
    ("/datasets/*/*/uploads", "POST"),
    ("/datasets/*/*/uploads/*/manifest", "PUT"),
    ("/datasets/*/*/uploads/*/missing", "POST"),
    ("/objects/**", "PUT"),
    ("/datasets/*/*/uploads/*/objects/*", "PUT"),
    ("/datasets/*/*/uploads/*/commit", "POST"),
]


@pytest.mark.parametrize(("path", "method"), STEPS)
def test_an_upload_that_loses_an_answer_at_any_step_ends_as_one_version(
    portal: Page, platform: House, tmp_path: Path, path: str, method: str
):
    name = f"torn-{STEPS.index((path, method))}"
    folder = made(platform, name, tmp_path / name)
    portal.goto(f"services/pumpkin/datasets/admin/{name}")
    lost = lose_once(portal, API + path, method)
    begin_upload(portal, folder)
    table, again = portal.get_by_role("table").filter(has_text="a.txt"), portal.get_by_role("button", name="Try again")
    expect(table.or_(again).first).to_be_visible()
    if again.is_visible():
        again.click()
    expect(table).to_be_visible()
    assert lost, "nothing was lost: the step is called otherwise"
    versions = platform.admin.api.get(f"/datasets/admin/{name}/versions").json()["items"]
    assert [(each["number"], each["files"]) for each in versions] == [(1, 2)]


def test_an_upload_goes_on_after_the_page_was_loaded_again(portal: Page, platform: House, tmp_path: Path):
    folder = made(platform, "reloaded", tmp_path / "reloaded")
    portal.goto("services/pumpkin/datasets/admin/reloaded")
    sent: list[str] = []
    portal.on("request", lambda request: sent.append(request.url) if "/objects/" in request.url else None)
    # The data have arrived, and nobody will ever say so.
    portal.route(f"{API}/datasets/*/*/uploads/*/objects/*", lambda route: None)
    with portal.expect_request(re.compile(r"/uploads/[^/]+/objects/[^/]+$")):
        begin_upload(portal, folder)
    portal.reload()
    portal.unroute(f"{API}/datasets/*/*/uploads/*/objects/*")
    expect(portal.locator("main")).to_contain_text("An upload from this browser was not finished.")
    begin_upload(portal, folder)
    expect(portal.get_by_role("table").filter(has_text="a.txt")).to_be_visible()
    assert sent
    versions = platform.admin.api.get("/datasets/admin/reloaded/versions").json()["items"]
    assert [each["number"] for each in versions] == [1]
    assert platform.admin.api.get("/datasets/admin/reloaded/uploads").json()["items"] == []


def test_what_another_tab_changed_is_not_written_over(portal: Page, platform: House):
    platform.admin.api.post("/datasets", json={"name": "twice", "description": "first"}).raise_for_status()
    other = portal.context.new_page()
    for page in (portal, other):
        page.goto("services/pumpkin/datasets/admin/twice")
        page.get_by_role("button", name="Edit").click()
    portal.get_by_role("textbox", name="Description (Markdown)").fill("from the one")
    portal.get_by_role("form", name="Description and labels").get_by_role("button", name="Save").click()
    expect(portal.get_by_text("from the one")).to_be_visible()
    other.get_by_role("textbox", name="Description (Markdown)").fill("from the other")
    other.get_by_role("form", name="Description and labels").get_by_role("button", name="Save").click()
    expect(other.get_by_role("alert")).to_be_visible()
    expect(other.get_by_role("textbox", name="Description (Markdown)")).to_have_value("from the other")
    assert platform.admin.api.get("/datasets/admin/twice").json()["description"] == "from the one"


def test_another_user_sees_what_is_shared_and_as_long_as_it_is(browser: Browser, page: Page, platform: House):
    guest = platform.user("guest")
    platform.admin.api.post("/datasets", json={"name": "secret"}).raise_for_status()
    context = browser.new_context(
        base_url=platform.url, extra_http_headers={"Authorization": f"token {guest.token}"}, locale="en-GB"
    )
    theirs = context.new_page()

    def seen() -> None:
        theirs.goto("services/pumpkin/datasets/admin/secret")

    seen()
    expect(theirs.locator("main")).to_contain_text("There is no dataset 'admin/secret' that you may see.")
    page.goto("services/pumpkin/datasets/admin/secret")
    page.get_by_label("Share with a workspace").fill("guest")
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("list", name="Shared with")).to_contain_text("guest")
    seen()
    expect(theirs.locator("h1")).to_have_text("secret")
    expect(theirs.get_by_role("button", name="Edit")).to_have_count(0)
    page.get_by_role("button", name="Stop sharing with guest").click()
    expect(page.get_by_role("list", name="Shared with")).to_have_count(0)
    seen()
    expect(theirs.locator("main")).to_contain_text("There is no dataset 'admin/secret' that you may see.")
    context.close()
