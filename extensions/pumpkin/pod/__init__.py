"""What runs beside a workload in its pod: fetching its inputs, sending home what it leaves, and evicting the cache.

Each is a command of the platform's image, `python -m pumpkin.pod inputs|agent|evict`, that knows nothing of
Kubernetes: what it needs is in its variables, see `pumpkin.pod.settings`.
"""
