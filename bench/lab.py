"""JupyterLab's start with the Pumpkin extension and without, in turn on the same server."""

from __future__ import annotations

import json
import re
import time
from functools import partial

from playwright.sync_api import Page, Route

from bench.browser import in_lab, open_lab
from bench.common import fresh_house, median, report

LOADS = 15
CONFIG = re.compile(r'(<script id="jupyter-config-data" type="application/json">)(.*?)(</script>)', re.DOTALL)


def served(route: Route, *, extension: bool) -> None:
    """Answer with the Lab's page; without the extension as a server answers that does not have it.

    Both ways go through here, since a page that is answered by a benchmark costs time and the browser's cache.
    """
    answer = route.fetch()

    def changed(match: re.Match[str]) -> str:
        config = json.loads(match[2])
        others = [item for item in config["federated_extensions"] if item["name"] != "@pumpkin/lab"]
        assert len(others) == len(config["federated_extensions"]) - 1, "the extension is not there"
        return match[1] + (match[2] if extension else json.dumps(config | {"federated_extensions": others})) + match[3]

    route.fulfill(response=answer, body=CONFIG.sub(changed, answer.text()))


def seconds(page: Page) -> float:
    """Return how long the Lab takes to be ready."""
    begin = time.perf_counter()
    open_lab(page)
    return time.perf_counter() - begin


def main() -> None:
    """Run and print."""
    page_of_lab = re.compile(r".*/user/admin/lab(/.*)?\?reset$")
    spent: dict[str, list[float]] = {"with": [], "without": []}
    with fresh_house("lab") as house, in_lab(house.up()) as page:
        for number in range(LOADS + 1):
            # Each comes behind the other as often as before it: a page that is left has its last requests.
            for name in sorted(spent, reverse=number % 2 == 0):
                page.route(page_of_lab, partial(served, extension=name == "with"))
                taken = seconds(page)
                page.unroute(page_of_lab)
                if number:  # the first of each warms up
                    spent[name].append(taken)
    ours, reference = median(spent["with"]), median(spent["without"])
    rows = [("JupyterLab is ready after", "median"), ("without the extension", f"{reference:.2f} s"),
            ("with the extension", f"{ours:.2f} s")]  # fmt: skip
    report("lab", ours=round(ours, 3), reference=round(reference, 3), ratio=ours / reference, rows=rows)


if __name__ == "__main__":
    main()
