"""The rule by which a bucket lets pages of other origins send objects to it (S3's "cross-origin resource sharing")."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

RULE = "pumpkin-uploads"
"""The name of our rule; other rules of the bucket are somebody else's and stay."""
_SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_HEADERS = ("content-type", "if-none-match", "x-amz-checksum-sha256")
"""What a target may have a page send."""
_MAX_AGE = 3600
"""Seconds a browser remembers that it may."""


def with_rule(document: bytes | None, origins: Iterable[str]) -> bytes:
    """Return a bucket's configuration (None: it has none) with our rule for `origins` in it, and the others as before.

    Raises:
        ElementTree.ParseError: for what is no XML.
    """
    root = ElementTree.Element("CORSConfiguration") if document is None else ElementTree.fromstring(document)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    for rule in root.findall("CORSRule"):
        if rule.findtext("ID") == RULE:
            root.remove(rule)
    ours = ElementTree.SubElement(root, "CORSRule")
    lines = [("ID", RULE), *(("AllowedOrigin", origin) for origin in origins), ("AllowedMethod", "PUT")]
    lines += [*(("AllowedHeader", name) for name in _HEADERS), ("MaxAgeSeconds", str(_MAX_AGE))]
    for name, text in lines:
        ElementTree.SubElement(ours, name).text = text
    root.set("xmlns", _SPACE)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
