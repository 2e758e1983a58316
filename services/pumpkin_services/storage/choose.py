"""Which store the configuration asks for."""

from __future__ import annotations

from pathlib import Path

from traitlets.config import Config

from pumpkin_services.storage.base import ObjectStore
from pumpkin_services.storage.files import FolderStore
from pumpkin_services.storage.settings import S3


def choose_store(config: Config, *, folder: Path, base_url: str, secret: bytes) -> ObjectStore:
    """Return the S3 store if `config` names one, else the store in `folder`; nothing is opened yet.

    `base_url` is the path of our API, `secret` signs URLs of it.
    """
    settings = S3(config=config)
    if settings.endpoint:
        from pumpkin_services.storage.s3 import S3Store  # minio is loaded only where it is needed

        return S3Store(settings, base_url=base_url, secret=secret)
    return FolderStore(folder, base_url=base_url, secret=secret)
