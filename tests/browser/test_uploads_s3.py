"""A folder chosen in the page goes straight to the S3 store if that lets the page in, else through the platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests import s3
from tests.browser.test_breaks import begin_upload, made
from tests.integration.house import House


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, s3_server: s3.Server) -> Iterator[House]:
    house = House(data=tmp_path_factory.mktemp("platform") / "data")
    house.configure(s3_server.config("pages", browser_origins=[house.url.rstrip("/")]))
    try:
        yield house.up()
    finally:
        house.tear_down()


def sent_to(page: Page) -> list[str]:
    """Return the origins packs are sent to, as they are."""
    found: list[str] = []

    def note(request: Request) -> None:
        where = urlsplit(request.url)
        if request.method == "PUT" and re.search(r"/packs/\w{26}$", where.path):
            found.append(f"{where.scheme}://{where.netloc}")

    page.on("request", note)
    return found


def test_a_folder_goes_straight_to_the_store(page: Page, platform: House, s3_server: s3.Server, tmp_path: Path):
    folder = made(platform, "straight", tmp_path / "straight")
    page.goto("services/pumpkin/datasets/admin/straight")
    origins = sent_to(page)
    begin_upload(page, folder)
    expect(page.get_by_role("table").filter(has_text="a.txt")).to_be_visible()
    assert origins == [s3_server.endpoint]
    read = platform.admin.api.get("/datasets/admin/straight/versions/1/files/deep/b.bin")
    assert read.content == (folder / "deep" / "b.bin").read_bytes()


def test_what_does_not_reach_the_store_goes_through_the_platform(
    page: Page, platform: House, s3_server: s3.Server, tmp_path: Path
):
    folder = made(platform, "around", tmp_path / "around")
    page.goto("services/pumpkin/datasets/admin/around")
    page.route(f"{s3_server.endpoint}/**", lambda route: route.abort())
    origins = sent_to(page)
    begin_upload(page, folder)
    expect(page.get_by_role("table").filter(has_text="a.txt")).to_be_visible()
    assert origins == [s3_server.endpoint, platform.url.rstrip("/")]
    read = platform.admin.api.get("/datasets/admin/around/versions/1/files/a.txt")
    assert read.content == (folder / "a.txt").read_bytes()
