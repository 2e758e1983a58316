"""What every test shares: in CI a skipped test is a failed test; `s3_server` is a real S3 server.

Two files run at once, but of the cluster's and the browser's one after the other.
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.s3 import Server

STRICT = os.environ.get("CI") == "true"

# What helpers assert is explained, too.
pytest.register_assert_rewrite("tests.browser", "tests.cluster", "tests.integration", "tests.unit")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file on one worker, and all that use the cluster, of which there is one, or a browser.

    Browsers break off what they load when a network interface comes or goes, as each pod's does.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "alone" if file.startswith(("tests/browser/", "tests/cluster/")) else file

    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give schemathesis' tests ids of their own: pytest 9.2 leaves out what is in their names' brackets.

    Of tests of one id xdist runs one.
    """
    for item in items:
        name, _, params = item.name.removesuffix("]").partition("[")
        if params and item.nodeid.endswith(name):
            item._id = replace(item.id, params=params)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Server]":
    from tests.s3 import running  # the rule on skips, below, is tested where there are no tests of ours

    with running(tmp_path_factory.mktemp("s3")) as server:
        yield server


def _fail_if_skipped(report: Any) -> Any:
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"A skip counts as a failure here. {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _fail_if_skipped((yield))
