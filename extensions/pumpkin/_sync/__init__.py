# Made from pumpkin/_async/__init__.py by `make models`; change that file, not this one.
"""The synchronous client, written by hand; `_sync` is made from it by `python -m pumpkin._unasync`."""
