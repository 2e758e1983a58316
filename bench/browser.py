"""A person's browser for benchmarks: logged in, with a notebook server that runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright
from tests.browser.conftest import log_in
from tests.integration.house import House

SECONDS = 120


@contextmanager
def in_lab(house: House) -> Iterator[Page]:
    """Yield a page of a browser that may open `user/admin/lab` on a running platform."""
    house.start_notebook()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        log_in(page)
        open_lab(page)
        yield page
        browser.close()


def open_lab(page: Page) -> None:
    """Open the Lab with nothing in it, and return when it is ready."""
    page.goto("user/admin/lab?reset")
    page.locator("#jp-main-dock-panel").wait_for()
    page.wait_for_function("document.querySelector('#jupyterlab-splash') === null")
