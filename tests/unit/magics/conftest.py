"""A real shell with `%pumpkin`, and a platform for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.unit.magics.platform import Platform, serve
from tests.unit.sdk.upstream import Upstream

FOREIGN = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_BASE_URL", "JUPYTERHUB_PUBLIC_HUB_URL", "JPY_SESSION_NAME")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "pumpkin")
    yield made
    InteractiveShell.clear_instance()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with serve(platform) as made:
        monkeypatch.setenv("PUMPKIN_URL", made.url)
        monkeypatch.setenv("PUMPKIN_TOKEN", "t")
        yield made
