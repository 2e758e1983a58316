"""The release this code belongs to, read from the installed distribution."""

from importlib.metadata import version

VERSION = version("pumpkin-platform")
