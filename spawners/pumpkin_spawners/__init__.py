"""Spawners that start a notebook only with a grant of the platform."""

from pumpkin_spawners.local import LocalSpawner

__all__ = ["LocalSpawner"]
