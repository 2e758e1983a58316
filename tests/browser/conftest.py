"""A real browser on a whole platform.

`page`: logged in as the first admin, English, failing the test when a page's script fails or its policy is broken.
`lab`: the JupyterLab of that admin.

The browser ends with this folder: while Playwright's synchronous API is open the main thread has a running event loop,
in which no other folder's asynchronous test could run.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.integration.house import ADMIN_PASSWORD, House, running

SECONDS = 90
LAB = "user/admin/lab"
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
# As patient as actions are: a panel looks again every five seconds, as long as an expectation waits unless told.
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from running(tmp_path_factory.mktemp("platform") / "data")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "the browser tests need chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, platform: House) -> Iterator[Page]:
    assert platform.admin.name == "admin"  # the one-time password is traded for a lasting one
    context = browser.new_context(base_url=platform.url, locale="en-GB", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if _broken(message) else None)
    log_in(page)
    try:
        yield page
        assert not wrong
    finally:
        context.close()
        end_notebooks(platform)


@pytest.fixture
def lab(page: Page, platform: House) -> Page:
    """The Lab of the admin's running notebook server, with the Pumpkin panel open."""
    platform.start_notebook()
    speak(page, "default")
    return page


def open_lab(page: Page) -> None:
    page.goto(f"{LAB}?reset")
    page.locator("#jp-main-dock-panel").wait_for()
    page.locator("[data-id='pumpkin-panel']").click()
    page.locator(".pk-panel").wait_for()


def speak(page: Page, language: str) -> None:
    """Choose the Lab's language, or its theme, as its settings do."""
    choose(page, "@jupyterlab/translation-extension:plugin", {"locale": language})
    open_lab(page)


def choose(page: Page, plugin: str, values: dict[str, Any]) -> None:
    page.goto(LAB)
    page.locator("#jp-main-dock-panel").wait_for()
    store = """async ([plugin, raw]) => (await fetch(`/user/admin/lab/api/settings/${plugin}`, {
        method: 'PUT', body: JSON.stringify({raw}),
        headers: {'Content-Type': 'application/json', 'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]}
    })).status"""
    assert page.evaluate(store, [plugin, json.dumps(values)]) == 204


def log_in(page: Page) -> None:
    """Log in as the first admin, whose one-time password is traded already."""
    page.goto("hub/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", ADMIN_PASSWORD)
    page.locator("[type=submit]").first.click()
    page.wait_for_url("**/services/pumpkin/")


def accessible(page: Page) -> None:
    """Fail on what axe finds seriously wrong with what is ours on the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.pk-view', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    bad = [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]
           if item["impact"] in ("serious", "critical")]  # fmt: skip
    assert not bad


def _broken(message: ConsoleMessage) -> bool:
    ours = "/services/pumpkin/api/" in (message.location or {}).get("url", "")
    return "Content Security Policy" in message.text or (ours and message.type == "error")


def end_notebooks(house: House) -> None:
    api = house.admin.api
    query = {"kind": "notebook", "phase": ["queued", "preparing", "running", "stopping"]}
    limit = time.monotonic() + SECONDS
    while opened := api.get("/workloads", params=query).json()["items"]:
        assert time.monotonic() < limit, "notebooks do not end"
        for notebook in opened:
            api.post(f"/workloads/{notebook['id']}/stop")
        time.sleep(0.5)


@pytest.fixture
def whole(platform: House) -> str:
    """A free spec as large as the machine, so that two never run at once; its name."""
    api = platform.admin.api
    [node] = api.get("/resources/nodes").json()["items"]
    made = api.post(
        "/resources/specs", json={"name": "whole-machine", "cpu_milli": node["usable_cpu_milli"], "memory": 1 << 30}
    )
    assert made.status_code in (201, 409), made.text
    return "whole-machine"
