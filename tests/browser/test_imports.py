"""A version begun in the page from what another server has; how that goes is seen there, and what becomes of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible
from tests.integration.house import House
from tests.unit.artifacts.elsewhere import LOOPBACK, Elsewhere, Reply, serve
from tests.unit.artifacts.test_archives import make_zip

DATA = make_zip(("a.txt", b"hello"))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    with serve() as made:
        yield made


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> Iterator[House]:
    house = House(data=tmp_path_factory.mktemp("platform") / "data")
    house.configure(f"c.Platform.import_hosts = {elsewhere.hosts}\nc.Platform.import_networks = {LOOPBACK}\n")
    try:
        yield house.up()
    finally:
        house.tear_down()


def ask(page: Page, platform: House, name: str, url: str) -> None:
    """Make a dataset and fill in the form of an import into it."""
    platform.admin.api.post("/datasets", json={"name": name}).raise_for_status()
    page.goto(f"services/pumpkin/datasets/admin/{name}")
    page.get_by_role("button", name="Import from another server…").click()
    page.get_by_label(re.compile("^URL of an archive")).fill(url)


def test_an_import_is_begun_and_watched_in_the_page(page: Page, platform: House, elsewhere: Elsewhere):
    seen = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield DATA[:50]
        seen.wait(60)
        yield DATA[50:]

    elsewhere.replies["/a.zip"] = Reply(slowly, length=len(DATA))
    ask(page, platform, "begun", elsewhere.url("/a.zip?signature=secret"))
    accessible(page)
    page.get_by_role("button", name="Import as a new version").click()
    row = page.get_by_role("region", name=re.compile("^Importing"))
    expect(row).to_contain_text(f"50 B of {len(DATA)} B")
    expect(row).to_contain_text("/a.zip")
    expect(row).not_to_contain_text("secret")
    accessible(page)
    seen.set()
    expect(page.get_by_role("table").filter(has_text="a.txt")).to_be_visible()
    expect(row).to_have_count(0)


def test_an_import_that_failed_says_why_until_it_is_put_away(page: Page, platform: House, elsewhere: Elsewhere):
    ask(page, platform, "failing", elsewhere.url("/none.zip"))
    page.get_by_role("button", name="Import as a new version").click()
    failed = page.get_by_role("region", name=re.compile("^The import failed"))
    expect(failed).to_contain_text("answers 404")
    failed.get_by_role("button", name="Put away").click()
    expect(failed).to_have_count(0)


def test_an_s3_server_has_its_own_fields_and_hides_the_key(page: Page, platform: House):
    ask(page, platform, "bucket", "s3://data/some/where")
    page.get_by_label("Address of the S3 server").fill("https://s3.example.org")
    secret = page.get_by_label("Secret key")
    expect(secret).to_have_attribute("type", "password")
    expect(page.get_by_label("Format")).to_have_count(0)
    accessible(page)
