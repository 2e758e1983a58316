"""Schedules in a real browser: made from a job, looked at, run, paused and deleted; in the portal and in the Lab."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import accessible, log_in
from tests.integration.house import House

JOB = {"name": "to-repeat", "spec": "cpu-small", "command": "echo hello"}
RARELY = {"name": "rarely", "cron": "30 2 1 1 *", "timezone": "Europe/Berlin", "request": JOB}


@pytest.fixture(autouse=True)
def no_schedule_is_left(platform: House) -> Iterator[None]:
    yield
    api = platform.admin.api
    for item in api.get("/schedules").json()["items"]:
        assert api.delete(f"/schedules/{item['id']}").is_success


def test_a_job_is_repeated_and_its_schedule_run_paused_and_deleted(page: Page, platform: House) -> None:
    job = platform.admin.api.post("/workloads/jobs", json=JOB).json()
    page.goto(f"services/pumpkin/jobs/{job['id']}")
    page.get_by_role("button", name="Schedule…").click()
    form = page.get_by_role("form", name="New schedule")
    form.get_by_label("Name", exact=True).fill("every-monday")
    form.get_by_label("Repeat", exact=True).select_option(label="Every week")
    form.get_by_label("At", exact=True).fill("07:30")
    form.get_by_label("Time zone").fill("Asia/Shanghai")
    times = form.get_by_role("list", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(5)
    for at in range(5):
        expect(times.nth(at)).to_contain_text(re.compile(r"^Mon.*07:30.*GMT\+8"))
    accessible(page)
    form.get_by_role("button", name="Make it").dblclick()

    expect(page.get_by_role("heading", name="every-monday")).to_be_visible()
    expect(page).to_have_title("every-monday · Pumpkin")
    expect(page.locator(".pk-schedule-line")).to_contain_text("At 07:30, only on Monday")
    expect(page.locator("main")).to_contain_text("It has not run yet.")
    page.get_by_role("button", name="Run now").click()
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(re.compile("asked for by admin.*succeeded"))
    accessible(page)

    page.goto("services/pumpkin/schedules")
    row = page.locator("tbody tr", has_text="every-monday")
    expect(row).to_contain_text("succeeded")
    row.get_by_role("switch").click()
    expect(row).to_contain_text("paused")
    accessible(page)
    row.get_by_role("button", name="every-monday").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.locator("tbody").get_by_role("button", name="to-repeat").click()
    expect(page).to_have_url(re.compile(r"/jobs/\w+$"))
    page.go_back()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its list of runs is lost.")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("main")).to_contain_text("A schedule submits a job again and again")
    assert platform.admin.api.get("/schedules").json()["items"] == []


def test_an_edit_changes_what_it_runs_and_says_what_is_wrong(page: Page, platform: House) -> None:
    made = platform.admin.api.post("/schedules", json=RARELY).json()
    page.goto(f"services/pumpkin/schedules/{made['id']}")
    page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("form", name="Change the schedule")
    expect(form.get_by_label("Repeat", exact=True)).to_have_value("custom")
    form.get_by_text("Change what it runs").click()
    command = form.get_by_role("textbox", name="Command")
    expect(command).to_have_value("echo hello")
    accessible(page)
    command.fill("")
    expect(form).to_contain_text("Say what to run.")
    expect(form.get_by_role("button", name="Save")).to_be_disabled()
    command.fill("echo goodbye")
    form.get_by_label("Cron expression").fill("0 4 * * *")
    expect(form).to_contain_text("At 04:00, every day")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    expect(page.get_by_label("Command")).to_have_text("echo goodbye")
    kept = platform.admin.api.get(f"/schedules/{made['id']}").json()
    assert (kept["cron"], kept["request"]["command"], kept["revision"]) == ("0 4 * * *", "echo goodbye", 2)
    # Nothing else of it has changed.
    assert kept["request"] == made["request"] | {"command": "echo goodbye"}


def test_what_the_platform_refuses_of_a_job_is_said_though_its_field_is_folded_away(
    browser: Browser, platform: House
) -> None:
    made = platform.admin.api.post("/schedules", json=RARELY).json()
    # Not `page`, which takes a refusal for a fault.
    context = browser.new_context(base_url=platform.url, locale="en-GB")
    try:
        page = context.new_page()
        log_in(page)
        page.goto(f"services/pumpkin/schedules/{made['id']}")
        page.get_by_role("button", name="Edit").click()
        form = page.get_by_role("form", name="Change the schedule")
        form.get_by_text("Change what it runs").click()
        form.get_by_text("More", exact=True).click()
        form.get_by_label("Priority").fill("5000")
        form.get_by_text("Change what it runs").click()
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert").filter(has_text="priority")).to_be_visible()
    finally:
        context.close()
    assert platform.admin.api.get(f"/schedules/{made['id']}").json()["request"]["priority"] == 0


def test_what_runs_a_notebook_is_changed_as_it_is_sent(page: Page, platform: House) -> None:
    cell = {"cell_type": "code", "id": "a", "source": "1", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"path": "a.ipynb", "content": {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}}
    asked = RARELY | {"request": {"name": "note", "spec": "cpu-small", "notebook": notebook}}
    answer = platform.admin.api.post("/schedules", json=asked)
    assert answer.status_code == 201, answer.text
    page.goto(f"services/pumpkin/schedules/{answer.json()['id']}")
    page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("form", name="Change the schedule")
    form.get_by_text("Change what it runs").click()
    request = form.get_by_label("The job’s request, as JSON")
    whole = request.input_value()
    request.fill("{")
    expect(form).to_contain_text("This is not JSON")
    expect(form.get_by_role("button", name="Save")).to_be_disabled()
    request.fill(whole.replace('"note"', '"noted"'))
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert platform.admin.api.get(f"/schedules/{answer.json()['id']}").json()["request"]["name"] == "noted"


@pytest.mark.parametrize("width", [390, 1280])
def test_no_view_is_wider_than_the_window(page: Page, platform: House, width: int) -> None:
    made = platform.admin.api.post("/schedules", json=RARELY).json()
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("schedules", "schedules/new", f"schedules/{made['id']}"):
        page.goto(f"services/pumpkin/{path}")
        page.locator("main h1").first.wait_for()
        expect(page.locator(".pk-skeleton")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_lab_has_them_too(page: Page, platform: House) -> None:
    platform.admin.api.post("/schedules", json=RARELY)
    platform.start_notebook()
    page.goto("user/admin/lab?reset")
    # Until it has come to rest, the Lab takes the focus away from the palette, which then closes.
    page.locator(".jp-LauncherCard").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input").fill("Pumpkin schedules")
    page.keyboard.press("Enter")
    view = page.locator(".pk-schedules")
    expect(view).to_contain_text("Europe/Berlin")
    accessible(page)
    view.get_by_role("button", name="rarely").press("Enter")
    expect(page.locator(".pk-schedule h1")).to_have_text("rarely")
