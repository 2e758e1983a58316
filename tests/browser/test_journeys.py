"""The journeys of a person, by mouse and keyboard alone: from a folder of data to a model that is used again."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.integration.house import House

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


def section(lab: Page, name: str) -> Locator:
    return lab.get_by_role("region", name=name)


def push(lab: Page, kind: str, name: str, folder: Path) -> None:
    """Make a dataset or an algorithm, and its first version of a folder."""
    section(lab, f"{kind.title()}s").get_by_role("button", name="All").click()
    lab.get_by_role("button", name=f"New {kind}…").first.click()
    making = lab.get_by_role("form", name=f"New {kind}")
    making.get_by_role("textbox", name=re.compile("^Name")).fill(name)
    making.get_by_role("button", name="Make it").click()
    tab = lab.locator(".pk-view:visible", has=lab.get_by_role("heading", name=name, exact=True))
    with lab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Choose a folder…").click()
    chooser.value.set_files(folder)
    tab.get_by_role("button", name=re.compile("^Upload as")).click()
    expect(tab.get_by_role("table").filter(has_text=min(folder.glob("*.*")).name)).to_be_visible()


def pick(form: Locator, label: str, reference: str) -> None:
    """Choose a reference as one who types a part of its name does."""
    box = form.get_by_role("combobox", name=f"Find: {label}")
    box.fill(reference)
    form.get_by_role("option", name=re.compile(reference)).first.click()


@pytest.fixture(scope="module")
def data() -> Path:
    """The example's data, as its own program makes them."""
    runpy.run_path(str(DIGITS / "make_data.py"), run_name="__main__")
    return DIGITS / "data"


def test_from_data_to_a_model_that_is_used_again(lab: Page, platform: House, data: Path):
    push(lab, "dataset", "digits", data)
    push(lab, "algorithm", "digits-mlp", DIGITS / "code")
    section(lab, "Jobs").get_by_role("button", name="New job").click()
    form = lab.locator(".pk-form")
    form.get_by_label("Name", exact=True).fill("learn")
    pick(form, "Algorithm", "digits-mlp")
    form.get_by_label("Command", exact=True).fill("python $PUMPKIN_CODE/train.py")
    pick(form, "Datasets", "digits")
    form.get_by_label("Output model").fill("digits-mlp")
    form.get_by_role("button", name="Submit", exact=True).click()

    tab = lab.locator(".pk-job:visible")
    expect(tab.get_by_role("log", name="Lines of the log")).to_contain_text("epoch 40: loss")
    expect(tab).to_contain_text("validation_accuracy")
    tab.get_by_role("list", name="Outputs").get_by_role("button", name=re.compile("digits-mlp")).click()

    model = lab.locator(".pk-view:visible", has=lab.get_by_role("heading", name="digits-mlp", exact=True))
    expect(model).to_contain_text("learn")
    model.get_by_role("button", name="Use in a new job").click()
    form = lab.locator(".pk-form:visible")
    expect(form).to_contain_text("admin/digits-mlp")
    form.get_by_label("Name", exact=True).fill("score")
    pick(form, "Algorithm", "digits-mlp")
    form.get_by_label("Command", exact=True).fill("python $PUMPKIN_CODE/score.py")
    pick(form, "Datasets", "digits")
    form.get_by_role("button", name="Submit", exact=True).click()
    expect(lab.locator(".pk-job:visible").get_by_role("log", name="Lines of the log")).to_contain_text(
        "held-out accuracy 0.9"
    )
    [made] = platform.admin.api.get("/models/admin/digits-mlp/versions").json()["items"]
    assert made["number"] == 1
