"""Environments: named, versioned, locked Python requirements built by uv; the embedded form of images."""
