"""Notebooks and jobs: what is asked for, how it stands, its events, logs, metrics and usage."""
