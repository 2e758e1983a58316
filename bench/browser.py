"""A person's browser for benchmarks: logged in, with a notebook server that runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright
from tests.integration.house import ADMIN_PASSWORD, House

SECONDS = 120


@contextmanager
def in_lab(house: House, *, spec: str = "cpu-small") -> Iterator[Page]:
    """Yield a page of a browser that may open `user/admin/lab` on a running platform."""
    api = house.admin.api
    api.post("/workloads/notebooks", json={"name": "", "spec": spec}).raise_for_status()
    limit = time.monotonic() + SECONDS
    while api.get("/workloads", params={"kind": "notebook"}).json()["items"][0]["phase"] != "running":
        assert time.monotonic() < limit, "the notebook does not start"
        time.sleep(0.2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.goto("hub/login")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", ADMIN_PASSWORD)
        page.locator("[type=submit]").first.click()
        page.wait_for_url("**/services/pumpkin/")
        open_lab(page)
        yield page
        browser.close()


def open_lab(page: Page) -> None:
    """Open the Lab with nothing in it, and return when it is ready."""
    page.goto("user/admin/lab?reset")
    page.locator("#jp-main-dock-panel").wait_for()
    page.wait_for_function("document.querySelector('#jupyterlab-splash') === null")
