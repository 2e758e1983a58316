"""The reconciler: moves workloads from what they are to what they shall be, one lease holder at a time."""
