"""A notebook as a job and back: outputs land in it cell by cell, whatever is done to it meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SECONDS, accessible, end_notebooks
from tests.integration.house import House

WAIT = SECONDS * 1000


class Home:
    """The admin's home, as their server's contents API has it."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def write(self, path: str, sources: Sequence[str], *, tags: Sequence[str] = ()) -> None:
        """Write a notebook of code cells `c0`, `c1` …; the first one has the tags."""
        cells: list[dict[str, Any]] = [
            {"id": f"c{at}", "cell_type": "code", "metadata": {"tags": [*tags]} if at == 0 and tags else {},
             "source": source, "outputs": [], "execution_count": None}
            for at, source in enumerate(sources)
        ]  # fmt: skip
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        content: dict[str, Any] = {
            "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells,
        }  # fmt: skip
        self._call("PUT", path, {"type": "notebook", "format": "json", "content": content})

    def cells(self, path: str) -> list[dict[str, Any]]:
        """Return the cells of a notebook as the file has them."""
        return self._call("GET", path)["content"]["cells"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        script = """async ([method, path, body]) => {
            const answer = await fetch(`/user/admin/api/contents/${path}`, {method, body, headers: {
                'Content-Type': 'application/json', 'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]}});
            return [answer.ok, await answer.text()]
        }"""
        ok, text = self._page.evaluate(script, [method, path, None if body is None else json.dumps(body)])
        assert ok, text
        return json.loads(text)


@pytest.fixture
def home(page: Page, platform: House) -> Home:
    platform.start_notebook()
    page.goto("user/admin/lab?reset")
    page.locator("#jp-main-dock-panel").wait_for()
    return Home(page)


def open_notebook(page: Page, path: str) -> Locator:
    page.goto(f"user/admin/lab/tree/{path}?reset")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
    notebook.locator(".jp-CodeCell").first.wait_for()
    return notebook


def run_as_job(page: Page, *, name: str = "") -> None:
    """Press the toolbar's button, and Run in the dialog it opens; return when the cells are out."""
    page.locator("[data-command='pumpkin:run-notebook']").first.click()
    answer(page, name=name)


def answer(page: Page, *, name: str = "") -> None:
    """Press Run in the dialog of a run; return when the cells are out."""
    dialog = page.get_by_role("dialog", name="Run as a job")
    if name:
        dialog.get_by_text("Name, data").click()
        dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_role("radio", name=re.compile("^cpu-small")).check(force=True)
    accessible(page)
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".pk-cell-bar").first).to_contain_text("Out as job")


def lands(platform: House, name: str) -> None:
    """Return when all of a job is in its notebook."""
    query = {"landed": True, "limit": 10}
    api = platform.admin.api
    platform.wait(lambda: name in str(api.get("/workloads/notebook-runs", params=query).json()), SECONDS)


def text(cell: dict[str, Any]) -> str:
    """Return what a cell put out, as plain text."""
    parts: list[Any] = [each.get("text") or each.get("data", {}).get("text/plain", "") for each in cell["outputs"]]
    return "".join("".join(part) for part in parts)


def test_outputs_are_in_the_file_though_nobody_was_there_when_they_came(page: Page, platform: House, home: Home):
    home.write("away.ipynb", ["rate = 0.1", "print('rate', rate)", "6 * 7"], tags=["parameters"])
    open_notebook(page, "away.ipynb")
    page.locator("[data-command='pumpkin:run-notebook']").first.click()
    dialog = page.get_by_role("dialog", name="Run as a job")
    dialog.get_by_label("rate", exact=True).fill("0.5")
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".pk-cell-bar")).to_have_count(3)
    page.goto("about:blank")  # the tab is closed
    api = platform.admin.api
    [run] = api.get("/workloads/notebook-runs", params={"limit": 1}).json()["items"]
    platform.wait(lambda: api.get(f"/workloads/{run['id']}").json()["phase"] == "succeeded", SECONDS)
    assert not run["landed"]

    page.goto("user/admin/lab?reset")  # not the notebook itself: it lands in the file
    page.locator("#jp-main-dock-panel").wait_for()
    lands(platform, run["id"])
    first, second, third = home.cells("away.ipynb")
    assert [text(first), text(second), text(third)] == ["", "rate 0.5\n", "42"]
    assert first["source"] == "rate = 0.1"
    assert "pumpkin" not in str([cell["metadata"] for cell in (first, second, third)])


def test_what_is_edited_meanwhile_is_kept_and_the_result_is_beside_it(page: Page, platform: House, home: Home):
    wait = "import os, time\nwhile not os.path.exists(os.environ['PUMPKIN_HOME'] + '/go'): time.sleep(0.1)"
    home.write("edited.ipynb", [f"print('begun')\n{wait}", "'as sent'", "'untouched'"])
    notebook = open_notebook(page, "edited.ipynb")
    run_as_job(page, name="with-edits")
    expect(notebook.locator(".jp-Cell").nth(0).locator(".jp-OutputArea-output")).to_contain_text("begun")
    edited = notebook.locator(".jp-Cell").nth(1)
    edited.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("'as it is now'")
    expect(edited.locator(".pk-cell-bar")).to_contain_text("You have edited the cell")
    home.write("go", ["pass"])  # any file will do
    expect(notebook.locator(".jp-Cell").nth(2).locator(".jp-OutputArea-output")).to_contain_text("untouched")
    bar = edited.locator(".pk-cell-bar")
    expect(bar).to_contain_text("Job with-edits has a result for this cell as it was.")
    expect(edited.locator(".jp-OutputArea-output")).to_have_count(0)
    expect(edited.locator(".cm-content")).to_have_text("'as it is now'")
    bar.get_by_role("button", name="Compare").click()
    expect(bar.locator(".pk-own-line")).to_have_text([re.compile("− 'as sent'"), re.compile(r"\+ 'as it is now'")])
    accessible(page)
    lands(platform, "with-edits")
    assert home.cells("edited.ipynb")[1]["metadata"]["pumpkin"]["beside"]["outputs"]

    notebook = open_notebook(page, "edited.ipynb")  # it is still there after a reload
    edited = notebook.locator(".jp-Cell").nth(1)
    edited.locator(".pk-cell-bar").get_by_role("button", name="Use it").click()
    expect(edited.locator(".jp-OutputArea-output")).to_contain_text("as sent")
    expect(edited.locator(".pk-cell-bar")).to_have_count(0)
    expect(edited.locator(".cm-content")).to_have_text("'as it is now'")


def test_a_failed_notebook_job_opens_as_a_notebook_with_its_traceback(page: Page, platform: House, home: Home):
    home.write("failing.ipynb", ["x = 1", "x / 0", "'never'"])
    open_notebook(page, "failing.ipynb")
    run_as_job(page, name="failing")
    page.locator(".pk-cell-bar").get_by_role("button", name="failing").first.click()
    job = page.locator(".pk-job")
    expect(job.get_by_label("Why it failed")).to_contain_text("Cell 2 raised ZeroDivisionError")
    expect(job.get_by_role("region", name="Notebook")).to_contain_text("division by zero")
    accessible(page)
    job.get_by_role("button", name="Open as notebook").click()
    with page.expect_popup() as popup:
        page.get_by_role("dialog").get_by_role("button", name="Open", exact=True).click()
    server = popup.value
    server.wait_for_url(re.compile(r".*/user/admin/failing-\w{6}/lab/tree/jobs/failing-\w{26}\.ipynb"), timeout=WAIT)
    expect(server.locator(".jp-RenderedText").filter(has_text="ZeroDivisionError")).to_be_visible()
    server.close()
    end_notebooks(platform)


def test_from_a_cell_on_and_one_cell_alone_leave_the_others_as_they_are(page: Page, platform: House, home: Home):
    home.write("parts.ipynb", ["print('above')", "print('here')", "print('below')"])
    notebook = open_notebook(page, "parts.ipynb")
    out = notebook.locator(".jp-Cell .jp-OutputArea")
    for entry, name, outputs in (
        ("Run from here as a job", "from-here", ["", "here", "below"]),
        ("Run this cell as a job", "alone", ["", "here", "below"]),
    ):
        notebook.locator(".jp-Cell").nth(1).locator(".cm-content").click(button="right")
        page.get_by_role("menuitem", name=entry).click()
        answer(page, name=name)
        lands(platform, name)
        expect(page.locator(".pk-cell-bar")).to_have_count(0)
        expect(out).to_have_text(outputs)
    api = platform.admin.api
    runs = api.get("/workloads/notebook-runs", params={"limit": 2}).json()["items"]
    cells = [api.get(f"/workloads/{run['id']}/cells").json()["items"] for run in runs]
    assert [[cell["cell"] for cell in each] for each in cells] == [["c1"], ["c1", "c2"]]


def test_a_notebook_open_in_two_tabs_gets_each_output_once(page: Page, platform: House, home: Home):
    home.write("twice.ipynb", ["print('one')", "import time; time.sleep(1); print('two')"])
    notebook = open_notebook(page, "twice.ipynb")
    other = page.context.new_page()
    second = open_notebook(other, "twice.ipynb")
    run_as_job(page, name="twice")
    lands(platform, "twice")
    expect(notebook.locator(".jp-OutputArea-output")).to_have_text(["one\n", "two\n"])
    expect(second.locator(".jp-OutputArea-output")).to_have_text(["one\n", "two\n"])
    assert [text(cell) for cell in home.cells("twice.ipynb")] == ["one\n", "two\n"]
    for tab in (page, other):  # neither was left with something to save over the other's
        expect(tab.locator(".jp-Dialog")).to_have_count(0)
