"""Algorithms: code to run."""
