"""Datasets: data to learn from."""
