"""The portal, in both languages, themes and widths, against a real platform; a dataset uploaded and a job followed."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import accessible
from tests.integration.house import House

PAGES = ["", "jobs", "jobs/new", "datasets", "algorithms", "models"]


def settled(page: Page, path: str) -> None:
    """Open a view, and return when it shows what it has."""
    page.goto(f"services/pumpkin/{path}")
    page.locator("main h1, main h2").first.wait_for()
    expect(page.locator(".pk-skeleton")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_window(page: Page, platform: House, width: int):
    api, long = platform.admin.api, "with-a-name-that-is-longer-than-a-phone-is-wide"
    assert api.post("/datasets", json={"name": f"{long}-{width}", "labels": ["uci", "demo"]}).is_success
    job = {"name": f"{long}-{width}", "spec": "cpu-small", "command": ["false"]}
    assert api.post("/workloads/jobs", json=job).is_success
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        settled(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_for_everybody(page: Page, theme: str):
    page.evaluate("theme => localStorage.setItem('pumpkin-theme', theme)", theme)
    for path in PAGES:
        settled(page, path)
        accessible(page)


def test_the_language_is_switched_and_kept(page: Page):
    page.get_by_role("link", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("h2").first).to_have_text("运行与排队")
    page.goto("services/pumpkin/datasets")
    expect(page.locator("h1")).to_have_text("数据集")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Datasets")


def test_a_theme_is_chosen_and_kept(page: Page):
    background = "getComputedStyle(document.body).backgroundColor"
    settled(page, "")
    light = page.evaluate(background)
    page.get_by_role("button", name="Theme: as the system").click()
    assert page.evaluate(background) != light
    settled(page, "jobs")
    assert page.evaluate(background) != light
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate(background) == light


def test_one_goes_from_view_to_view_and_back_without_a_reload(page: Page):
    settled(page, "")
    page.evaluate("window.mark = 1")
    page.get_by_role("link", name="Datasets").click()
    expect(page.locator("h1")).to_have_text("Datasets")
    expect(page).to_have_title("Datasets · Pumpkin")
    expect(page.get_by_role("link", name="Datasets")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator("h1")).to_have_text("Jobs")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Datasets")
    assert page.evaluate("window.mark") == 1


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
    settled(page, "datasets")
    page.get_by_role("button", name="New dataset…").first.click()
    making = page.get_by_role("form", name="New dataset")
    making.get_by_role("textbox", name=re.compile("^Name")).fill("words")
    making.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/datasets/admin/words")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files or an archive…").click()
    chooser.value.set_files(archive)
    page.get_by_label("Unpack it: its files become the version").check()
    page.get_by_role("button", name="Upload as a new version").click()
    files = page.get_by_role("table").filter(has_text="readme.txt")
    files.get_by_text("readme.txt").click()
    expect(page.get_by_text("twelve words")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download version 1 as zip").click()
    names = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())).namelist()
    assert any(name.endswith("list.csv") for name in names)


def test_a_job_is_submitted_followed_and_run_again(page: Page):
    settled(page, "jobs/new")
    form = page.locator(".pk-form")
    form.get_by_label("Name", exact=True).fill("count")
    script = r"""for i in 1 2 3; do printf '\033[32mstep\033[0m %s <b>&\n' $i; sleep 0.3; done; exit 3"""
    form.get_by_label("Command", exact=True).fill(script)
    form.get_by_role("radio", name=re.compile("^cpu-small")).check(force=True)
    form.get_by_role("button", name="Submit", exact=True).click()
    log = page.get_by_role("log", name="Lines of the log")
    expect(log).to_contain_text("step 3 <b>&")
    expect(page.get_by_text("main-0 ended with exit code 3")).to_be_visible()
    expect(page).to_have_title("count · Pumpkin")
    accessible(page)
    first = page.url
    page.get_by_role("button", name="Rerun").click()
    page.wait_for_url(lambda url: url != first)
    expect(log).to_contain_text("step 1 <b>&")
