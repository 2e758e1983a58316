"""Where workloads run: the contract in `base`, one package per kind of place."""
