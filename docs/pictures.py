"""Take the documentation's pictures of every view, light in English and dark in Chinese: `make pictures`.

They are of a platform of their own which has trained the example's model, in a browser without a window. Look at them
before committing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.conftest import choose, log_in, open_lab
from tests.integration.house import House, User

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PORTAL = "services/pumpkin/"
SECONDS = 120
SETTLED_MS = 2500
STYLES = {"light": ("en-GB", "default", "JupyterLab Light"), "dark": ("zh-CN", "zh_CN", "JupyterLab Dark")}
"""A style's browser language, and the Lab's language and theme."""


@dataclass
class Shown:
    """What there is to look at."""

    train: str
    failed: str
    waiting: str
    environment: str


def furnished(house: House) -> Shown:
    """Give the platform what its pictures show."""
    admin = house.admin
    for name, cores in (("cpu-small", 400), ("cpu-large", 1000)):  # small enough for two cores to show a queue
        assert admin.api.patch(f"/resources/specs/{name}", json={"cpu_milli": cores}).is_success
    house.start_notebook()
    alice = house.user("alice")
    environ = {**os.environ, "PUMPKIN_URL": house.url, "PUMPKIN_TOKEN": admin.token}
    subprocess.run([sys.executable, ROOT / "examples" / "digits" / "demo.py"], env=environ, check=True)
    admin.api.post("/accounts/workspaces", json={"name": "vision", "description": "Images and what is in them"})
    admin.api.put("/accounts/workspaces/vision/members/alice", json={"role": "member"})
    for workspace, amount in (("vision", 500), ("alice", 200)):
        admin.api.post("/billing/recharges", json={"workspace": workspace, "amount_micro": amount * 10**6})
    failed = job(admin, "tokenise", "echo 'corpus.txt has no lines: there is nothing to tokenise' >&2; exit 1")
    job(alice, "sweep", "for i in 1 2 3 4 5 6; do echo epoch $i; sleep 1; done")
    house.wait(lambda: phase(admin, failed) == "failed", SECONDS)
    job(alice, "bert-large", "sleep 600", workspace="vision", spec="cpu-large")
    waiting = job(admin, "resnet-50", "sleep 600", workspace="vision", spec="cpu-large")
    [train, *_] = [
        each["id"] for each in admin.api.get("/workloads", params={"kind": "job", "q": "train"}).json()["items"]
    ]
    environments = admin.api.get("/images").json()["items"]
    return Shown(train=train, failed=failed, waiting=waiting, environment=environments[0]["id"])


def job(user: User, name: str, command: str, *, workspace: str | None = None, spec: str = "cpu-small") -> str:
    """Submit a job; its id."""
    body = {"name": name, "spec": spec, "command": command, "workspace": workspace}
    made = user.api.post("/workloads/jobs", json=body)
    assert made.is_success, made.text
    return made.json()["id"]


def phase(user: User, workload: str) -> str:
    """How a workload stands."""
    return user.api.get(f"/workloads/{workload}").json()["phase"]


def portal(shown: Shown) -> dict[str, str]:
    """Each picture of the portal and its address."""
    return {
        "home": "",
        "jobs": "jobs",
        "job": f"jobs/{shown.train}",
        "job-failed": f"jobs/{shown.failed}",
        "new-job": "jobs/new",
        "waiting": f"queue/{shown.waiting}",
        "datasets": "datasets",
        "dataset": "datasets/admin/digits",
        "algorithm": "algorithms/admin/digits-mlp",
        "model": "models/admin/digits-mlp",
        "environments": "environments",
        "environment": f"environments/{shown.environment}",
        "schedules": "schedules",
        "account": "account",
        "workspaces": "workspaces",
        "workspace": "workspaces/vision",
        **{
            f"admin-{section}": f"admin/{section}"
            for section in ("nodes", "queue", "jobs", "specs", "users", "workspaces", "assets", "billing", "audit")
        },
        "admin": "admin",
    }


def take(page: Page, name: str, style: str) -> None:
    """Take one, once it has come to rest."""
    page.wait_for_load_state("domcontentloaded")
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=IMAGES / f"{name}-{style}.png")


def opened(browser: Browser, house: House, style: str) -> BrowserContext:
    """Return a browser in this style, logged in."""
    language = STYLES[style][0]
    context = browser.new_context(
        base_url=house.url, locale=language, color_scheme=style, viewport={"width": 1280, "height": 800}
    )  # fmt: skip
    context.set_default_timeout(SECONDS * 1000)
    log_in(context.new_page())
    return context


def in_lab(page: Page, style: str) -> None:
    """Take the Lab's pictures: the panel beside a notebook, and a job's tab."""
    _, language, theme = STYLES[style]
    choose(page, "@jupyterlab/translation-extension:plugin", {"locale": language})
    choose(page, "@jupyterlab/apputils-extension:themes", {"theme": theme})
    open_lab(page)
    take(page, "lab-launcher", style)
    page.locator(".pk-panel .pk-row", has_text="train").first.click()
    take(page, "lab-job", style)


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(exist_ok=True)
    only = set(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="pumpkin-pictures-") as folder, sync_playwright() as playwright:
        house = House(data=Path(folder) / "data")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            shown = furnished(house.up())
            for style in STYLES:
                with opened(browser, house, style) as context:
                    page = context.pages[0]
                    for name, path in portal(shown).items():
                        if not only or name in only:
                            page.goto(PORTAL + path)
                            take(page, name, style)
            for style in STYLES:
                with opened(browser, house, style) as context:
                    if not only or "lab" in only:
                        in_lab(context.pages[0], style)
        finally:
            browser.close()
            house.tear_down()


if __name__ == "__main__":
    begun = time.monotonic()
    main()
    print(f"{len(list(IMAGES.glob('*.png')))} pictures in {time.monotonic() - begun:.0f} s")
