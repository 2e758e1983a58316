"""What assets and environments say of themselves and show of their content, in the portal and in the Lab.

Building an environment needs the package registry.
"""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from pumpkin import Client
from tests.browser.conftest import accessible
from tests.integration.house import House

HOSTILE = """# Digits

Some **bold** text, [outside](https://example.org/page), [beside](img/dot.png), [bad](javascript:window.hacked=1) and
[away](/hub/logout). ![picture](img/dot.png) ![told](https://evil.example/x.png) ![out](/hub/logout)

<script>window.hacked = 1</script>
<img src=img/dot.png onerror="window.hacked = 1">
<a href="javascript:window.hacked=1" onclick="window.hacked = 1">click</a>
<div style="position: fixed; inset: 0" class="pk-primary" id="jp-main">styled</div>
<iframe src="/hub/logout"></iframe><style>body { display: none }</style>
<form action="/hub/logout"><input type="submit" value="press"></form>
<svg onload="window.hacked = 1"><a xlink:href="javascript:window.hacked=1"><text>x</text></a></svg>
<math><mtext></table><mglyph><style><img src=x onerror="window.hacked = 1"></style></mglyph></mtext></math>
<details open ontoggle="window.hacked = 1"><summary>More</summary>hidden</details>
"""
HARMFUL = "script, style, iframe, form, input, svg, math, [style], [class], [id], [onerror], [onclick], [ontoggle]"
# Twenty pixels square.
DOT = "iVBORw0KGgoAAAANSUhEUgAAABQAAAAUCAIAAAAC64paAAAAGklEQVR42mP438BANmIY1TyqeVTzqOaB1QwA3bFWjzXg/P8AAAAASUVORK5CYII="
# Three rows of a text and a number, some missing, as pyarrow writes them with zstd.
PARQUET = """
UEFSMRUEFSYVOEwVBBUAEgAAKLUv/SATmQAABQAAAEvDtmxuBgAAAOa3seWcsxUAFRIVJCwVBhUQFQYVBhw2AigG5rex5ZyzGAVLw7ZsbhERAAAAKLUv
/SAJSQAAAgAAAAMDAQMCFQQVIBUyTBUEFQASAAAotS/9IBCBAAB3mRAAAAAAAMDMDQEAAAAAFQAVEhUkLBUGFRAVBhUGHBgIwMwNAQAAAAAYCHeZEAAA
AAAAFgIoCMDMDQEAAAAAGAh3mRAAAAAAABERAAAAKLUv/SAJSQAAAgAAAAMDAQMCFQQZPDUAGAZzY2hlbWEVBAAVDCUCGARjaXR5JQBMHAAAABUEJQIY
BnBlb3BsZQAWBhkcGSwmABwVDBk1AAYQGRgEY2l0eRUMFgYWoAEWxAEmXCYIHDYCKAbmt7HlnLMYBUvDtmxuEREAGSwVBBUAFQIAFQAVEBUCADwWFhkG
GSYCBAAAACYAHBUEGTUABhAZGAZwZW9wbGUVDBYGFswBFvABJpoCJswBHBgIwMwNAQAAAAAYCHeZEAAAAAAAFgIoCMDMDQEAAAAAGAh3mRAAAAAAABER
ABksFQQVABUCABUAFRAVAgA8KQYZJgIEAAAAFuwCFgYmCBa0AwAZHBgMQVJST1c6c2NoZW1hGPgBLy8vLy83QUFBQUFRQUFBQUFBQUtBQXdBQmdBRkFB
Z0FDZ0FBQUFBQkJBQU1BQUFBQ0FBSUFBQUFCQUFJQUFBQUJBQUFBQUlBQUFCUUFBQUFCQUFBQU1qLy8vOEFBQUVDRUFBQUFDQUFBQUFFQUFBQUFBQUFB
QVlBQUFCd1pXOXdiR1VBQUFnQURBQUlBQWNBQ0FBQUFBQUFBQUZBQUFBQUVBQVVBQWdBQmdBSEFBd0FBQUFRQUJBQUFBQUFBQUVGRUFBQUFCd0FBQUFF
QUFBQUFBQUFBQVFBQUFCamFYUjVBQUFBQUFRQUJBQUVBQUFBQUFBQUFBPT0AGCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAA
ADICAABQQVIx
"""


@pytest.fixture
def digits(platform: House, tmp_path: Path) -> str:
    """A dataset with a hostile README, the same text as its description, a picture and a Parquet file; its name."""
    folder = tmp_path / "digits"
    (folder / "img").mkdir(parents=True)
    (folder / "README.md").write_text(HOSTILE)
    (folder / "img" / "dot.png").write_bytes(base64.b64decode(DOT))
    (folder / "cities.parquet").write_bytes(base64.b64decode(PARQUET))
    with Client(url=platform.url, token=platform.admin.token) as client:
        client.datasets.push(folder, "admin/hostile", description=HOSTILE)
    return "hostile"


def test_a_hostile_text_does_nothing_but_read_well(page: Page, digits: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"services/pumpkin/datasets/admin/{digits}")
    description = page.locator("header .pk-markdown")
    readme = page.get_by_role("region", name="README.md").locator(".pk-markdown")
    expect(description.get_by_text("bold")).to_be_visible()
    expect(readme.get_by_role("img", name="picture")).to_have_js_property("naturalWidth", 20)
    outside = readme.get_by_role("link", name="outside")
    expect(outside).to_have_attribute("target", "_blank")
    expect(outside).to_have_attribute("rel", re.compile("noopener noreferrer"))
    expect(readme.get_by_role("link", name="beside")).to_have_attribute("download", "")
    for text in (description, readme):
        text.get_by_text("click").click()
        text.get_by_text("styled").click()
        expect(text.get_by_role("link", name=re.compile("bad|away|click"))).to_have_count(0)
        expect(text.locator(HARMFUL)).to_have_count(0)
    assert page.evaluate("window.hacked") is None
    assert not [url for url in asked if "evil.example" in url or url.endswith("/hub/logout")]
    accessible(page)


def test_a_description_is_seen_before_it_is_saved(page: Page, digits: str):
    page.goto(f"services/pumpkin/datasets/admin/{digits}")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Description (Markdown)").fill("now *slanted*")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("region", name="Preview").locator("em")).to_have_text("slanted")
    accessible(page)
    page.get_by_role("form", name="Description and labels").get_by_role("button", name="Save").click()
    expect(page.locator("header .pk-markdown em")).to_have_text("slanted")


def test_a_parquet_file_is_a_table_and_a_row_is_code_when_dragged(page: Page, digits: str):
    page.goto(f"services/pumpkin/datasets/admin/{digits}")
    row = page.get_by_role("row", name=re.compile("^cities.parquet"))
    row.get_by_role("button").click()
    preview = page.locator(".pk-preview")
    expect(preview).to_contain_text("3 rows · 2 columns")
    expect(preview.get_by_role("cell", name="深圳")).to_be_visible()
    expect(preview.get_by_role("cell", name="17681600")).to_be_visible()
    expect(preview.get_by_role("row", name="people int64 yes")).to_be_visible()
    accessible(page)
    assert f'pandas.read_parquet("pumpkin://datasets/admin/{digits}@1/cities.parquet")' in dragged(page, row)
    page.goto("services/pumpkin/datasets")
    listed = page.get_by_role("row", name=re.compile(f"^{digits}"))
    assert f'client.datasets.pull("admin/{digits}@1", "{digits}")' in dragged(page, listed)


def test_a_picture_of_a_version_is_shown_under_the_portals_policy(page: Page, digits: str):
    page.goto(f"services/pumpkin/datasets/admin/{digits}")
    page.get_by_role("button", name="img/").click()
    page.get_by_role("button", name="dot.png").click()
    expect(page.locator(".pk-preview")).to_contain_text("20 × 20 px")


def dragged(page: Page, row: Locator) -> str:
    """Return the text a row gives to whatever it is dropped on."""
    data = page.evaluate_handle("new DataTransfer()")
    row.dispatch_event("dragstart", {"dataTransfer": data})
    return data.evaluate("data => data.getData('text/plain')")


def test_what_a_retention_rule_removes_is_shown_before_it_is_saved(page: Page, platform: House, tmp_path: Path):
    with Client(url=platform.url, token=platform.admin.token) as client:
        for number in range(3):
            (tmp_path / "file").write_text(f"{number}" * 1000)
            client.datasets.push(tmp_path / "file", "admin/retained")
    page.goto("services/pumpkin/datasets/admin/retained")
    form = page.get_by_role("form", name="Versions kept")
    form.get_by_label("Keep the newest").fill("1")
    expect(form.get_by_role("status")).to_contain_text("2 versions go (2 KiB).")
    form.get_by_label("and those younger than (days)").fill("7")
    expect(form.get_by_role("status")).to_contain_text("Nothing goes now.")
    form.get_by_label("and those younger than (days)").fill("")
    expect(form.get_by_role("row", name=re.compile("^@1"))).to_contain_text("goes")
    accessible(page)
    form.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove them").click()
    expect(page.get_by_text("Saved which versions are kept.")).to_be_visible()
    assert platform.admin.api.get("/datasets/admin/retained").json()["keep_last"] == 1


def test_an_environment_is_made_its_build_watched_and_its_versions_compared(page: Page):
    page.goto("services/pumpkin/environments")
    page.get_by_role("button", name="New environment…").click()
    form = page.get_by_role("form", name="New environment")
    form.get_by_label("Name", exact=True).fill("small-tools")
    form.get_by_role("textbox", name="Requirements, one a line").fill("six  # needed")
    expect(form).to_contain_text("1 requirement can be taken.")
    accessible(page)
    form.get_by_role("button", name="Build it").click()
    expect(page.get_by_role("log", name="Build log")).to_contain_text("uv pip compile")
    expect(page.get_by_role("region", name="Packages").get_by_role("cell", name="six")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="New version…").click()
    again = page.get_by_role("form", name="New version")
    again.get_by_role("textbox", name="Requirements, one a line").fill("six\nattrs")
    again.get_by_role("button", name="Build it").click()
    expect(page.get_by_role("region", name="Packages").get_by_role("cell", name="attrs")).to_be_visible()
    page.get_by_role("searchbox", name="Search the packages").fill("attr")
    expect(page.get_by_role("region", name="Packages").get_by_role("cell", name="six")).to_have_count(0)
    page.get_by_label("Compare with").select_option(label="v1")
    expect(page.get_by_role("row", name=re.compile("^attrs added"))).to_be_visible()
    page.get_by_role("button", name="Delete…", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("All its versions and their packages are lost")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Environments")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^small-tools"))).to_have_count(0)


def test_a_folder_of_the_file_browser_becomes_version_1(lab: Page, platform: House):
    folder = platform.data / "homes" / "admin" / "From here"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_text("a,b\n1,2\n")
    (folder / "deep" / "b.txt").write_text("hello")
    lab.locator("[data-id='filebrowser']").click()
    lab.locator(".jp-DirListing-item", has_text="From here").click(button="right")
    lab.get_by_text("Upload to Pumpkin as a dataset…").click()
    asked = lab.get_by_role("dialog")
    expect(asked.get_by_label("Name")).to_have_value("from-here")
    expect(asked).to_contain_text("It is made, with this as version 1.")
    asked.get_by_role("button", name="Upload", exact=True).click()
    notice = lab.locator(".Toastify__toast", has_text="Version 1 of admin/from-here is ready.")
    notice.get_by_role("button", name="Open").click()
    expect(lab.get_by_role("table").filter(has_text="a.csv")).to_contain_text("deep/ 1 file")
    # What a line of requirements is refused for is said while it is typed.
    lab.locator("[data-id='pumpkin-panel']").click()
    lab.get_by_role("region", name="Environments").get_by_role("button", name="All", exact=True).click()
    lab.get_by_role("button", name="New environment…").click()
    lab.get_by_role("textbox", name="Requirements, one a line").fill("six\n-e .")
    expect(lab.get_by_role("form", name="New environment")).to_contain_text("Line 2: -e .: editable installs")
