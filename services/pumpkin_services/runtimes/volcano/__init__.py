"""Workloads as pods of a Kubernetes cluster, queued and started by Volcano."""

from pumpkin_services.runtimes.volcano.runtime import VolcanoRuntime as VolcanoRuntime
from pumpkin_services.runtimes.volcano.settings import ClusterSettings as ClusterSettings
