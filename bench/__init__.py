"""Benchmarks: each runs ours and the peer or the floor in one run and prints the ratio. `make bench B=name`."""
