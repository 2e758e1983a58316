"""Addresses of the portal's pages, as the browser that shows the notebook reaches them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pumpkin.config import Config, clean_url

PORTAL = "/services/pumpkin"


@dataclass(frozen=True)
class Portal:
    """The portal at `base`; what is not a page there has no address."""

    base: str

    @classmethod
    def of(cls, config: Config) -> Portal:
        """Return the portal of a platform.

        A notebook server asks the platform at an address that only its own machine reaches. There the links begin
        with the Hub's public address or, when it has none, with the path below the page's own origin.
        """
        public, path = os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL"), os.environ.get("JUPYTERHUB_BASE_URL")
        if public:
            return cls(clean_url(public) + PORTAL)
        return cls((config.url if path is None else path.rstrip("/")) + PORTAL)

    def list(self, kind: str) -> str:
        """Return where all of a kind are listed: `dataset`, `algorithm`, `model` or `job`."""
        return f"{self.base}/{kind}s"

    def asset(self, kind: str, workspace: str, name: str, version: int | None = None) -> str:
        """Return the page of a dataset, algorithm or model, opened at a version if one is given."""
        page = f"{self.base}/{kind}s/{_part(workspace)}/{_part(name)}"
        return page if version is None else f"{page}?version={version}"

    def reference(self, kind: str, reference: str) -> str:
        """Return the page of `workspace/name@3`."""
        workspace, _, rest = reference.partition("/")
        name, _, version = rest.partition("@")
        return self.asset(kind, workspace, name, int(version) if version.isdecimal() else None)

    def workload(self, item: Any) -> str:
        """Return a job's page, or the page that waits for a notebook and then opens it."""
        return f"{self.base}/{'jobs' if item.kind == 'job' else 'queue'}/{_part(item.id)}"


def _part(text: str) -> str:
    return quote(text, safe="")
