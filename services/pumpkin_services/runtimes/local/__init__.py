"""Workloads as processes of this machine, each replica under a supervisor that outlives the service."""

from pumpkin_services.runtimes.local.runtime import LocalRuntime as LocalRuntime
