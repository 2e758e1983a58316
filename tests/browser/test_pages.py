"""Every page, in both languages and widths, against a real platform; a data set uploaded and a job followed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.house import House

PAGES = ["", "jobs", "jobs/new", "datasets", "algorithms", "models", "admin"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_window(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        page.goto(f"services/pumpkin/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_language_is_switched_and_kept(page: Page):
    page.get_by_role("link", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("h2").first).to_have_text("运行与排队")
    page.goto("services/pumpkin/datasets")
    expect(page.locator("h1")).to_have_text("数据集")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Datasets")


def test_a_visitor_is_sent_to_log_in_and_comes_back_to_the_page(browser: Browser, platform: House):
    context = browser.new_context(base_url=platform.url)
    page = context.new_page()
    page.goto("services/pumpkin/datasets")
    assert "/hub/login" in page.url
    context.close()


def test_an_unknown_page_says_so(page: Page):
    answer = page.goto("services/pumpkin/no-such-page")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("404")


def test_a_dataset_is_made_uploaded_and_read_in_the_browser(page: Page, tmp_path: Path):
    archive = tmp_path / "words.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "twelve words")
        file.writestr("deep/er/list.csv", "a,b\n1,2\n")
    page.goto("services/pumpkin/datasets")
    page.get_by_role("button", name="New dataset").click()
    page.locator("#f-name").fill("words")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/datasets/admin/words")
    page.locator("#file").set_input_files(str(archive))
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#versions")).to_contain_text("v1")
    page.get_by_role("link", name="readme.txt").click()
    expect(page.locator("#preview")).to_have_text("twelve words")
    page.get_by_role("link", name="deep/").click()
    page.get_by_role("link", name="er/").click()
    expect(page.locator("#tree")).to_contain_text("list.csv")
    with page.expect_download() as download:
        page.get_by_role("link", name="zip", exact=True).click()
    names = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())).namelist()
    assert any(name.endswith("list.csv") for name in names)


def test_a_job_is_submitted_followed_and_run_again(page: Page):
    page.goto("services/pumpkin/jobs/new")
    page.locator("#specs label:has(input[value='cpu-small'])").click()
    page.locator("#f-name").fill("count")
    script = r"""for i in 1 2 3; do printf '\033[32mstep\033[0m %s <b>&\n' $i; sleep 0.3; done; exit 3"""
    page.locator("#f-command").fill(script)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#log")).to_contain_text("step 3 <b>&")
    assert page.locator("#log .a2").count() == 3
    expect(page.locator("#job-head .phase")).to_have_text("failed")
    expect(page.locator("#why")).to_contain_text("exit code 3")
    expect(page.locator("#events")).to_contain_text("Started")
    first = page.url
    page.get_by_role("button", name="Rerun").click()
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("#events")).to_contain_text("Waiting for resources")
    expect(page.locator("#log")).to_contain_text("step 1 <b>&")
