"""Workloads as processes of this machine, each replica under a supervisor that outlives the service."""
