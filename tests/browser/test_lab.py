"""Pumpkin inside JupyterLab, in a real browser on a real notebook server."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import LAB, SECONDS, accessible, choose, open_lab, speak
from tests.integration.house import House

COUNT = r"""for i in $(seq 40); do printf '\033[32mstep\033[0m %s <b>&\n' $i; sleep 0.03; done; exit 3"""


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


def test_a_job_is_submitted_in_the_lab_followed_and_run_again(lab: Page):
    lab.get_by_role("region", name="Jobs").get_by_role("button", name="New job").click()
    form = lab.locator(".pk-form")
    form.get_by_label("Name", exact=True).fill("count")
    form.get_by_label("Command", exact=True).fill(COUNT)
    form.get_by_role("radio", name=re.compile("^cpu-small")).check(force=True)
    accessible(lab)
    form.get_by_role("button", name="Submit", exact=True).dblclick()
    log = lab.get_by_role("log", name="Lines of the log")
    expect(log).to_contain_text("step 40 <b>&", timeout=SECONDS * 1000)
    lab.get_by_role("searchbox", name="Search the log").fill("step 7 ")
    expect(lab.get_by_role("search")).to_contain_text("1 of 1")
    expect(lab.get_by_text("main-0 ended with exit code 3: see its log.", exact=True)).to_be_visible()
    accessible(lab)
    jobs = lab.locator(".pk-panel .pk-row", has_text="count")
    expect(jobs).to_have_count(1)  # the double click made one job
    lab.get_by_role("button", name="Rerun").click()
    expect(jobs).to_have_count(2)


def test_from_a_folder_of_data_to_a_job_that_uses_it(lab: Page, tmp_path: Path):
    folder = tmp_path / "numbers"
    (folder / "deep").mkdir(parents=True)
    (folder / "table.csv").write_text('name,value\n"a, b",1\nc,2\n')
    (folder / "deep" / "note.txt").write_text("twelve words")
    lab.get_by_role("region", name="Datasets").get_by_role("button", name="All").click()
    lab.get_by_role("button", name="New dataset…").click()
    making = lab.get_by_role("form", name="New dataset")
    making.get_by_role("textbox", name=re.compile("^Name")).fill("numbers")
    making.get_by_role("button", name="Make it").click()
    expect(lab.get_by_role("heading", name="numbers")).to_be_visible()
    with lab.expect_file_chooser() as chooser:
        lab.get_by_role("button", name="Choose a folder…").click()
    chooser.value.set_files(folder)
    lab.get_by_role("button", name=re.compile("^Upload as")).click()
    files = lab.get_by_role("table").filter(has_text="table.csv")
    expect(files).to_be_visible(timeout=SECONDS * 1000)
    accessible(lab)
    files.get_by_text("table.csv").click()
    expect(lab.get_by_role("cell", name="a, b")).to_be_visible()
    lab.get_by_role("button", name="Use in a new job").click()
    expect(lab.locator(".pk-form")).to_contain_text("admin/numbers")
