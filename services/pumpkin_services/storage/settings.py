"""Where an S3 store is and how it is reached, as traits: `c.S3.<name>`."""

from __future__ import annotations

import os

from traitlets import Bool, Float, List, Unicode, default
from traitlets.config import Configurable


class S3(Configurable):
    """Settings of the S3 store. Objects are kept in a folder of this machine unless `endpoint` is set."""

    endpoint = Unicode(help="Address of the store as the platform reaches it, such as `https://s3.example.org`.").tag(
        config=True
    )
    public_endpoint = Unicode(
        "", help="Address of the store as clients, notebooks and jobs reach it; `endpoint` unless set."
    ).tag(config=True)
    direct = Bool(
        True,
        help="Whether clients send and read objects straight from the store by signed URLs; otherwise everything goes "
        "through the platform, which is slower but needs no way from them to the store.",
    ).tag(config=True)
    browser_origins = List(
        Unicode(),
        help="Origins (`https://hub.example.org`) whose pages send uploads straight to the store, too, or `*`. At its "
        "start the platform adds a rule for them to the bucket's CORS configuration, where the store takes one. What "
        "the store does not let in goes through the platform.",
    ).tag(config=True)
    region = Unicode("us-east-1", help="The store's region; many stores do not mind.").tag(config=True)
    bucket = Unicode("pumpkin", help="The bucket; made if it is not there.").tag(config=True)
    prefix = Unicode("", help="Keys begin with this folder, for a bucket that is shared with others.").tag(config=True)
    access_key = Unicode(help="The access key; `PUMPKIN_S3_ACCESS_KEY` of the environment unless set.").tag(config=True)
    secret_key = Unicode(help="The secret key; `PUMPKIN_S3_SECRET_KEY` of the environment unless set.").tag(config=True)
    credentials_file = Unicode(
        "", help="A file with both in the AWS tools' form (`aws_access_key_id = …`), read instead of the two above."
    ).tag(config=True)
    timeout = Float(20.0, help="Seconds without a byte after which a request counts as broken.").tag(config=True)

    @property
    def client_endpoint(self) -> str:
        """Where clients reach the store themselves; empty if they go through the platform."""
        return (self.public_endpoint or self.endpoint).rstrip("/") if self.endpoint and self.direct else ""

    def admits(self, origin: str) -> bool:
        """Tell whether pages of `origin` may be sent to the store."""
        return bool(self.client_endpoint) and not {"*", origin}.isdisjoint(self.browser_origins)

    @default("endpoint")
    def _endpoint(self) -> str:
        return os.environ.get("PUMPKIN_S3_ENDPOINT", "")

    @default("access_key")
    def _access_key(self) -> str:
        return os.environ.get("PUMPKIN_S3_ACCESS_KEY", "")

    @default("secret_key")
    def _secret_key(self) -> str:
        return os.environ.get("PUMPKIN_S3_SECRET_KEY", "")
